#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/ports/event_source.h"

namespace caracal::pipeline {

/// One record as a test writes it.
struct FakeRecord {
  std::string key;
  std::string value;
  bool null_key = false;
  bool null_value = false;
  int64_t timestamp_ms = 1'700'000'000'000;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// A batch that owns its bytes. Values are followed by a slack of zero bytes when asked for.
class FakeRecordBatch : public RecordBatch {
 public:
  void Add(const LeasePtr& lease, int64_t offset, FakeRecord record);
  void set_full(bool full) { full_ = full; }
  std::optional<std::string_view> FindHeader(size_t index, std::string_view name) const override;

 private:
  std::deque<FakeRecord> owned_;
  std::vector<LeasePtr> leases_;
};

/// An EventSource whose log and group are the test's: partitions with records, assigned and taken
/// away by test verbs, delivered in batches of `batch_records`. Streams are named by `topics`, by
/// default "t0", "t1", ... One thread, except Wake.
class FakeSource : public EventSource {
 public:
  explicit FakeSource(size_t batch_records = 16, std::vector<std::string> topics = {})
      : batch_records_(batch_records), topics_(std::move(topics)) {}

  // Test verbs.
  /// Appends to a partition's log and returns the offset.
  int64_t Append(int32_t partition, FakeRecord record, uint16_t stream = 0);
  /// The group gives the partition to this member: PartitionOpened with the next poll.
  LeasePtr Assign(int32_t partition, StartPosition position = {}, uint16_t stream = 0);
  /// The group takes it away: the lease lapses now, PartitionRevoked comes with the next poll.
  void Revoke(int32_t partition, bool lost = false, uint16_t stream = 0);
  /// The offset the next record of a partition will have.
  int64_t LogEnd(int32_t partition, uint16_t stream = 0) const;
  /// The first offset whose timestamp is at or after `time_ms`, as the broker looks it up; LogEnd
  /// when every record is older.
  int64_t OffsetForTime(int32_t partition, int64_t time_ms, uint16_t stream = 0) const;
  /// True when every record of the open partitions has been delivered.
  bool Drained() const;

  const std::vector<uint64_t>& released_leases() const { return released_; }
  int paused_count() const { return paused_count_; }
  bool closed() const { return closed_; }
  int serve_only_polls() const { return serve_only_polls_; }

  // EventSource.
  absl::Status Poll(absl::Duration max_wait, bool want_records, PollResult& result) override;
  void Release(std::span<const LeasePtr> leases) override;
  absl::Status Pause(const LeasePtr& lease, int64_t from) override;
  absl::Status Resume(const LeasePtr& lease) override;
  std::string GroupMetadata() override { return "generation-1"; }
  void Wake() override {}
  absl::Status Close(absl::Duration timeout) override;

 private:
  struct Log {
    std::vector<FakeRecord> records;
    LeasePtr lease;
    int64_t position = 0;
    bool paused = false;
  };
  using LogKey = std::pair<uint16_t, int32_t>;

  uint32_t TakeSlot();
  std::string TopicOf(uint16_t stream) const;

  const size_t batch_records_;
  const std::vector<std::string> topics_;
  std::map<LogKey, Log> logs_;
  std::vector<PartitionChange> changes_;
  std::vector<uint64_t> released_;
  std::vector<bool> slots_;
  uint64_t next_lease_ = 1;
  int paused_count_ = 0;
  int serve_only_polls_ = 0;
  bool closed_ = false;
};

}  // namespace caracal::pipeline
