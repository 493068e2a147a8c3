#include "tests/simulation/ledger.h"

#include <algorithm>

#include <fmt/format.h>

namespace caracal::pipeline::sim {
namespace {

std::string Name(const Output& output) {
  return fmt::format("{} of {}/{}", output.kind == OutputKind::kAlert ? "alert" : "dead letter",
                     output.partition, output.offset);
}

bool Before(const Output& a, const Output& b) {
  return std::tie(a.offset, a.kind, a.sequence) < std::tie(b.offset, b.kind, b.sequence);
}

}  // namespace

Output OutputOf(const OutputRecord& record) {
  return {record.kind, record.lease->partition(), record.offset, record.sequence, record.key,
          record.value};
}

agents::StateDigest Expected::DigestAt(size_t bucket, int64_t offset) const {
  const auto& history = digests[bucket];
  const auto after =
      std::upper_bound(history.begin(), history.end(), offset,
                       [](int64_t wanted, const auto& entry) { return wanted < entry.first; });
  return std::prev(after)->second;
}

Ledger::Ledger(const std::vector<Expected>& expected, Report report) : report_(std::move(report)) {
  for (const Expected& entry : expected) {
    Partition partition;
    partition.expected = &entry;
    partition.visible.resize(entry.outputs.size());
    partition.wanted.resize(entry.outputs.size(), 1);
    partitions_.push_back(std::move(partition));
  }
}

int Ledger::Find(const Output& output) const {
  const std::vector<Output>& outputs = partitions_[Index(output.partition)].expected->outputs;
  const auto found = std::lower_bound(outputs.begin(), outputs.end(), output, Before);
  if (found == outputs.end() || *found != output) return -1;
  return static_cast<int>(found - outputs.begin());
}

std::pair<size_t, size_t> Ledger::Range(const Expected& expected, int64_t begin, int64_t end) {
  const auto below = [](const Output& output, int64_t offset) { return output.offset < offset; };
  const auto& outputs = expected.outputs;
  const auto from = std::lower_bound(outputs.begin(), outputs.end(), begin, below);
  const auto to = std::lower_bound(outputs.begin(), outputs.end(), end, below);
  return {from - outputs.begin(), to - outputs.begin()};
}

void Ledger::Move(int32_t partition, int64_t offset) {
  Partition& entry = partitions_[Index(partition)];
  if (offset <= entry.committed) {
    report_(fmt::format("partition {}: offset {} committed after {}", partition, offset,
                        entry.committed));
  }
  entry.committed = offset;
  entry.copies_up_to = std::max(entry.copies_up_to, offset);
}

void Ledger::OnTransaction(std::span<const Output> outputs, const Offsets& offsets) {
  std::map<int32_t, size_t> unaccounted;
  for (const Output& output : outputs) {
    OnOutput(output);
    unaccounted[output.partition] += 1;
  }
  for (const auto& [partition, offset] : offsets) {
    const Partition& entry = partitions_[Index(partition)];
    // Late offsets of a transaction that is through begin another one, which a repeated end then
    // commits: the same offset once more, and nothing else.
    if (offset == entry.committed && unaccounted[partition] == 0) continue;
    const auto [begin, end] = Range(*entry.expected, std::max<int64_t>(0, entry.committed), offset);
    for (size_t i = begin; i < end; ++i) {
      if (entry.visible[i] == entry.wanted[i]) continue;
      report_(fmt::format("transaction moves partition {} to {}: {} is visible {} times, not {}",
                          partition, offset, Name(entry.expected->outputs[i]), entry.visible[i],
                          entry.wanted[i]));
    }
    if (unaccounted[partition] != end - begin) {
      report_(fmt::format("transaction moves partition {} from {} to {} with {} outputs, not {}",
                          partition, entry.committed, offset, unaccounted[partition], end - begin));
    }
    unaccounted.erase(partition);
    Move(partition, offset);
  }
  for (const auto& [partition, count] : unaccounted) {
    if (count > 0) {
      report_(fmt::format("transaction with {} outputs of partition {} and no offset of it", count,
                          partition));
    }
  }
}

void Ledger::OnOutput(const Output& output) {
  const int index = Find(output);
  if (index < 0) {
    report_(fmt::format("{} is not expected: {}", Name(output), output.value));
    return;
  }
  partitions_[Index(output.partition)].visible[static_cast<size_t>(index)] += 1;
}

void Ledger::OnOffsets(const Offsets& offsets) {
  for (const auto& [partition, offset] : offsets) {
    const Partition& entry = partitions_[Index(partition)];
    // A commit whose reply was lost is sent again.
    if (offset == entry.committed) continue;
    const auto [begin, end] = Range(*entry.expected, 0, offset);
    for (size_t i = begin; i < end; ++i) {
      if (entry.visible[i] >= entry.wanted[i]) continue;
      report_(fmt::format("partition {}: offset {} is committed ahead of the {}", partition, offset,
                          Name(entry.expected->outputs[i])));
    }
    Move(partition, offset);
  }
}

void Ledger::OnRewind(int32_t partition, int64_t offset) {
  Partition& entry = partitions_[Index(partition)];
  const auto [begin, end] = Range(*entry.expected, offset, entry.committed);
  for (size_t i = begin; i < end; ++i) entry.wanted[i] += 1;
  entry.committed = offset;
}

void Ledger::OnCopyRecord(int32_t partition, int64_t copy_offset) {
  const int64_t limit = partitions_[Index(partition)].copies_up_to;
  if (copy_offset > limit) {
    report_(fmt::format("partition {}: a copy at {} is ahead of the committed offset {}", partition,
                        copy_offset, limit));
  }
}

void Ledger::OnState(const std::string& where, int32_t partition, uint32_t bucket, int64_t offset,
                     const agents::StateDigest& digest) {
  if (digest == partitions_[Index(partition)].expected->DigestAt(bucket, offset)) return;
  report_(fmt::format("{}: state of partition {} bucket {} at {} is not that of a fresh run", where,
                      partition, bucket, offset));
}

void Ledger::OnEnd(std::vector<Output> read, bool exactly_once,
                   const std::vector<int64_t>& log_ends) {
  std::map<Output, int> copies;
  for (Output& output : read) copies[std::move(output)] += 1;
  for (size_t p = 0; p < partitions_.size(); ++p) {
    const Partition& entry = partitions_[p];
    if (entry.committed != log_ends[p]) {
      report_(fmt::format("partition {}: committed {} at the end, not {}", p, entry.committed,
                          log_ends[p]));
    }
    for (size_t i = 0; i < entry.wanted.size(); ++i) {
      const Output& output = entry.expected->outputs[i];
      const auto found = copies.find(output);
      const int count = found == copies.end() ? 0 : found->second;
      if (found != copies.end()) copies.erase(found);
      if (exactly_once ? count == entry.wanted[i] : count >= entry.wanted[i]) continue;
      report_(fmt::format("{} was read {} times, not {}", Name(output), count, entry.wanted[i]));
    }
  }
  for (const auto& [output, count] : copies) {
    report_(fmt::format("{} was read and is not expected", Name(output)));
  }
}

}  // namespace caracal::pipeline::sim
