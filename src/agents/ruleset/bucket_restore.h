#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/ruleset/bucket_limits.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/state/key_table.h"
#include "agents/state/row_filter.h"
#include "agents/state/state_digest.h"

namespace caracal::agents {

/// What became of an image under the rules and limits it was read with.
struct RestoreReport {
  /// Image and rules have one layout, and everything fitted: the bucket is the saved one.
  bool exact = false;
  size_t slices_carried = 0;  ///< rules whose state was taken over
  size_t slices_dropped = 0;  ///< in the image, unknown to the rules
  size_t slices_new = 0;      ///< rules that start empty
  size_t keys_dropped = 0;    ///< keys of which no rule's state was taken over
  size_t keys_evicted = 0;    ///< keys beyond the limits
  size_t rows_forgotten = 0;  ///< rows beyond the limits
};

/// The content of a bucket, read from an image.
struct RestoredContent {
  RowFilter rows;
  std::vector<KeyTable> tables;  ///< by group of the layout
  RestoreReport report;
};

/// Reads an image (BucketImage) for the rules of `rulesets`. A function of its arguments alone:
/// state that was carried over is the same on every host and after every restart.
///
/// Rules' state is recognised by StateSlice::id: known slices are copied, unknown ones dropped, new
/// ones start zeroed. A group of which at least one slice is known keeps its keys with their times
/// and marks, and its evictions; any other starts empty. What exceeds `limits` is evicted as
/// EvictOldestSixteenth would, and the oldest rows are forgotten.
///
/// FailedPrecondition: another format, hash seed or number of buckets; the image is good for
/// others. DataLoss: no bucket has such an image. Records are the agents' own bytes and are taken
/// as they are. Memory: what `limits` allow and, only when keys have to be evicted, 32 bytes per
/// key of the image.
///
/// `carried` empty (nullopt) = every known slice is taken over; else those with these ids alone:
/// others start zeroed, also where the image has them, and the report counts them as new. `pool` as
/// for BucketState.
absl::StatusOr<RestoredContent> RestoreBucket(
    const CompiledRulesets& rulesets, const BucketLimits& limits, uint32_t buckets,
    std::string_view image, std::optional<std::span<const StateDigest>> carried = std::nullopt,
    HugePagePool* pool = nullptr);

}  // namespace caracal::agents
