#include "agents/ruleset/bucket_restore.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"
#include "agents/ruleset/bucket_image.h"
#include "agents/state/eviction.h"

namespace caracal::agents {
namespace {

/// Where the keys of one group of the layout come from.
struct GroupSource {
  const BucketImage::Group* saved = nullptr;  ///< null: starts empty
  std::vector<RecordPiece> pieces;
  size_t evicted = 0;
};

bool HasGroup(const KeyGroup& group, const BucketImage::Group& saved) {
  return group.key.Id() == saved.key &&
         std::equal(group.slices.begin(), group.slices.end(), saved.slices.begin(),
                    saved.slices.end(), [](const StateSlice& slice, const BucketImage::Slice& was) {
                      return slice.id == was.id && slice.size == was.size;
                    });
}

/// One restoration: matches the image with the layout, decides what has to go, then copies.
class Restorer {
 public:
  Restorer(const CompiledRulesets& rulesets, const BucketLimits& limits, const BucketImage& image,
           std::optional<std::span<const StateDigest>> carried, HugePagePool* pool)
      : rulesets_(rulesets), limits_(limits), image_(image), carried_(carried), pool_(pool) {}

  absl::StatusOr<RestoredContent> Run() {
    RETURN_IF_ERROR(Match());
    PlanEviction();
    RestoredContent content{RowFilter(limits_.rows_per_bucket, pool_), {}, {}};
    if (!content.rows.Restore(image_.rows)) {
      return absl::DataLossError("the image of a bucket names a row twice");
    }
    RETURN_IF_ERROR(RestoreTables(content.tables));
    report_.rows_forgotten = image_.rows.size() / sizeof(uint64_t) - content.rows.size();
    report_.exact = image_.layout == layout().id && report_.slices_new == 0 &&
                    report_.keys_evicted == 0 && report_.rows_forgotten == 0;
    content.report = report_;
    return content;
  }

 private:
  const StateLayout& layout() const { return rulesets_.layout(); }

  absl::Status Match() {
    const std::vector<KeyGroup>& groups = layout().groups;
    if (image_.layout == layout().id &&
        !std::equal(groups.begin(), groups.end(), image_.groups.begin(), image_.groups.end(),
                    HasGroup)) {
      return absl::DataLossError(
          "the image of a bucket claims the layout of the rules and has another");
    }
    size_t slices_known = 0;
    size_t keys_carried = 0;
    for (const KeyGroup& group : groups) {
      slices_known += group.slices.size();
      ASSIGN_OR_RETURN(GroupSource source, SourceOf(group));
      if (source.saved != nullptr) keys_carried += source.saved->keys.keys();
      sources_.push_back(std::move(source));
    }
    report_.slices_new = slices_known - report_.slices_carried;
    for (const BucketImage::Group& saved : image_.groups) {
      report_.slices_dropped += saved.slices.size();
      report_.keys_dropped += saved.keys.keys();
    }
    report_.slices_dropped -= report_.slices_carried;
    report_.keys_dropped -= keys_carried;
    return absl::OkStatus();
  }

  absl::StatusOr<GroupSource> SourceOf(const KeyGroup& group) {
    GroupSource source;
    const auto saved = std::find_if(
        image_.groups.begin(), image_.groups.end(),
        [id = group.key.Id()](const BucketImage::Group& candidate) { return candidate.key == id; });
    if (saved == image_.groups.end()) return source;
    // The id of a slice covers its key: it is in this group or nowhere.
    std::map<StateDigest, const StateSlice*> known;
    for (const StateSlice& slice : group.slices) {
      if (IsCarried(slice.id)) known[slice.id] = &slice;
    }
    for (const BucketImage::Slice& slice : saved->slices) {
      const auto found = known.find(slice.id);
      if (found == known.end()) continue;
      if (found->second->size != slice.size) {
        return absl::DataLossError(
            fmt::format("the image of a bucket has {} bytes where a rule's state has {}",
                        slice.size, found->second->size));
      }
      AppendPiece({slice.offset, found->second->offset, slice.size}, source.pieces);
      ++report_.slices_carried;
    }
    if (!source.pieces.empty()) source.saved = &*saved;
    return source;
  }

