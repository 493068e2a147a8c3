#include "agents/state/eviction.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "agents/api/check.h"

namespace caracal::agents {
namespace {

struct Candidate {
  int64_t newest_us;
  KeyTable::Slot slot;
  uint32_t table;
};

std::vector<Candidate> CandidatesOf(std::span<KeyTable> tables) {
  size_t records = 0;
  for (const KeyTable& table : tables) records += table.size();
  std::vector<Candidate> candidates;
  candidates.reserve(records);
  for (uint32_t i = 0; i < tables.size(); ++i) {
    tables[i].ForEach([&candidates, &table = tables[i], i](const KeyTable::Slot& slot) {
      candidates.push_back({table.newest_us(slot.handle), slot, i});
    });
  }
  return candidates;
}

}  // namespace

size_t EvictOldestSixteenth(std::span<KeyTable> tables) {
  std::vector<Candidate> candidates = CandidatesOf(tables);
  CHECK(!candidates.empty());
  const size_t count = EvictionStep(candidates.size());
  const auto older = [tables](const Candidate& a, const Candidate& b) {
    if (a.newest_us != b.newest_us) return a.newest_us < b.newest_us;
    const auto a_key = tables[a.table].key_order(a.slot.handle);
    const auto b_key = tables[b.table].key_order(b.slot.handle);
    return a_key != b_key ? a_key < b_key : a.table < b.table;
  };
  const auto end = candidates.begin() + static_cast<ptrdiff_t>(count);
  std::nth_element(candidates.begin(), end - 1, candidates.end(), older);
  std::for_each(candidates.begin(), end,
                [tables](const Candidate& oldest) { tables[oldest.table].Evict(oldest.slot); });
  return count;
}

}  // namespace caracal::agents
