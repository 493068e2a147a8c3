#pragma once

#include <cstdint>
#include <vector>

#include "agents/api/agent.h"
#include "agents/ruleset/rule_key.h"
#include "agents/state/key_table.h"
#include "agents/state/state_digest.h"

namespace caracal::agents {

/// Where one rule's state lies in the record of its key.
struct StateSlice {
  uint16_t ruleset = 0;  ///< index into CompiledRulesets::infos()
  uint16_t rule = 0;     ///< index into RulesetInfo::rules
  uint32_t offset = 0;   ///< bytes from the start of the record
  uint32_t size = 0;
  /// Equal ids = the bytes mean the same and were made from the same transactions: a slice may be
  /// carried over from another layout by its id. Covers ruleset name and rule id, agent,
  /// StateSpec, layout fingerprint, the rule's key and filters, the stream's amount scale and the
  /// rules it builds on.
  StateDigest id;
};

/// One distinct rule key, and the one record that all stateful rules with that key share.
struct KeyGroup {
  RuleKey key;
  RecordLayout record;
  std::vector<StateSlice> slices;  ///< by offset
};

/// How the state of a bucket is laid out. Immutable once built; any thread.
struct StateLayout {
  std::vector<KeyGroup> groups;  ///< the stream's key first, then by attribute names
  /// Equal ids = buckets of the one may be read as buckets of the other. Covers every group and
  /// slice and the hash seed; not the order of rulesets and rules in the rule files.
  StateDigest id;
};

/// A stateful rule to be given a slice.
struct SliceRequest {
  RuleKey key;
  StateSpec state;
  uint16_t ruleset = 0;
  uint16_t rule = 0;
  StateDigest id;
};

/// Puts all slices of one key side by side, short ones (of a cache line at most) first, so that
/// what every event touches (these, and the heads of long ones) lies in few cache lines; then by
/// falling alignment, so that no byte is lost where sizes are multiples of alignments; then by
/// growing size. Records may come out larger than a table takes (kRecordBytesMax): the caller
/// checks.
StateLayout LayOutState(const std::vector<SliceRequest>& requests, uint64_t hash_seed);

}  // namespace caracal::agents
