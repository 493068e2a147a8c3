#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipeline/ports/event_source.h"
#include "pipeline/ports/offset_store.h"
#include "pipeline/ports/snapshot_store.h"
#include "pipeline/source/start_position.h"
#include "tests/simulation/process.h"

namespace caracal::pipeline::sim {

/// A member's consumer: the group's protocol as the client library speaks it, the rules of
/// KafkaSource on top of it (a callback returns at once, a revoked partition is given up when it is
/// released or after the grace), and the steps of PartitionRestorer, on a task. Where a partition
/// starts is decided by the product's own start_position.h.
class SimSource : public EventSource {
 public:
  /// An open partition, for checks.
  struct Open {
    LeasePtr lease;
    int64_t next_offset = 0;
    std::vector<int64_t> copies;  ///< by bucket: what its restored copy had seen
  };

  SimSource(Process& process, OffsetStore& offsets, SnapshotLoader& snapshots);

  /// A turn of the client's own thread: heartbeat, join, new assignment.
  void Tick();
  /// The client leaves the group, if its request arrives.
  void Leave();
  /// What the others do while a loop of the application polls without an end of its turn.
  void set_while_polling(std::function<void()> turn) { while_polling_ = std::move(turn); }
  const Transactions::Membership& membership() const { return membership_; }
  std::vector<Open> OpenPartitions() const;

  // EventSource.
  absl::Status Poll(absl::Duration max_wait, bool want_records, PollResult& result) override;
  void Release(std::span<const LeasePtr> leases) override;
  absl::Status Pause(const LeasePtr& /*lease*/, int64_t /*from*/) override { return {}; }
  absl::Status Resume(const LeasePtr& /*lease*/) override { return {}; }
  std::string GroupMetadata() override;
  void Wake() override {}
  absl::Status Close(absl::Duration /*timeout*/) override { return {}; }

  /// A rebalance is under way: offsets must not be committed through the group now.
  bool Rebalancing() const { return rebalancing_; }
  /// The inverse of GroupMetadata.
  static Transactions::Membership ParseMetadata(const std::string& metadata);

 private:
  static constexpr int64_t kGraceMicros = 50'000;

  struct Owned {
    Open open;
    bool opened = false;
  };
  /// What the application is to be told.
  struct Callback {
    bool assign = false;
    bool lost = false;
    std::vector<int32_t> partitions;
  };
  struct Request {
    LeasePtr lease;
    GroupOffset committed;
    StatePlan plan = {};
    LoadedState state = {};
    absl::StatusOr<StartPosition> position = absl::UnavailableError("not tried yet");
  };

  void Rebalance(const Group::Assignment& assignment);
  void LoseAll();
  void ServeCallbacks();
  void OnRevoke(const Callback& callback);
  void OnAssign(const Callback& callback);
  void FinishRevoke();
  absl::Status OpenRestored(PollResult& result);
  void Deliver(PollResult& result);
  uint32_t TakeSlot();

  void RestoreLoop();
  void Restore(std::vector<LeasePtr> leases);
  bool Locate(std::vector<Request>& requests);
  bool ReadCommitted(std::vector<Request>& requests);
  /// What is to be known of the state before it is read; the mark of the last record must be right.
  bool Plan(std::vector<Request>& requests);
  PartitionFacts FactsOf(const Request& request) const;
  bool Record(std::vector<Request>& requests);

  Process& process_;
  World& world_;
  OffsetStore& offsets_;
  SnapshotLoader& snapshots_;

  // The client.
  Transactions::Membership membership_;
  bool must_join_ = true;
  bool joining_ = false;
  std::vector<int32_t> assigned_;  ///< what the group has been told we own
  std::deque<Callback> callbacks_;

  // The application.
  std::function<void()> while_polling_;
  std::map<int32_t, Owned> owned_;
  std::vector<PartitionChange> changes_;
  std::optional<Callback> revoking_;
  int64_t revoke_deadline_us_ = 0;
  bool rebalancing_ = false;
  std::vector<bool> slots_;
  uint64_t next_lease_ = 1;
  std::vector<LeasePtr> to_restore_;
  std::vector<Request> restored_;
};

}  // namespace caracal::pipeline::sim
