#include "tests/simulation/ledger.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "pipeline/types/offset_metadata.h"

namespace caracal::pipeline::sim {
namespace {

constexpr std::string_view kVersionField = R"("ruleset_version":")";
constexpr size_t kVersionDigits = 12;

std::string Name(const Output& output) {
  return fmt::format("{} of {}/{}", output.kind == OutputKind::kAlert ? "alert" : "dead letter",
                     output.partition, output.offset);
}

std::string TextOf(const Judgements::Activations& activations) {
  std::string text;
  for (const Activation& entry : activations) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", entry.offset, entry.rules);
  }
  return text;
}

bool Before(const Output& a, const Output& b) {
  return std::tie(a.offset, a.kind, a.sequence) < std::tie(b.offset, b.kind, b.sequence);
}

}  // namespace

Ledger::Ledger(int32_t partitions, Judgements& judgements, LedgerWorld world)
    : partitions_(static_cast<size_t>(partitions)),
      judgements_(judgements),
      world_(std::move(world)) {}

bool Ledger::Has(const Expected* expected, const Output& output) {
  if (expected == nullptr) return false;
  const std::vector<Output>& outputs = expected->outputs;
  const auto found = std::lower_bound(outputs.begin(), outputs.end(), output, Before);
  return found != outputs.end() && *found == output;
}

std::span<const Output> Ledger::Passed(const Partition& partition, int64_t end) {
  if (partition.expected == nullptr) return {};
  const auto below = [](const Output& output, int64_t offset) { return output.offset < offset; };
  const auto& outputs = partition.expected->outputs;
  const auto from = std::lower_bound(outputs.begin(), outputs.end(), partition.committed, below);
  const auto to = std::lower_bound(outputs.begin(), outputs.end(), end, below);
  if (from >= to) return {};
  return {from, to};
}

void Ledger::Move(int32_t partition, int64_t offset) {
  Partition& entry = Of(partition);
  if (offset <= entry.committed) {
    world_.report(fmt::format("partition {}: offset {} committed after {}", partition, offset,
                              entry.committed));
  }
  for (const Output& output : Passed(entry, offset)) entry.outputs[output].passed += 1;
  entry.committed = offset;
  entry.copies_up_to = std::max(entry.copies_up_to, offset);
}

bool Ledger::TakeRules(int32_t partition, const GroupOffset& commit, bool may_activate) {
  Partition& entry = Of(partition);
  const auto recorded = ParseOffsetMetadata(commit.metadata);
  if (!recorded.ok()) {
    world_.report(fmt::format("partition {}: committed with '{}'", partition, commit.metadata));
    return false;
  }
  Judgements::Activations& known = entry.activations;
  const std::string& rules = recorded->rules;
  if (known.empty() || known.back().rules != rules) {
    if (!may_activate || (entry.committed >= 0 && commit.offset != entry.committed)) {
      world_.report(fmt::format("partition {}: moved to {} by rules {} where {} are in effect",
                                partition, commit.offset, rules, TextOf(known)));
      return false;
    }
    // A fresh partition's rules are recorded with its first offset, and written afterwards.
    if (entry.committed >= 0 && !world_.has_rules(partition, rules)) {
      world_.report(
          fmt::format("partition {}: rules {} take effect at {} and are not in the state "
                      "topic",
                      partition, rules, commit.offset));
    }
    if (!known.empty()) {
      activations_ += 1;
      takeovers_ += world_.is_running(known.back().rules) ? 1 : 0;
    }
    // No record was judged by what was activated here.
    while (!known.empty() && known.back().offset >= commit.offset) known.pop_back();
    if (known.empty()) {
      known.push_back({0, rules});
    } else if (known.back().rules != rules) {
      known.push_back({commit.offset, rules});
    }
    entry.expected = &judgements_.Of(partition, known);
    entry.ever_expected.insert(entry.expected);
  }
  CheckRecorded(partition, ActivationsOf(*recorded));
  return true;
}

void Ledger::CheckRecorded(int32_t partition, const Judgements::Activations& recorded) {
  const Judgements::Activations& known = Of(partition).activations;
  // Where there are many, the first ones may be forgotten.
  const bool all =
      known.size() == recorded.size() ||
      (known.size() > recorded.size() && known.size() > OffsetMetadata::kActivationsMax / 2);
  if (all && std::equal(recorded.rbegin(), recorded.rend(), known.rbegin())) return;
  world_.report(fmt::format("partition {}: activations {} are recorded, not {}", partition,
                            TextOf(recorded), TextOf(known)));
}

