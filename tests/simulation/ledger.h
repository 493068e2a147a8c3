#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agents/state/state_digest.h"
#include "pipeline/types/epoch.h"

namespace caracal::pipeline::sim {

/// An alert or dead letter, as it is in its topic.
struct Output {
  OutputKind kind = OutputKind::kAlert;
  int32_t partition = 0;  ///< of the source record
  int64_t offset = 0;     ///< of the source record
  uint32_t sequence = 0;
  std::string key;
  std::string value;

  friend auto operator<=>(const Output&, const Output&) = default;
};

Output OutputOf(const OutputRecord& record);

/// What a fresh, single-threaded run over one partition's whole log gives.
struct Expected {
  std::vector<Output> outputs;  ///< by offset and sequence
  /// By bucket: (offset, digest once everything below the offset is in), increasing.
  std::vector<std::vector<std::pair<int64_t, agents::StateDigest>>> digests;

  agents::StateDigest DigestAt(size_t bucket, int64_t offset) const;
};

/// The invariants of the outputs and offsets: told of every decision that is final in the cluster,
/// compares it with what is expected, and reports the first that is wrong.
class Ledger {
 public:
  using Report = std::function<void(std::string)>;
  /// New offset by partition.
  using Offsets = std::map<int32_t, int64_t>;

  /// `expected` by partition; must outlive this.
  Ledger(const std::vector<Expected>& expected, Report report);

  /// A transaction was decided to be committed: it must move every partition it touches by exactly
  /// the outputs of the records it consumes.
  void OnTransaction(std::span<const Output> outputs, const Offsets& offsets);
  /// An output became visible by itself (at_least_once).
  void OnOutput(const Output& output);
  /// Offsets were committed by themselves: everything below must be visible.
  void OnOffsets(const Offsets& offsets);
  /// An operator has set the offset of a partition back: what follows is emitted once more.
  void OnRewind(int32_t partition, int64_t offset);
  /// A record of a copy of a bucket was written.
  void OnCopyRecord(int32_t partition, int64_t copy_offset);
  /// The state of a bucket that has seen everything below `offset`.
  void OnState(const std::string& where, int32_t partition, uint32_t bucket, int64_t offset,
               const agents::StateDigest& digest);
  /// What a reader of committed records has read, all in all.
  void OnEnd(std::vector<Output> read, bool exactly_once, const std::vector<int64_t>& log_ends);

  int64_t committed(int32_t partition) const { return partitions_[Index(partition)].committed; }

 private:
  struct Partition {
    const Expected* expected = nullptr;
    std::vector<int> visible;   ///< by expected output: how often
    std::vector<int> wanted;    ///< by expected output: 1, and 1 for every rewind below it
    int64_t committed = -1;     ///< -1 = never
    int64_t copies_up_to = -1;  ///< the greatest offset ever committed
  };

  static size_t Index(int32_t partition) { return static_cast<size_t>(partition); }
  /// Index of the expected output; -1 = there is none with these bytes.
  int Find(const Output& output) const;
  /// The expected outputs with begin <= offset < end: a range of indexes.
  static std::pair<size_t, size_t> Range(const Expected& expected, int64_t begin, int64_t end);
  void Move(int32_t partition, int64_t offset);

  std::vector<Partition> partitions_;
  const Report report_;
};

}  // namespace caracal::pipeline::sim
