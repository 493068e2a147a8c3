#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/base/cell.h"
#include "pipeline/kafka/handles.h"
#include "pipeline/ports/snapshot_store.h"
#include "pipeline/snapshot/bucket_assembler.h"
#include "pipeline/snapshot/rules_shelf.h"
#include "pipeline/snapshot/snapshot_catalogs.h"
#include "pipeline/snapshot/state_topic_writer.h"
#include "pipeline/snapshot/state_topics.h"

namespace caracal::pipeline {

/// What is counted of restores. Written by the restore thread.
struct RestoreProbe {
  Counter buckets_restored;
  Counter buckets_refused;    ///< copies that were damaged, too new, or of other rules
  Counter buckets_discarded;  ///< copies beyond the committed offset: the group was set back
  Counter bytes_read;
};

/// An image to be read.
struct ImageRequest {
  uint16_t stream = 0;
  std::string_view image;
  /// The rules' states to be taken over, all of which the image must have; the others start empty.
  std::vector<agents::StateDigest> carried;
  /// The image must be taken over as it is: it was made by the rules in effect.
  bool exact = false;
};
/// Makes a bucket's state from its image; an error when the image is not what is asked for, or for
/// another seed or format.
using ImageReader =
    std::function<absl::StatusOr<std::shared_ptr<agents::BucketState>>(const ImageRequest&)>;

/// Reads copies of buckets back from the state topics: from the log start to the high watermark
/// (not to the last stable offset, which an open transaction of another producer could hold back).
///
/// Restore thread only, except Stop. Memory: the newest set of each bucket of the partitions that
/// are restored together, twice where rules have changed.
class KafkaSnapshotLoader : public SnapshotLoader {
 public:
  /// `catalogs` must outlive the loader.
  static absl::StatusOr<std::unique_ptr<KafkaSnapshotLoader>> Create(StateTopics topics,
                                                                     ImageReader read,
                                                                     SnapshotCatalogs& catalogs);

  absl::StatusOr<std::vector<LoadedState>> Load(std::span<const RestoreRequest> requests) override;
  absl::Status RecordRules(std::span<const LeasePtr> leases) override;
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
    RulesShelf shelf;
  };

  KafkaSnapshotLoader(StateTopics topics, ImageReader read, SnapshotCatalogs& catalogs);
  absl::Status Connect();
  absl::StatusOr<std::vector<Reading>> Prepare(std::span<const RestoreRequest> requests);
  absl::Status Assign(const std::vector<Reading>& readings);
  absl::Status ReadAll(std::vector<Reading>& readings);
  absl::Status Take(const rd_kafka_message_t& message, std::vector<Reading>& readings);
  AssemblerOptions OptionsFor(const RestoreRequest& request) const;
  absl::StatusOr<LoadedState> Finish(Reading& reading);
  /// The newest of the bucket's copies (at most one per layout) that can be used; nullptr = none.
  std::shared_ptr<agents::BucketState> ReadNewest(const RestoreRequest& request,
                                                  const StateHistory& history,
                                                  std::vector<const AssembledSnapshot*> copies,
                                                  int64_t& offset);
  std::shared_ptr<const RestoredState> ReadBuckets(const RestoreRequest& request,
                                                   const StateHistory& history,
                                                   const AssembledState& assembled);
  /// Deletes what lies beyond the committed offset: those records will be judged again.
  absl::Status Discard(const Reading& reading, std::map<uint32_t, SnapshotCatalog>& catalogs);

  const StateTopics topics_;
  const ImageReader read_;
  SnapshotCatalogs& catalogs_;
  RestoreProbe probe_;
  KafkaClient client_;
  std::unique_ptr<StateTopicWriter> writer_;
  std::map<std::pair<uint16_t, int32_t>, RulesShelf> shelves_;  ///< by stream and partition
  std::atomic<bool> stopped_{false};
};

}  // namespace caracal::pipeline
