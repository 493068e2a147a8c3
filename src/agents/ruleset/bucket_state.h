#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/ruleset/bucket_limits.h"
#include "agents/ruleset/bucket_restore.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/state/key_table.h"
#include "agents/state/row_filter.h"
#include "agents/state/state_digest.h"

namespace caracal::agents {

struct RestoredBucket;

/// Everything the engine remembers of one bucket of one partition, for one set of compiled
/// rulesets: the rows seen last and one key table per distinct rule key. Buckets share nothing, so
/// each is a function of its own records in log order: the unit of state, snapshot and restore.
///
/// Bounded by bytes: the row filter counts with the most it can take, every key with
/// KeyTable::BytesPerKey, a function of the layout, so that a restored bucket evicts where the
/// original did. Allocation follows content and may exceed that by the unused part of each table's
/// last block (below half of the table while it is under 64 KiB, at most 64 KiB above). When
/// full, EvictOldest makes room. One worker at a time.
class BucketState {
 public:
  /// `limits.max_bytes` must be at least MinBytes (CHECK; the configuration is to be checked
  /// before).
  /// `pool` null = memory from the heap; else it must outlive the bucket.
  BucketState(std::shared_ptr<const CompiledRulesets> rulesets, const BucketLimits& limits,
              HugePagePool* pool = nullptr);

  /// The bucket of an image: as RestoreBucket, with its errors. From then on it does what the saved
  /// one would have done, as far as the report says that the image was restored exactly. `limits`
  /// and `pool` as for the constructor; `buckets`: per partition. An image and changes since: see
  /// BucketImage::WithChanges.
  static absl::StatusOr<RestoredBucket> Parse(
      std::shared_ptr<const CompiledRulesets> rulesets, const BucketLimits& limits,
      uint32_t buckets, std::string_view image,
      std::optional<std::span<const StateDigest>> carried = std::nullopt,
      HugePagePool* pool = nullptr);
  /// Appends the image (BucketImage) of this bucket, one of `buckets` per partition. Buckets with
  /// equal digests have equal images.
  void AppendTo(uint32_t buckets, std::string& out) const;

  /// What changes from here on can be saved as changes to the image of now, until a key is evicted
  /// or the bucket marked truncated. Takes 8 bytes per key that is touched since.
  void BeginChanges();
  /// Bytes that AppendChangesTo appends; nullopt: only the whole image says what the bucket is.
  std::optional<size_t> ChangesBytes() const;
  /// Appends the image of the changes since BeginChanges (BucketImage::WithChanges); ChangesBytes
  /// has a value (CHECK). Equal buckets that began with equal images have equal ones.
  void AppendChangesTo(uint32_t buckets, std::string& out) const;

  /// The least a bucket works with: the row filter and sixteen keys per distinct rule key.
  static size_t MinBytes(const CompiledRulesets& rulesets, uint32_t rows_per_bucket);

  RowFilter& rows() { return rows_; }
  KeyTable& table(size_t group) { return tables_[group]; }
  const CompiledRulesets& rulesets() const { return *rulesets_; }

  /// Keys worth `bytes` (KeyTable::BytesPerKey) fit in without an eviction.
  bool HasRoomFor(size_t bytes) const { return used_bytes_ + bytes <= limits_.max_bytes; }
  /// The record of a key of a group, made if need be; there must be room (CHECK when it is made).
  KeyTable::Handle FindOrInsert(size_t group, const TableKey& key);
  /// Evicts the oldest sixteenth of all keys, see EvictOldestSixteenth. Ends the validity of all
  /// handles of this bucket.
  void EvictOldest();

  /// Records that belong to it are lost: what it knows of any key, present or to come, may be too
  /// little, as after an eviction. Saved with it; never undone.
  void MarkTruncated() {
    for (KeyTable& table : tables_) table.MarkTruncated();
  }

  size_t keys() const;
  /// Bytes allocated.
  size_t bytes() const;
  /// Bytes counted against max_bytes.
  size_t used_bytes() const { return used_bytes_; }
  /// Keys evicted so far.
  uint64_t evictions() const;
  /// Of the layout, the rows and the tables: equal for buckets that mean the same, however they
  /// came to be. For tests and audits: sorts the keys.
  StateDigest Digest() const;

 private:
  BucketState(std::shared_ptr<const CompiledRulesets> rulesets, const BucketLimits& limits,
              RestoredContent content);

  size_t UsedBytes() const;

  std::shared_ptr<const CompiledRulesets> rulesets_;
  BucketLimits limits_;
  RowFilter rows_;
  std::vector<KeyTable> tables_;  // by group
  size_t used_bytes_ = 0;
  bool has_begun_changes_ = false;
};

/// A bucket read from an image, and what became of the image.
struct RestoredBucket {
  BucketState state;
  RestoreReport report;
};

}  // namespace caracal::agents
