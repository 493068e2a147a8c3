#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/base/cell.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/ports/snapshot_store.h"
#include "pipeline/snapshot/bucket_assembler.h"
#include "pipeline/snapshot/snapshot_catalogs.h"
#include "pipeline/snapshot/state_topics.h"

namespace caracal::pipeline {

/// What is counted of restores. Written by the restore thread.
struct RestoreProbe {
  Counter buckets_restored;
  Counter buckets_refused;  ///< copies that were damaged, too new, or of other rules
  Counter bytes_read;
};

/// Makes a bucket's state from its image, for a stream; an error when the image is not for this
/// process's rules, seed or format.
using ImageReader = std::function<absl::StatusOr<std::shared_ptr<agents::BucketState>>(
    uint16_t stream, std::string_view image)>;

/// Reads copies of buckets back from the state topics: from the log start to the high watermark
/// (not to the last stable offset, which an open transaction of another producer could hold back).
///
/// Restore thread only, except Stop. Memory: the newest set of each bucket of the partitions that
/// are restored together.
class KafkaSnapshotLoader : public SnapshotLoader {
 public:
  /// `catalogs` must outlive the loader.
  static absl::StatusOr<std::unique_ptr<KafkaSnapshotLoader>> Create(StateTopics topics,
                                                                     ImageReader read,
                                                                     SnapshotCatalogs& catalogs);

  absl::StatusOr<std::vector<std::shared_ptr<const RestoredState>>> Load(
      std::span<const RestoreRequest> requests) override;
  void Stop() override { stopped_.store(true, std::memory_order_release); }

  const RestoreProbe& probe() const { return probe_; }

 private:
  /// One state partition that is being read.
  struct Reading {
    const RestoreRequest* request = nullptr;
    std::string topic;
    int64_t low = 0;
    int64_t high = 0;
    bool done = false;
    std::unique_ptr<BucketAssembler> assembler;
  };

  KafkaSnapshotLoader(StateTopics topics, ImageReader read, SnapshotCatalogs& catalogs);
  absl::Status Connect();
  absl::StatusOr<std::vector<Reading>> Prepare(std::span<const RestoreRequest> requests);
  absl::Status Assign(const std::vector<Reading>& readings);
  absl::Status ReadAll(std::vector<Reading>& readings);
  absl::Status Take(const rd_kafka_message_t& message, std::vector<Reading>& readings);
  std::shared_ptr<const RestoredState> Finish(Reading& reading);

  const StateTopics topics_;
  const ImageReader read_;
  SnapshotCatalogs& catalogs_;
  RestoreProbe probe_;
  KafkaClient client_;
  std::atomic<bool> stopped_{false};
};

}  // namespace caracal::pipeline
