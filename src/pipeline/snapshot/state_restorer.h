#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "pipeline/base/cell.h"
#include "pipeline/ports/offset_store.h"
#include "pipeline/ports/snapshot_store.h"
#include "pipeline/snapshot/bucket_assembler.h"
#include "pipeline/snapshot/rules_shelf.h"
#include "pipeline/snapshot/snapshot_catalogs.h"
#include "pipeline/snapshot/state_log.h"
#include "pipeline/snapshot/state_topics.h"

namespace caracal::pipeline {

/// What the state topic holds that no state was made of, by reason: its records are replayed.
struct PassedOverProbe {
  Counter damaged;  ///< chunks that were changed or cut off; copies with a wrong digest
  Counter older_format;
  Counter newer_format;
  Counter other_scheme;  ///< chunks made with another hash seed or number of buckets
  Counter no_room;       ///< chunks beyond what a restore may hold
  Counter missed;        ///< buckets with a newer copy than could be put together
};

/// What is counted of restores. Written by the restore thread.
struct RestoreProbe {
  Counter buckets_restored;
  Counter changes_restored;   ///< of these, from a whole copy and changes
  Counter buckets_refused;    ///< copies that were damaged, too new, or of other rules
  Counter buckets_discarded;  ///< copies beyond the committed offset: the group was set back
  Counter bytes_read;
  PassedOverProbe passed_over;
  Counter put_off;  ///< partitions read again, alone: there was no memory to read all together
  /// Of the last restore that says something: bytes_read per second, from the question for the ends
  /// of the logs until the state was there; 0 = none yet.
  Gauge bytes_per_second;

  /// What takes less than this many bytes takes the time of its round trips, not that of its bytes.
  static constexpr uint64_t kTellingBytes = uint64_t{32} << 20;
  /// A restore has read so much in this time.
  void NoteSpeed(uint64_t bytes, absl::Duration took);
};

/// An image to be read.
struct ImageRequest {
  uint16_t stream = 0;
  std::string_view image;
  std::string_view changes;  ///< to `image`, to be read with it; empty = none
  /// The rules' states to be taken over, all of which the image must have; the others start empty.
  std::vector<agents::StateDigest> carried;
  /// The image must be taken over as it is: it was made by the rules in effect.
  bool exact = false;
};
/// Makes a bucket's state from its image; an error when the image is not what is asked for, or for
/// another seed or format.
using ImageReader =
    std::function<absl::StatusOr<std::shared_ptr<agents::BucketState>>(const ImageRequest&)>;

/// One partition of a state topic while it is read: takes its records in log order.
class StateReading {
 public:
  StateReading(RestoreRequest request, AssemblerOptions options)
      : request_(std::move(request)),
        assembler_(std::make_unique<BucketAssembler>(std::move(options))) {}

  /// data() == nullptr is Kafka null: a record without key, a tombstone.
  void Add(std::string_view key, std::string_view value);
  /// Bytes of images and chunks held.
  size_t held_bytes() const { return assembler_->held_bytes(); }
  const RestoreRequest& request() const { return request_; }

 private:
  friend class StateRestorer;

  RestoreRequest request_;
  std::unique_ptr<BucketAssembler> assembler_;
  RulesShelf shelf_;
};

/// Makes of the records of a state topic what a partition goes on from: the newest usable copy of
/// every bucket, by which rules each was made, where the state of every rule begins. Deletes copies
/// beyond the committed offset, and keeps the texts of the rules in the topic.
///
/// Between whatever reads the state topics (KafkaSnapshotLoader) and the port. Restore thread only.
/// Memory of a reading: the newest set of each bucket, a whole copy and changes, which are never
/// larger: twice the budget of a partition and 64 MiB for what is not complete yet, all of it twice
/// where rules have changed. What does not fit is passed over, counted and logged.
class StateRestorer {
 public:
  /// All references must outlive this.
  StateRestorer(const StateTopics& topics, ImageReader read, SnapshotCatalogs& catalogs,
                StateLog& log, RestoreProbe& probe)
      : topics_(topics), read_(std::move(read)), catalogs_(catalogs), log_(log), probe_(probe) {}

  StateReading Begin(const RestoreRequest& request) const;
  /// The end of the partition has been reached. Unavailable = something could not be deleted yet,
  /// or C is no longer what `offsets` say.
  absl::StatusOr<LoadedState> Finish(StateReading reading, OffsetStore& offsets);
  /// As SnapshotLoader::RecordRules.
  absl::Status RecordRules(std::span<const LeasePtr> leases);

 private:
  /// A copy that may be tried, with or without its changes.
  struct Candidate {
    const AssembledSnapshot* copy = nullptr;
    std::string_view changes;
    int64_t offset = 0;
  };

  /// The newest of the bucket's copies that can be used; nullptr = none.
  std::shared_ptr<agents::BucketState> ReadNewest(const RestoreRequest& request,
                                                  const StateHistory& history,
                                                  std::vector<Candidate> candidates,
                                                  int64_t& offset);
  std::shared_ptr<const RestoredState> ReadBuckets(const RestoreRequest& request,
                                                   const StateHistory& history,
                                                   const AssembledState& assembled);
  /// Counts and logs what cannot be used.
  void TellPassedOver(const PartitionLease& lease, const AssembledState& assembled);
  /// Deletes copies beyond an offset: those records will be judged again.
  absl::Status Discard(const RestoreRequest& request, int64_t offset, OffsetStore& offsets,
                       std::map<uint32_t, SnapshotCatalog>& catalogs);

  const StateTopics& topics_;
  const ImageReader read_;
  SnapshotCatalogs& catalogs_;
  StateLog& log_;
  RestoreProbe& probe_;
  std::map<std::pair<uint16_t, int32_t>, RulesShelf> shelves_;  ///< by stream and partition
};

}  // namespace caracal::pipeline
