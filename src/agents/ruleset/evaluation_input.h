#pragma once

#include <cstdint>

#include "agents/api/transaction.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/state/key_hash.h"

namespace caracal::agents {

/// One transaction to evaluate, and the bucket of its stream key. Owns neither.
struct EvaluationInput {
  const Transaction* transaction = nullptr;
  BucketState* bucket = nullptr;
  /// Hash of transaction->key with the seed of the compiled rulesets.
  KeyHash key_hash;
  /// Tag of the row's identity; meaningful only when has_row.
  uint64_t row_tag = 0;
  bool has_row = false;
  /// False = warm: changes the state, yields no judgement.
  bool raise = true;
};

}  // namespace caracal::agents
