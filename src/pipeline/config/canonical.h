#pragma once

#include <map>
#include <string>
#include <vector>

#include "agents/api/agent.h"
#include "agents/api/ruleset.h"
#include "caracal/config/v1/config.pb.h"
#include "pipeline/config/loaded_config.h"

namespace caracal::pipeline {

/// A rule and what its canonical text needs besides.
struct CanonicalRule {
  const agents::RuleSpec* spec = nullptr;              ///< not owned
  const agents::AgentInfo* agent = nullptr;            ///< not owned
  std::map<std::string, std::string> parameter_lists;  ///< path → name of a list
  std::map<std::string, std::string> filter_lists;     ///< attribute → name of a list
};

/// A list that rules use by name.
struct CanonicalList {
  size_t count = 0;
  std::string sha256;
};

struct CanonicalInput {
  const agents::RulesetSpec* ruleset = nullptr;  ///< its version is not used
  std::vector<CanonicalRule> rules;
  std::map<std::string, CanonicalList> lists;
  const caracal::config::v1::Config* config = nullptr;
  const LoadedStream* stream = nullptr;
  int stream_index = 0;
};

/// Everything that decides what a ruleset raises on a stream, as JSON without white space, keys in
/// byte order, defaults filled in. The text is the same for every way to write the same
/// configuration (key order, comments, units, trailing zeros); descriptions are left out.
///
///   alert_above, mode, name, rules[]   a rule: agent, agent_version, agent_fingerprint (of a
///                                      plugin's), id, key, mode, parameters, score, severity,
///                                      version, when
///   parameters as their text; a file: the SHA-256 of its bytes, not its path
///   lists      named lists: count and SHA-256; in their place stands {"list":name}
///   state      buckets, rows_per_bucket, max_bytes_per_partition, hash_seed_fingerprint
///   stream     the stream's settings except start and state_topic; places: the SHA-256 of the file
std::string CanonicalRulesetJson(const CanonicalInput& input);

/// The first 12 hex digits of the SHA-256 of a canonical text: RulesetSpec::version.
std::string RulesetVersion(const std::string& canonical_json);

}  // namespace caracal::pipeline
