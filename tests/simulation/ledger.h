#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agents/state/state_digest.h"
#include "pipeline/types/activation.h"
#include "tests/simulation/expected.h"

namespace caracal::pipeline::sim {

/// An offset as the group coordinator keeps it.
struct GroupOffset {
  int64_t offset = -1;
  std::string metadata;
};

/// What the ledger has to know of the rest of the world.
struct LedgerWorld {
  std::function<void(std::string)> report;
  /// The text of a ruleset is in the partition's state topic under its version.
  std::function<bool(int32_t partition, const std::string& version)> has_text;
  /// The manifest of these rules is, and all their texts.
  std::function<bool(int32_t partition, const std::string& rules)> has_rules;
  /// A process with these rules is alive.
  std::function<bool(const std::string& rules)> is_running;
};

/// The invariants of the outputs, offsets and activations: told of every decision that is final in
/// the cluster, compares it with what is expected, and reports the first that is wrong.
///
/// Keeps an account of its own of which rules are in effect where. They change only where a member
/// says so with the committed offset as it is: from there on, what is expected is another run.
class Ledger {
 public:
  /// What is committed, by partition.
  using Offsets = std::map<int32_t, GroupOffset>;

  /// `judgements` must outlive this.
  Ledger(int32_t partitions, Judgements& judgements, LedgerWorld world);

  /// A transaction was decided to be committed: it must move every partition it touches by exactly
  /// the outputs of the records it consumes.
  void OnTransaction(std::span<const Output> outputs, const Offsets& offsets);
  /// An output became visible by itself (at_least_once): it may come from an owner before, whose
  /// rules are no longer in effect.
  void OnOutput(const Output& output);
  /// Offsets were committed by themselves: everything below must be visible.
  void OnOffsets(const Offsets& offsets);
  /// An operator has set the offset of a partition back: what follows is emitted once more.
  /// Activations beyond it are forgotten; without our metadata, all of them.
  void OnRewind(int32_t partition, const GroupOffset& set);
  /// A record of a copy of a bucket was written.
  void OnCopyRecord(int32_t partition, int64_t copy_offset);
  /// The state of a bucket that has seen everything below `offset`, of an owner whose partition
  /// rests on what gives `expected`.
  void OnState(const std::string& where, const Expected& expected, int32_t partition,
               uint32_t bucket, int64_t offset, const agents::StateDigest& digest);
  /// What a reader of committed records has read, all in all.
  void OnEnd(std::vector<Output> read, bool exactly_once, const std::vector<int64_t>& log_ends);

  int64_t committed(int32_t partition) const { return partitions_[Index(partition)].committed; }
  /// By the rules in effect; null = none are.
  const Expected* expected(int32_t partition) const {
    return partitions_[Index(partition)].expected;
  }
  /// How often other rules took effect, and how often although a process with the rules before was
  /// alive.
  uint64_t activations() const { return activations_; }
  uint64_t takeovers() const { return takeovers_; }

 private:
  struct Times {
    int visible = 0;
    int passed = 0;  ///< the committed offset has gone over it while it was expected
  };
  struct Partition {
    Judgements::Activations activations;  ///< empty = no rules are in effect
    const Expected* expected = nullptr;   ///< by these
    std::set<const Expected*> ever_expected;
    std::map<Output, Times> outputs;
    int64_t committed = -1;     ///< -1 = never
    int64_t copies_up_to = -1;  ///< the greatest offset ever committed
  };

  static size_t Index(int32_t partition) { return static_cast<size_t>(partition); }
  Partition& Of(int32_t partition) { return partitions_[Index(partition)]; }
  static bool Has(const Expected* expected, const Output& output);
  void Note(const Output& output, bool expected);
  /// The expected outputs from the committed offset up to `end`.
  static std::span<const Output> Passed(const Partition& partition, int64_t end);
  void Move(int32_t partition, int64_t offset);
  /// Whether the rules that go with a commit are, or may now become, those in effect.
  bool TakeRules(int32_t partition, const GroupOffset& commit, bool may_activate);
  void CheckRecorded(int32_t partition, const Judgements::Activations& recorded);
  void CheckText(const Output& output);

  std::vector<Partition> partitions_;
  Judgements& judgements_;
  const LedgerWorld world_;
  uint64_t activations_ = 0;
  uint64_t takeovers_ = 0;
};

}  // namespace caracal::pipeline::sim
