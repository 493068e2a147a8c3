#include "pipeline/decode/row_identity.h"

#include <utility>

#include "agents/state/key_hash.h"

namespace caracal::pipeline {
namespace {

/// Keeps the tables of envelopes and of flat rows apart.
constexpr uint64_t kFlatRowSeed = 0x9e3779b97f4a7c15;

uint64_t Hash(std::string_view text, uint64_t seed) { return agents::HashKey(text, seed).low; }

}  // namespace

RowIdentity::RowIdentity(std::string topic, uint64_t seed)
    : topic_(std::move(topic)), seed_(seed) {}

uint64_t RowIdentity::TagOfRow(Memo& memo, std::string_view first, std::string_view second,
                               uint64_t seed, std::string_view id) {
  if (!memo.valid || memo.first != first || memo.second != second) {
    memo = {std::string(first), std::string(second), Hash(second, Hash(first, seed)), true};
  }
  last_table_hash_ = memo.hash;
  return TagInLastTable(id);
}

uint64_t RowIdentity::TagOfSourceRow(std::string_view schema, std::string_view table,
                                     std::string_view id) {
  return TagOfRow(source_, schema, table, seed_, id);
}

uint64_t RowIdentity::TagOfFlatRow(std::string_view table, std::string_view id) {
  return TagOfRow(flat_, topic_, table, seed_ ^ kFlatRowSeed, id);
}

uint64_t RowIdentity::TagInLastTable(std::string_view id) const {
  return Hash(id, last_table_hash_);
}

}  // namespace caracal::pipeline
