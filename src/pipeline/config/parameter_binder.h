#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/parameters.h"
#include "pipeline/config/diagnostics.h"
#include "pipeline/config/named_lists.h"
#include "pipeline/config/parameter_files.h"
#include "pipeline/config/settings.h"
#include "pipeline/config/yaml_tree.h"

namespace caracal::pipeline {

/// Binds the keys of a rule that belong to its agent by the agent's ParameterSpecs: types, units,
/// bounds, choices, required and unknown parameters, defaults. Decimals are normalised (no trailing
/// zeros), so that two spellings of a number are one configuration. One rule per binder; one thread
/// at a time.
class ParameterBinder {
 public:
  /// `agent` names the agent in messages. `lists`, `files` and `diagnostics` outlive it.
  ParameterBinder(std::string agent, NamedLists& lists, ParameterFiles& files,
                  Diagnostics& diagnostics)
      : agent_(std::move(agent)), lists_(lists), files_(files), diagnostics_(diagnostics) {}

  /// Binds `entries`; `other_keys` are the keys the rule may have besides, for suggestions. Missing
  /// parameters are reported at `rule_span`.
  agents::Parameters Bind(const std::vector<agents::ParameterSpec>& specs,
                          const std::vector<const YamlEntry*>& entries,
                          const std::vector<std::string>& other_keys, SourceSpan rule_span);

  /// True when every parameter is good: the agent may be asked to bind them.
  bool complete() const { return complete_; }
  /// Where a parameter was written: "profile.floor", or "floor" when only one section has it;
  /// nullopt when it was not.
  std::optional<SourceSpan> SpanOf(const std::string& path) const;
  /// Parameters given as {list: name}: path → name.
  const std::map<std::string, std::string>& lists_by_path() const { return lists_by_path_; }

 private:
  using Value = std::optional<agents::ParameterValue>;

  agents::Parameters BindAll(const std::vector<agents::ParameterSpec>& specs,
                             const std::vector<const YamlEntry*>& entries,
                             const std::vector<std::string>& other_keys, const std::string& prefix,
                             SourceSpan owner_span);
  Value BindValue(const agents::ParameterSpec& spec, const YamlNode& node, const std::string& path);
  Value BindText(const agents::ParameterSpec& spec, const YamlNode& node, const std::string& path);
  Value BindTextList(const agents::ParameterSpec& spec, const YamlNode& node,
                     const std::string& path);
  Value BindFile(const agents::ParameterSpec& spec, const YamlNode& node, const std::string& path);
  Value BindFileList(const agents::ParameterSpec& spec, const YamlNode& node,
                     const std::string& path);
  Value BindObject(const agents::ParameterSpec& spec, const YamlNode& node,
                   const std::string& path);
  bool CheckItems(const agents::ParameterSpec& spec, const std::vector<std::string>& values,
                  const std::string& path, SourceSpan span);
  Value DefaultOf(const agents::ParameterSpec& spec, const std::string& path,
                  SourceSpan owner_span);
  void Unknown(const YamlEntry& entry, std::vector<std::string> candidates,
               const std::string& prefix);
  void WrongKind(const YamlNode& node, const std::string& path, std::string_view expected);

  const std::string agent_;
  NamedLists& lists_;
  ParameterFiles& files_;
  Diagnostics& diagnostics_;
  std::map<std::string, SourceSpan> spans_;
  std::map<std::string, std::string> lists_by_path_;
  /// Parameters whose absence an unknown one explains.
  std::set<std::string> misspelt_;
  bool complete_ = true;
};

/// The value of a parameter that is not an object; a file is its path; a list is separated by
/// commas (the form of defaults). `path` names the parameter in messages. `problem` is set instead
/// when there is one.
std::optional<agents::ParameterValue> ParseParameter(const agents::ParameterSpec& spec,
                                                     const std::string& text,
                                                     const std::string& path,
                                                     std::optional<ValueProblem>& problem);

/// `value` without trailing zeros after the point.
agents::Decimal Normalized(agents::Decimal value);

/// "duration", "list of text", "one of a, b", ...: for people.
std::string TypeText(const agents::ParameterSpec& spec);

}  // namespace caracal::pipeline
