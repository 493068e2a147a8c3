#include "agents/ruleset/bucket_state.h"

#include <algorithm>

#include "agents/state/eviction.h"
#include "agents/state/state_digest.h"

namespace caracal::agents {

BucketState::BucketState(const CompiledRulesets& rulesets, const BucketLimits& limits)
    : max_bytes_(limits.max_bytes), rows_(limits.rows_per_bucket) {
  for (const RuleGroup& group : rulesets.groups()) {
    tables_.emplace_back(group.layout);
    bytes_per_key_.push_back(KeyTable::BytesPerKey(group.layout));
  }
}

void BucketState::MakeRoom(size_t bytes) {
  while (Full(bytes) && keys() > 0) {
    EvictOldestSixteenth(tables_);
    used_bytes_ = 0;
    for (size_t group = 0; group < tables_.size(); ++group) {
      used_bytes_ += tables_[group].size() * bytes_per_key_[group];
    }
  }
}

uint64_t BucketState::keys() const {
  uint64_t keys = 0;
  for (const KeyTable& table : tables_) keys += table.size();
  return keys;
}

uint64_t BucketState::evictions() const {
  uint64_t evictions = 0;
  for (const KeyTable& table : tables_) evictions += table.evictions();
  return evictions;
}

size_t BucketState::bytes() const {
  size_t bytes = rows_.bytes();
  for (const KeyTable& table : tables_) bytes += table.bytes();
  return bytes;
}

uint64_t BucketState::Digest() const {
  StateDigester digester;
  rows_.AddTo(digester);
  for (const KeyTable& table : tables_) table.AddTo(digester);
  return digester.Digest().low;
}

}  // namespace caracal::agents
