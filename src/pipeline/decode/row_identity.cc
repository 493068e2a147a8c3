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

uint64_t RowIdentity::HashOfTable(Memo& memo, std::string_view first, std::string_view second,
                                  uint64_t seed) {
  if (!memo.valid || memo.first != first || memo.second != second) {
    memo = {std::string(first), std::string(second), Hash(second, Hash(first, seed)), true};
  }
  return memo.hash;
}

uint64_t RowIdentity::TagOfSourceRow(std::string_view schema, std::string_view table,
                                     std::string_view id) {
  return Hash(id, HashOfTable(source_, schema, table, seed_));
}

uint64_t RowIdentity::TagOfFlatRow(std::string_view table, std::string_view id) {
  return Hash(id, HashOfTable(flat_, topic_, table, seed_ ^ kFlatRowSeed));
}

}  // namespace caracal::pipeline