  bool IsCarried(const StateDigest& id) const {
    return !carried_.has_value() ||
           std::find(carried_->begin(), carried_->end(), id) != carried_->end();
  }

  /// Decides which keys have no room: as if all were restored first.
  void PlanEviction() {
    uint64_t used = RowFilter::MaxBytes(limits_.rows_per_bucket);
    for (uint32_t g = 0; g < sources_.size(); ++g) used += KeysOf(g) * BytesPerKey(g);
    if (used <= limits_.max_bytes) return;
    const std::vector<EvictionRank> ranks = SortedRanks();
    size_t gone = 0;
    while (used > limits_.max_bytes) {
      const size_t end = gone + EvictionStep(ranks.size() - gone);
      for (; gone < end; ++gone) {
        used -= BytesPerKey(ranks[gone].table);
        ++sources_[ranks[gone].table].evicted;
      }
    }
    evict_up_to_ = ranks[gone - 1];
    report_.keys_evicted = gone;
  }

  std::vector<EvictionRank> SortedRanks() const {
    size_t keys = 0;
    for (uint32_t g = 0; g < sources_.size(); ++g) keys += KeysOf(g);
    std::vector<EvictionRank> ranks;
    ranks.reserve(keys);
    for (uint32_t g = 0; g < sources_.size(); ++g) {
      if (sources_[g].saved == nullptr) continue;
      sources_[g].saved->keys.ForEachRank([&ranks, g](int64_t newest_us, const auto& order) {
        ranks.push_back({newest_us, order, g});
      });
    }
    std::sort(ranks.begin(), ranks.end());
    return ranks;
  }

  absl::Status RestoreTables(std::vector<KeyTable>& tables) const {
    tables.reserve(sources_.size());
    for (uint32_t g = 0; g < sources_.size(); ++g) {
      const GroupSource& source = sources_[g];
      KeyTable& table = tables.emplace_back(layout().groups[g].record, pool_);
      if (source.saved == nullptr) continue;
      RETURN_IF_ERROR(source.saved->keys.Restore({.hash_seed = rulesets_.hash_seed(),
                                                  .pieces = source.pieces,
                                                  .evict_up_to = evict_up_to_,
                                                  .table = g,
                                                  .evicted = source.evicted},
                                                 table));
    }
    return absl::OkStatus();
  }

  size_t KeysOf(uint32_t group) const {
    return sources_[group].saved == nullptr ? 0 : sources_[group].saved->keys.keys();
  }
  size_t BytesPerKey(uint32_t group) const {
    return KeyTable::BytesPerKey(layout().groups[group].record);
  }

  const CompiledRulesets& rulesets_;
  const BucketLimits& limits_;
  const BucketImage& image_;
  const std::optional<std::span<const StateDigest>> carried_;
  HugePagePool* const pool_;
  std::vector<GroupSource> sources_;  // by group of the layout
  std::optional<EvictionRank> evict_up_to_;
  RestoreReport report_;
};

}  // namespace

absl::StatusOr<RestoredContent> RestoreBucket(const CompiledRulesets& rulesets,
                                              const BucketLimits& limits, uint32_t buckets,
                                              std::string_view image,
                                              std::optional<std::span<const StateDigest>> carried,
                                              HugePagePool* pool) {
  ASSIGN_OR_RETURN(const BucketImage taken_apart, BucketImage::Read(image));
  if (taken_apart.seed_fingerprint != BucketImage::SeedFingerprint(rulesets.hash_seed())) {
    return absl::FailedPreconditionError(
        "the image of a bucket was made with another hash seed: its keys are in other buckets");
  }
  if (taken_apart.buckets != buckets) {
    return absl::FailedPreconditionError(
        fmt::format("the image of a bucket was made with {} buckets per partition, now there are "
                    "{}: its keys are in other buckets",
                    taken_apart.buckets, buckets));
  }
  return Restorer(rulesets, limits, taken_apart, carried, pool).Run();
}

}  // namespace caracal::agents
