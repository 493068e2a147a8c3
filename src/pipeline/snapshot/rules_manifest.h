#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/state/state_digest.h"
#include "pipeline/types/activation.h"

namespace caracal::pipeline {

/// Says what the rules of a stream were: which texts, and which state they kept. Kept in the state
/// topic under its hash, so that whoever comes later can tell what a partition's state is made of.
///
///   caracal rules 1
///   topic bank.public.transactions
///   buckets 64
///   hash_seed 4f0c9a7be1d23356
///   ruleset 9c1e4d20a7b3 card-risk
///   state 4f0c…32 hex digits card-risk/card-burst
struct RulesManifest {
  struct Ruleset {
    std::string version;  ///< 12 hex digits: names the canonical text
    std::string name;

    friend bool operator==(const Ruleset&, const Ruleset&) = default;
  };
  struct State {
    agents::StateDigest id;  ///< StateSlice::id
    std::string rule;        ///< "ruleset/rule"

    friend bool operator==(const State&, const State&) = default;
  };

  std::string topic;
  uint32_t buckets = 0;           ///< per partition
  uint64_t seed_fingerprint = 0;  ///< BucketImage::SeedFingerprint
  std::vector<Ruleset> rulesets;  ///< in the order of the rule files
  std::vector<State> states;      ///< of the rules that keep one

  bool HasState(const agents::StateDigest& id) const;
  /// Which settings make buckets of the one hold other keys than those of `before`; empty = none.
  std::string SchemeChange(const RulesManifest& before) const;

  friend bool operator==(const RulesManifest&, const RulesManifest&) = default;
};

/// The text of a manifest: rulesets by name, states by id, so that equal rules have equal texts.
std::string FormatRulesManifest(RulesManifest manifest);
/// InvalidArgument for a text of another version, or not ours. Lines it does not know are passed
/// over.
absl::StatusOr<RulesManifest> ParseRulesManifest(std::string_view text);
/// Identity of rules: the first 12 hex digits of the SHA-256 of the manifest's text.
std::string RulesHash(std::string_view manifest_text);

/// A ruleset's canonical text, whose hash is its version.
struct RulesetText {
  std::string version;
  std::string canonical_json;
};

/// The rules in effect on a stream, as they are recorded.
struct RulesRecord {
  RulesManifest manifest;
  std::string text;  ///< FormatRulesManifest
  std::string hash;  ///< RulesHash
  std::vector<RulesetText> rulesets;
};
/// InvalidArgument when a text is larger than a record of the state topic may be.
absl::StatusOr<RulesRecord> MakeRulesRecord(RulesManifest manifest,
                                            std::vector<RulesetText> rulesets);

/// What the state of a partition is made of.
struct StateHistory {
  /// Records below this left nothing in the state.
  int64_t base = 0;
  /// Every state of the rules in effect, in the order of their manifest.
  std::vector<StateStart> starts;
  /// Rules whose manifest is missing: nothing of theirs can be carried over.
  std::vector<std::string> unknown;
  /// SchemeChange, where that is why nothing earlier can be carried over; empty = it is not.
  std::string scheme_change;
};

/// Follows the activations of a partition (at least one; the last one is of `rules`) back from the
/// newest: a state begins where the run of rules that know it begins. Rules of another scheme, or
/// unknown ones, end every run: their buckets hold other keys.
StateHistory FollowStates(const std::vector<Activation>& activations,
                          const std::map<std::string, RulesManifest>& known,
                          const RulesRecord& rules);

}  // namespace caracal::pipeline