void Ledger::OnTransaction(std::span<const Output> outputs, const Offsets& offsets) {
  std::map<int32_t, size_t> unaccounted;
  for (const Output& output : outputs) {
    Note(output, Has(Of(output.partition).expected, output));
    unaccounted[output.partition] += 1;
  }
  for (const auto& [partition, commit] : offsets) {
    const Partition& entry = Of(partition);
    const int64_t offset = commit.offset;
    if (!TakeRules(partition, commit, /*may_activate=*/false)) continue;
    // Late offsets of a transaction that is through begin another one, which a repeated end then
    // commits: the same offset once more, and nothing else.
    if (offset == entry.committed && unaccounted[partition] == 0) continue;
    const std::span<const Output> passed = Passed(entry, offset);
    for (const Output& output : passed) {
      const auto found = entry.outputs.find(output);
      const Times times = found == entry.outputs.end() ? Times() : found->second;
      if (times.visible == times.passed + 1) continue;
      world_.report(
          fmt::format("transaction moves partition {} to {}: {} is visible {} times, "
                      "not {}",
                      partition, offset, Name(output), times.visible, times.passed + 1));
    }
    if (unaccounted[partition] != passed.size()) {
      world_.report(
          fmt::format("transaction moves partition {} from {} to {} with {} outputs, not {}",
                      partition, entry.committed, offset, unaccounted[partition], passed.size()));
    }
    unaccounted.erase(partition);
    Move(partition, offset);
  }
  for (const auto& [partition, count] : unaccounted) {
    if (count > 0) {
      world_.report(fmt::format("transaction with {} outputs of partition {} and no offset of it",
                                count, partition));
    }
  }
}

void Ledger::CheckText(const Output& output) {
  const size_t at = output.value.find(kVersionField);
  const std::string version =
      at == std::string::npos ? "" : output.value.substr(at + kVersionField.size(), kVersionDigits);
  if (world_.has_text(output.partition, version)) return;
  world_.report(fmt::format("{} is of ruleset version '{}', whose text is not in the state topic",
                            Name(output), version));
}

void Ledger::OnOutput(const Output& output) {
  const std::set<const Expected*>& ever = Of(output.partition).ever_expected;
  Note(output, std::any_of(ever.begin(), ever.end(),
                           [&output](const Expected* expected) { return Has(expected, output); }));
}

void Ledger::Note(const Output& output, bool expected) {
  Partition& entry = Of(output.partition);
  if (!expected) {
    world_.report(fmt::format("{} is not expected: {}", Name(output), output.value));
    return;
  }
  if (output.kind == OutputKind::kAlert) CheckText(output);
  entry.outputs[output].visible += 1;
}

void Ledger::OnOffsets(const Offsets& offsets) {
  for (const auto& [partition, commit] : offsets) {
    const Partition& entry = Of(partition);
    if (!TakeRules(partition, commit, /*may_activate=*/true)) continue;
    // A commit whose reply was lost is sent again.
    if (commit.offset == entry.committed) continue;
    for (const Output& output : Passed(entry, commit.offset)) {
      const auto found = entry.outputs.find(output);
      if (found != entry.outputs.end() && found->second.visible > found->second.passed) continue;
      world_.report(fmt::format("partition {}: offset {} is committed ahead of the {}", partition,
                                commit.offset, Name(output)));
    }
    Move(partition, commit.offset);
  }
}

void Ledger::OnRewind(int32_t partition, const GroupOffset& set) {
  Partition& entry = Of(partition);
  entry.committed = set.offset;
  Judgements::Activations& known = entry.activations;
  if (set.metadata.empty()) known.clear();
  while (!known.empty() && known.back().offset > set.offset) known.pop_back();
  entry.expected = known.empty() ? nullptr : &judgements_.Of(partition, known);
}

void Ledger::OnCopyRecord(int32_t partition, int64_t copy_offset) {
  const int64_t limit = Of(partition).copies_up_to;
  if (copy_offset > limit) {
    world_.report(fmt::format("partition {}: a copy at {} is ahead of the committed offset {}",
                              partition, copy_offset, limit));
  }
}

void Ledger::OnState(const std::string& where, const Expected& expected, int32_t partition,
                     uint32_t bucket, int64_t offset, const agents::StateDigest& digest) {
  if (digest == expected.DigestAt(bucket, offset)) return;
  world_.report(fmt::format("{}: state of partition {} bucket {} at {} is not that of a fresh run",
                            where, partition, bucket, offset));
}

void Ledger::OnEnd(std::vector<Output> read, bool exactly_once,
                   const std::vector<int64_t>& log_ends) {
  std::map<Output, int> copies;
  for (Output& output : read) copies[std::move(output)] += 1;
  for (size_t p = 0; p < partitions_.size(); ++p) {
    const Partition& entry = partitions_[p];
    if (entry.committed != log_ends[p]) {
      world_.report(fmt::format("partition {}: committed {} at the end, not {}", p, entry.committed,
                                log_ends[p]));
    }
    for (const auto& [output, times] : entry.outputs) {
      const auto found = copies.find(output);
      const int count = found == copies.end() ? 0 : found->second;
      if (found != copies.end()) copies.erase(found);
      // Without transactions an output may come before a crash and again, or before other rules
      // take effect and not again.
      if (exactly_once ? count == times.passed : count >= times.passed) continue;
      world_.report(fmt::format("{} was read {} times, not {}", Name(output), count, times.passed));
    }
  }
  for (const auto& [output, count] : copies) {
    world_.report(fmt::format("{} was read and is not expected", Name(output)));
  }
}

}  // namespace caracal::pipeline::sim
