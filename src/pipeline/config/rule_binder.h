#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/api/agent_registry.h"
#include "agents/api/ruleset.h"
#include "caracal/config/v1/rules.pb.h"
#include "pipeline/config/diagnostics.h"
#include "pipeline/config/loaded_config.h"
#include "pipeline/config/named_lists.h"
#include "pipeline/config/parameter_binder.h"
#include "pipeline/config/parameter_files.h"
#include "pipeline/config/path_spans.h"
#include "pipeline/config/yaml_tree.h"

namespace caracal::pipeline {

agents::Mode ToMode(caracal::config::v1::RuleMode mode);

/// A rule as far as it does not depend on a stream.
struct RuleDraft {
  /// Without key_suffix; filters sorted by attribute.
  agents::RuleSpec spec;
  const agents::AgentFactory* agent = nullptr;  ///< not owned
  /// As written; empty = the stream's key.
  std::vector<std::string> key;
  /// Filter attribute → name of the list its values come from.
  std::map<std::string, std::string> filter_lists;
  std::shared_ptr<const ParameterBinder> parameters;
  /// Path of the rule in its file: "rulesets[0].rules[1]".
  std::string path;
};

/// Turns the rules of one file into drafts, and drafts into rules of a stream. Findings go to the
/// diagnostics at the rule's own lines. One thread at a time; everything passed in outlives it.
class RuleBinder {
 public:
  RuleBinder(const agents::AgentRegistry& registry, const PathSpans& spans, NamedLists& lists,
             ParameterFiles& files, Diagnostics& diagnostics)
      : registry_(registry),
        spans_(spans),
        lists_(lists),
        files_(files),
        diagnostics_(diagnostics) {}

  /// `extras`: the keys that belong to the agent. nullopt when the agent does not exist.
  std::optional<RuleDraft> Draft(const caracal::config::v1::Rule& rule, const std::string& path,
                                 const std::vector<const YamlEntry*>& extras);
  /// Checks the draft against the stream (key, attributes, currencies, the agent's own Bind).
  /// `features`: what earlier rules of the ruleset observe; gains what this one does.
  agents::RuleSpec ForStream(const RuleDraft& draft, const LoadedStream& stream,
                             std::vector<agents::FeatureSpec>& features);

 private:
  const agents::AgentFactory* FindAgent(const caracal::config::v1::Rule& rule,
                                        const std::string& path);
  /// A parameter named like a key of the rule could never be given.
  void CheckAgent(const agents::AgentInfo& info, const std::string& path);
  void DraftFilters(const caracal::config::v1::Rule& rule, RuleDraft& draft);
  std::vector<std::string> KeySuffix(const RuleDraft& draft, const LoadedStream& stream);
  void CheckAttribute(const std::string& name, const LoadedStream& stream, SourceSpan span);
  void BindAgent(const RuleDraft& draft, const agents::RuleSpec& rule, const LoadedStream& stream,
                 std::vector<agents::FeatureSpec>& features);
  SourceSpan AgentSpan(const RuleDraft& draft, const std::string& message) const;

  const agents::AgentRegistry& registry_;
  const PathSpans& spans_;
  NamedLists& lists_;
  ParameterFiles& files_;
  Diagnostics& diagnostics_;
};

}  // namespace caracal::pipeline
