#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/snapshot/rules_manifest.h"
#include "pipeline/snapshot/state_key.h"
#include "pipeline/snapshot/state_log.h"

namespace caracal::pipeline {

/// Knows the manifests and ruleset texts that one partition of a state topic holds, from its
/// records in log order. Every partition has its own, so that it can be read without any other, and
/// each is written once: the time of its record is when the rules were first used there.
///
/// A value; one thread. Grows with the rules a partition has had; some kilobytes each.
class RulesShelf {
 public:
  /// Takes the next record of kind kRules or kRuleset. data() == nullptr: a tombstone. What does
  /// not match its hash is passed over.
  void Add(const StateKey& key, std::string_view value);

  const std::map<std::string, RulesManifest>& manifests() const { return manifests_; }
  /// What has to be written so that `rules` can be found later; texts before the manifest.
  std::vector<StateWrite> Missing(const RulesRecord& rules) const;
  /// Missing(rules) has been written.
  void Note(const RulesRecord& rules);

 private:
  std::map<std::string, RulesManifest> manifests_;  ///< by hash
  std::set<std::string> texts_;                     ///< versions of rulesets
};

}  // namespace caracal::pipeline
