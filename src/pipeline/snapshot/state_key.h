#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "agents/state/state_digest.h"

namespace caracal::pipeline {

/// Format of the chunks of snapshots: of their keys, their values and the images in them. Raised
/// when one of these changes so that an older reader would misread it.
inline constexpr uint32_t kSnapshotFormat = 1;
/// Format of manifests and texts of rules.
inline constexpr uint32_t kRulesFormat = 1;

/// A bucket: where the state of a part of a source partition belongs.
struct BucketPlace {
  std::string topic;  ///< of the source
  int32_t partition = 0;
  uint32_t bucket = 0;

  friend bool operator==(const BucketPlace&, const BucketPlace&) = default;
};

/// Names one snapshot of a bucket: a whole one, or the changes since a whole one. Ordered by age:
/// the newest is the greatest, and of those of one offset the whole one.
struct SnapshotId {
  static constexpr int64_t kWhole = -1;

  /// o_b: the snapshot holds the effects of all records below this offset and of no other; changes
  /// do so together with their base.
  int64_t offset = 0;
  agents::StateDigest layout;  ///< StateLayout::id
  /// Offset of the whole snapshot, of the same layout, that these are the changes since: below
  /// `offset`; or kWhole.
  int64_t base = kWhole;

  bool is_whole() const { return base == kWhole; }
  /// The whole snapshot that changes belong to.
  SnapshotId BaseId() const { return {base, layout}; }

  friend bool operator==(const SnapshotId&, const SnapshotId&) = default;
  friend auto operator<=>(const SnapshotId& a, const SnapshotId& b) {
    return a.AgeOrder() <=> b.AgeOrder();
  }

 private:
  std::tuple<int64_t, agents::StateDigest, uint64_t> AgeOrder() const {
    return {offset, layout, static_cast<uint64_t>(base)};
  }
};

/// Names one chunk of a snapshot.
struct ChunkKey {
  BucketPlace place;
  SnapshotId snapshot;
  uint32_t index = 0;

  friend bool operator==(const ChunkKey&, const ChunkKey&) = default;
};

/// What the key of a record of the state topic says.
enum class StateKeyKind : uint8_t {
  kChunk,        ///< a chunk of a snapshot, whole or changes, of kSnapshotFormat
  kRules,        ///< a manifest of rules (rules_manifest.h), of kRulesFormat
  kRuleset,      ///< the canonical text of a ruleset, of kRulesFormat
  kOlderFormat,  ///< a chunk of an earlier format
  kNewerFormat,  ///< a chunk of a format this version does not know
  kOtherKind,    ///< another kind of record, or rules of another format
  kMalformed,    ///< not written by Caracal
};

struct StateKey {
  StateKeyKind kind = StateKeyKind::kMalformed;
  ChunkKey chunk;    ///< meaningful for kChunk only
  std::string name;  ///< of kRules and kRuleset: the hash of what the record holds
};

/// Keys of the state topic are text, parts separated by '/'; the first part is the kind of the
/// record, the second its format, in every version. The key of a chunk:
///
///   bucket/1/bank.public.transactions/3/17/4f0c…32 hex digits/99172/0
///   kind, format, topic, partition, bucket, layout, offset, index
///
/// of a snapshot of changes, which has the offset of its base besides:
///
///   changes/1/bank.public.transactions/3/17/4f0c…32 hex digits/99172/101300/0
///   kind, format, topic, partition, bucket, layout, base, offset, index
///
/// and those of what the state was made by, named by hashes of 12 hex digits:
///
///   rules/1/5a0b33c1de02        ruleset/1/9c1e4d20a7b3
///
/// The topic must be a legal Kafka topic name, numbers must not be negative, a base must lie below
/// its changes (CHECK).
std::string FormatChunkKey(const ChunkKey& key);
/// `hash`: of the manifest; the version of the ruleset.
std::string FormatRulesKey(std::string_view hash);
std::string FormatRulesetKey(std::string_view version);
/// The inverse; every chunk has one text. Never fails on any bytes: see StateKeyKind.
StateKey ParseStateKey(std::string_view text);

}  // namespace caracal::pipeline
