#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pipeline/kafka/fetch_waker.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/kafka/log_limits.h"
#include "pipeline/ports/snapshot_store.h"
#include "pipeline/snapshot/snapshot_catalogs.h"
#include "pipeline/snapshot/state_restorer.h"
#include "pipeline/snapshot/state_topic_writer.h"
#include "pipeline/snapshot/state_topics.h"

namespace caracal::pipeline {

/// Reads copies of buckets back from the state topics: from the log start to the high watermark
/// (not to the last stable offset, which an open transaction of another producer could hold back).
///
/// Every partition is finished, and its copies let go, as soon as it is read. Those that are read
/// together hold at most StateTopics::restore_bytes_max: beyond it one goes on, and the others are
/// read again afterwards, one at a time.
///
/// Restore thread only, except Stop. Memory: restore_bytes_max, or what a single partition takes
/// (StateRestorer), and 128 MiB in the client.
class KafkaSnapshotLoader : public SnapshotLoader, private StateLog {
 public:
  /// `catalogs` must outlive the loader.
  static absl::StatusOr<std::unique_ptr<KafkaSnapshotLoader>> Create(StateTopics topics,
                                                                     ImageReader read,
                                                                     SnapshotCatalogs& catalogs);

  absl::StatusOr<std::vector<LoadedState>> Load(std::span<const RestoreRequest> requests,
                                                OffsetStore& offsets) override;
  absl::Status RecordRules(std::span<const LeasePtr> leases) override;
  void Stop() override { stopped_.store(true, std::memory_order_release); }

  const RestoreProbe& probe() const { return probe_; }

 private:
  /// One state partition that is being read.
  struct Reading {
    LeasePtr lease;
    std::optional<StateReading> state;  ///< nullopt: it has been finished
    std::string topic = {};
    int64_t low = 0;
    int64_t next = 0;
    int64_t high = 0;
    bool put_off = false;  ///< there was no room: to be read from `low` on, alone
    LoadedState loaded = {};

    bool active() const { return state.has_value() && !put_off; }
    /// Of the log, in offsets; at least 1.
    int64_t size() const { return std::max<int64_t>(1, high - low); }
    int64_t missing() const { return std::clamp<int64_t>(high - next, 0, size()); }
  };

  KafkaSnapshotLoader(StateTopics topics, ImageReader read, SnapshotCatalogs& catalogs);
  absl::Status Connect();
  absl::StatusOr<std::vector<Reading>> Prepare(std::span<const RestoreRequest> requests);
  absl::StatusOr<std::vector<LogLimits>> ReadLimits(std::span<const RestoreRequest> requests);
  absl::Status Assign(const std::vector<Reading>& readings);
  /// One of those that were put off, when no other is active; false = all are finished.
  static bool Activate(std::vector<Reading>& readings);
  /// Reads until those that are active are finished, or some are put off.
  absl::Status ReadActive(std::vector<Reading>& readings, OffsetStore& offsets);
  absl::Status FinishDone(std::vector<Reading>& readings, OffsetStore& offsets);
  /// Notes, and logs now and then, how far those that are active have come.
  void Tell(const std::vector<Reading>& readings, absl::Time now);
  /// False = there is room for what is held.
  bool PutOff(std::vector<Reading>& readings);
  /// Nothing has come for `silence`. Unavailable when an end has fallen, which an unclean election
  /// can bring about: then there is nothing to wait for.
  absl::Status LookAtEnds(const std::vector<Reading>& readings, absl::Duration silence);
  absl::Status Take(const rd_kafka_message_t& message, std::vector<Reading>& readings);
  // StateLog, for the restorer.
  bool WriteAll(const PartitionLease& lease, std::vector<StateWrite>& writes) override;

  const StateTopics topics_;
  RestoreProbe probe_;
  StateRestorer restorer_;
  KafkaClient client_;
  KafkaQueue queue_;  ///< of client_
  std::optional<FetchWaker> waker_;
  std::unique_ptr<StateTopicWriter> writer_;
  absl::Time began_ = absl::InfinitePast();  ///< the reading under way
  absl::Time told_ = absl::InfiniteFuture();
  std::atomic<bool> stopped_{false};
};

}  // namespace caracal::pipeline
