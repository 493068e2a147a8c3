#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/types/activation.h"
#include "pipeline/types/record_mark.h"

namespace caracal::pipeline {

/// One uninterrupted ownership of one partition by this member: the ownership token that batches
/// and epochs carry. A partition that leaves and comes back has a new lease. Work of a lapsed lease
/// is dropped, never committed.
///
/// Threads: the ingest thread makes leases and lapses them, the restore thread says how far it is;
/// any thread may read. Its two atomics stand for themselves: nothing is read by way of the
/// percent.
class PartitionLease {
 public:
  PartitionLease(uint64_t id, uint16_t stream, std::string topic, int32_t partition, uint32_t slot)
      : id_(id), stream_(stream), partition_(partition), slot_(slot), topic_(std::move(topic)) {}

  /// Unique in the process, increasing.
  uint64_t id() const { return id_; }
  /// Index into the configured streams.
  uint16_t stream() const { return stream_; }
  const std::string& topic() const { return topic_; }
  int32_t partition() const { return partition_; }
  /// Small dense index, reused after the lease has ended: workers address their state by it.
  uint32_t slot() const { return slot_; }

  bool lapsed() const { return lapsed_.load(std::memory_order_acquire); }
  /// Ends the ownership; never undone. Ingest thread only.
  void Lapse() { lapsed_.store(true, std::memory_order_release); }

  /// How much of its saved state has been read back, 0 to 100; -1 = that has not begun.
  int restore_percent() const { return restore_percent_.load(std::memory_order_relaxed); }
  /// Seconds until it has been, as far as the speed so far tells; -1 = not known.
  int64_t restore_eta_seconds() const {
    return restore_eta_seconds_.load(std::memory_order_relaxed);
  }
  void set_restore_progress(int percent, int64_t eta_seconds) {
    restore_percent_.store(percent, std::memory_order_relaxed);
    restore_eta_seconds_.store(eta_seconds, std::memory_order_relaxed);
  }

 private:
  const uint64_t id_;
  const uint16_t stream_;
  const int32_t partition_;
  const uint32_t slot_;
  const std::string topic_;
  std::atomic<bool> lapsed_{false};
  std::atomic<int> restore_percent_{-1};
  std::atomic<int64_t> restore_eta_seconds_{-1};
};

using LeasePtr = std::shared_ptr<PartitionLease>;

/// Where a newly opened partition stands.
struct StartPosition {
  /// A: the first record that may touch state. Records in [replay_from, committed) are replayed:
  /// they change the state and emit nothing.
  int64_t replay_from = 0;
  /// C: the first record that is consumed, counted and dead-lettered.
  int64_t committed = 0;
  /// The first record that may raise an alert; earlier ones warm the state silently.
  int64_t alert_from = 0;
  /// The first record the state rests on; lower than replay_from where copies were read back, or
  /// where retention has passed it.
  int64_t activation = 0;
  /// Identity of the rules in effect.
  std::string rules = {};
  /// What the state rests on, by offset; empty = `rules` at `activation` alone.
  std::vector<Activation> activations = {};
  /// The last record below `committed`.
  RecordMark last = {};
  /// Where the state of a rule begins, of those that begin above replay_from.
  std::vector<StateStart> state_starts = {};
  /// Records between activation and replay_from are gone: state is incomplete.
  bool state_gap = false;
};

}  // namespace caracal::pipeline
