#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/ports/event_source.h"
#include "pipeline/source/group_offsets.h"
#include "pipeline/source/join_watch.h"
#include "pipeline/source/kafka_record_batch.h"
#include "pipeline/source/kafka_record_reader.h"
#include "pipeline/source/partition_restorer.h"
#include "pipeline/source/record_queues.h"
#include "pipeline/source/source_options.h"
#include "pipeline/source/source_probe.h"

namespace caracal::pipeline {

/// Reads the partitions the consumer group gives this member (cooperative-sticky, librdkafka's C
/// API).
///
/// Rebalances and errors stay on the group's own queue, which every Poll serves, so that the group
/// is alive while the pipeline is full; records of open partitions are forwarded to RecordQueues,
/// which a full pipeline simply does not read (librdkafka then stops fetching).
///
/// A newly assigned partition is paused at a placeholder offset inside the callback, which returns
/// at once; the restorer finds its start on another thread; the next Poll seeks, forwards and
/// resumes it, and reports it open. Records of partitions that are not open, or below the next
/// expected offset, are discarded and counted.
///
/// Threads: all calls on the ingest thread, except Wake() and the OffsetStore. Bounds: librdkafka's
/// queue (SourceOptions), one batch per poll.
class KafkaSource : public EventSource {
 public:
  /// `snapshots` must outlive the source; null = state is always rebuilt by replay.
  static absl::StatusOr<std::unique_ptr<KafkaSource>> Create(SourceOptions options,
                                                             SnapshotLoader* snapshots);
  ~KafkaSource() override;

  /// Joins the group. Records follow once the group has assigned partitions.
  absl::Status Start();

  absl::Status Poll(absl::Duration max_wait, bool want_records, PollResult& result) override;
  void Release(std::span<const LeasePtr> leases) override;
  absl::Status Pause(const LeasePtr& lease, int64_t from) override;
  absl::Status Resume(const LeasePtr& lease) override;
  std::string GroupMetadata() override;
  void Wake() override;
  absl::Status Close(absl::Duration timeout) override;

  /// Where at_least_once commits. Lives as long as the source.
  OffsetStore& offset_store() { return *offsets_; }
  const SourceProbe& probe() const { return probe_; }
  /// The owned partitions whose start is not known yet. Any thread.
  std::vector<LeasePtr> Restoring() const { return restorer_->Restoring(); }
  /// Log end of an owned partition as last seen by the client; -1 = unknown. Any thread.
  int64_t HighWatermark(const std::string& topic, int32_t partition) const;

 private:
  struct OwnedPartition {
    LeasePtr lease;
    KafkaQueue queue;
    bool open = false;    ///< its start is known and its records are wanted
    bool paused = false;  ///< by Pause()
    bool behind = true;   ///< its records come behind those of others
    int64_t next_offset = 0;
  };
  using PartitionKey = std::pair<std::string, int32_t>;

  KafkaSource(SourceOptions options, SnapshotLoader* snapshots);
  absl::Status Connect();

  static void OnRebalance(rd_kafka_t* client, rd_kafka_resp_err_t error,
                          rd_kafka_topic_partition_list_t* partitions, void* opaque);
  /// Before each change of the assignment: the leases must be those of the member that the group
  /// knows now.
  void CheckMember();
  void OnAssign(rd_kafka_topic_partition_list_t* partitions);
  void OnRevoke(const rd_kafka_topic_partition_list_t* partitions);
  /// What the group gives while the member stops: taken, so that it can be given back.
  void TakeForClosing(rd_kafka_topic_partition_list_t* partitions);
  /// Leaves the group before the consumer is closed: librdkafka 2.0.2 never ends a close that finds
  /// an assignment on its way (librdkafka issue 4527).
  void Leave(absl::Time deadline);
  void Unassign(const rd_kafka_topic_partition_list_t* partitions);
  /// Gives revoked partitions up when their epoch has ended or the grace is over.
  void FinishRevoke(bool released);
  /// After a rebalance, reads the open partitions again from the next expected offset.
  /// librdkafka 2.0.2 pauses every partition around a rebalance, on a thread of its own: a batch
  /// read that is under way then drops messages which count as read (librdkafka issue 4208), and
  /// nothing else brings them back.
  absl::Status ReadOn();

  absl::Status ServeGroup(int timeout_ms);
  absl::Status HandleGroupMessage(const rd_kafka_message_t& message);
  absl::Status OpenRestored(PollResult& result);
  absl::Status Open(OwnedPartition& partition, const StartPosition& position);
  /// Sets the gauges of assigned and open partitions.
  void ShowOwned();
  absl::Status SeekTo(const PartitionLease& lease, int64_t offset);
  /// Of the first `count` of polled_.
  void Collect(size_t count, PollResult& result);
  /// Some partition is.
  bool IsUpToDate() const;
  /// Ends the time of all partitions that are behind when each is near to the log end.
  void MoveUp();
  absl::Status CollectError(const rd_kafka_message_t& message);
  OwnedPartition* Find(const rd_kafka_message_t& message);
  OwnedPartition* Find(const PartitionLease& lease);
  uint32_t TakeSlot();

  const SourceOptions options_;
  SnapshotLoader* const snapshots_;
  SourceProbe probe_;
  std::unique_ptr<JoinWatch> joins_;
  KafkaClient client_;
  std::unique_ptr<GroupOffsets> offsets_;
  KafkaRecordReader records_;
  KafkaQueue group_queue_;
  std::optional<RecordQueues> queues_;
  std::unique_ptr<PartitionRestorer> restorer_;

  std::map<PartitionKey, OwnedPartition> owned_;
  std::string member_id_;  ///< under which the group gave them; empty = none, or not known
  std::vector<PartitionChange> changes_;
  KafkaPartitionList revoking_;  ///< null = no revoke under way
  absl::Time revoke_deadline_ = absl::InfiniteFuture();
  bool reads_on_ = false;    ///< the assignment has changed since the open partitions were sought
  std::vector<bool> slots_;  ///< in use
  uint64_t next_lease_id_ = 1;
  bool member_ = false;         ///< has asked to join
  bool assigned_once_ = false;  ///< has served a rebalance
  bool joins_again_ = false;    ///< after the next assignment, which follows what was revoked
  bool left_ = false;           ///< Close has succeeded
  bool closing_ = false;
  absl::Status fatal_ = absl::OkStatus();
  std::vector<rd_kafka_message_t*> polled_;
  // One-entry cache: records of a partition arrive in runs.
  const rd_kafka_topic_t* last_topic_ = nullptr;
  int32_t last_partition_ = -1;
  OwnedPartition* last_owned_ = nullptr;
};

}  // namespace caracal::pipeline
