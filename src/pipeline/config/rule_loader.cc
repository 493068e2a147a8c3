#include "pipeline/config/rule_loader.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "caracal/config/v1/rules.pb.h"
#include "pipeline/base/sha256.h"
#include "pipeline/config/canonical.h"
#include "pipeline/config/document.h"
#include "pipeline/config/named_lists.h"
#include "pipeline/config/parameter_files.h"
#include "pipeline/config/proto_binder.h"
#include "pipeline/config/rule_binder.h"
#include "pipeline/config/suggestion.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kMaxRuleFiles = 1'000;

/// Where the name of a ruleset was first given.
using RulesetNames = std::map<std::string, std::string>;

/// Loads one rule file.
class RuleFileLoader {
 public:
  RuleFileLoader(const RuleScope& scope, std::string path, RulesetNames& names,
                 ParameterFiles& files, Diagnostics& diagnostics)
      : scope_(scope),
        path_(std::move(path)),
        names_(names),
        files_(files),
        diagnostics_(diagnostics),
        binder_(diagnostics) {}

  void Load(const YamlNode& root, std::vector<LoadedRuleset>& rulesets) {
    v1::RuleFile file;
    binder_.Bind(root, "the rule file", file);
    NamedLists lists(file, path_, *scope_.references.files, binder_.spans(), diagnostics_);
    lists_ = &lists;
    RuleBinder rules(*scope_.registry, binder_.spans(), lists, files_, diagnostics_);
    for (int i = 0; i < file.rulesets_size(); ++i) {
      LoadRuleset(file.rulesets(i), fmt::format("rulesets[{}]", i), rules, rulesets);
    }
    lists.ReportUnused();
  }

 private:
  const PathSpans& spans() const { return binder_.spans(); }

  void LoadRuleset(const v1::Ruleset& ruleset, const std::string& path, RuleBinder& rules,
                   std::vector<LoadedRuleset>& rulesets) {
    CheckName(ruleset, path);
    CheckIds(ruleset, path);
    WarnIfSilent(ruleset, path);
    const std::vector<RuleDraft> drafts = DraftRules(ruleset, path, rules);
    for (const size_t stream : StreamsOf(ruleset, path)) {
      rulesets.push_back(ForStream(ruleset, drafts, stream, rules));
    }
  }

  void CheckName(const v1::Ruleset& ruleset, const std::string& path) {
    if (ruleset.name().empty()) return;
    const auto [it, is_new] = names_.emplace(ruleset.name(), path_);
    if (is_new) return;
    diagnostics_.Add(DiagnosticCode::kRulesetTwice, spans().Value(path + ".name"),
                     fmt::format("ruleset '{}' exists already in {}", ruleset.name(), it->second));
  }

  void CheckIds(const v1::Ruleset& ruleset, const std::string& path) {
    std::set<std::string> ids;
    for (int i = 0; i < ruleset.rules_size(); ++i) {
      const std::string& id = ruleset.rules(i).id();
      if (id.empty() || ids.insert(id).second) continue;
      diagnostics_.Add(DiagnosticCode::kRuleTwice,
                       spans().Value(fmt::format("{}.rules[{}].id", path, i)),
                       fmt::format("rule '{}' exists already in ruleset '{}'", id, ruleset.name()));
    }
  }

  void WarnIfSilent(const v1::Ruleset& ruleset, const std::string& path) {
    int64_t highest = 0;
    for (const v1::Rule& rule : ruleset.rules()) {
      if (rule.mode() == v1::RULE_MODE_ENFORCE) highest += rule.score();
    }
    if (ruleset.mode() == v1::RULE_MODE_OFF || highest > ruleset.alert_above()) return;
    diagnostics_.Add(DiagnosticCode::kNeverAlerts, spans().Value(path + ".alert_above"),
                     fmt::format("ruleset '{}' can never alert: its enforced rules add up to {}, "
                                 "which is not above {}",
                                 ruleset.name(), highest, ruleset.alert_above()));
  }

  std::vector<RuleDraft> DraftRules(const v1::Ruleset& ruleset, const std::string& path,
                                    RuleBinder& rules) {
    std::vector<RuleDraft> drafts;
    for (int i = 0; i < ruleset.rules_size(); ++i) {
      const std::string rule_path = fmt::format("{}.rules[{}]", path, i);
      const auto extras = binder_.extras().find(rule_path);
      std::optional<RuleDraft> draft = rules.Draft(
          ruleset.rules(i), rule_path,
          extras == binder_.extras().end() ? std::vector<const YamlEntry*>() : extras->second);
      if (draft.has_value()) drafts.push_back(*std::move(draft));
    }
    return drafts;
  }

  std::vector<size_t> StreamsOf(const v1::Ruleset& ruleset, const std::string& path) {
    std::vector<std::string> topics;
    std::vector<size_t> streams;
    for (size_t i = 0; i < scope_.streams->size(); ++i) {
      topics.push_back((*scope_.streams)[i].context.topic);
      if (ruleset.streams().empty()) streams.push_back(i);
    }
    std::set<size_t> chosen;
    for (int i = 0; i < ruleset.streams_size(); ++i) {
      const auto it = std::find(topics.begin(), topics.end(), ruleset.streams(i));
      if (it != topics.end()) {
        chosen.insert(static_cast<size_t>(it - topics.begin()));
        continue;
      }
      diagnostics_.Add(DiagnosticCode::kStreamUnknown,
                       spans().Value(fmt::format("{}.streams[{}]", path, i)),
                       fmt::format("there is no stream '{}'", ruleset.streams(i)),
                       DidYouMean(ruleset.streams(i), topics));
    }
    streams.insert(streams.end(), chosen.begin(), chosen.end());
    return streams;
  }

  LoadedRuleset ForStream(const v1::Ruleset& ruleset, const std::vector<RuleDraft>& drafts,
                          size_t stream, RuleBinder& rules) {
    const LoadedStream& loaded_stream = (*scope_.streams)[stream];
    LoadedRuleset loaded;
    loaded.stream = stream;
    loaded.spec.name = ruleset.name();
    loaded.spec.alert_above = ruleset.alert_above();
    loaded.spec.mode = ToMode(ruleset.mode());
    std::vector<agents::FeatureSpec> features;
    for (const RuleDraft& draft : drafts) {
      loaded.spec.rules.push_back(rules.ForStream(draft, loaded_stream, features));
    }
    loaded.canonical_json = Canonical(loaded, drafts);
    loaded.spec.version = RulesetVersion(loaded.canonical_json);
    return loaded;
  }

  std::string Canonical(const LoadedRuleset& loaded, const std::vector<RuleDraft>& drafts) const {
    CanonicalInput input;
    input.ruleset = &loaded.spec;
    input.config = scope_.config;
    input.stream = &(*scope_.streams)[loaded.stream];
    input.stream_index = static_cast<int>(loaded.stream);
    for (size_t i = 0; i < drafts.size(); ++i) {
      input.rules.push_back({&loaded.spec.rules[i], &drafts[i].agent->info(),
                             drafts[i].parameters->lists_by_path(), drafts[i].filter_lists});
      for (const auto& [path, name] : drafts[i].parameters->lists_by_path()) AddList(name, input);
      for (const auto& [path, name] : drafts[i].filter_lists) AddList(name, input);
    }
    return CanonicalRulesetJson(input);
  }

  void AddList(const std::string& name, CanonicalInput& input) const {
    const NamedListValues& list = lists_->lists().at(name);
    input.lists[name] = {list.values.size(), list.sha256};
  }

  const RuleScope& scope_;
  const std::string path_;
  RulesetNames& names_;
  ParameterFiles& files_;
  Diagnostics& diagnostics_;
  ProtoBinder binder_;
  const NamedLists* lists_ = nullptr;  ///< lives while Load runs
};

/// The files that rule_files match, each once, in the order of the patterns.
std::vector<std::string> MatchFiles(const RuleScope& scope, Diagnostics& diagnostics) {
  std::vector<std::string> paths;
  std::set<std::string> seen;
  for (int i = 0; i < scope.config->rule_files_size(); ++i) {
    const std::string pattern =
        ResolvePath(scope.references.base_file, scope.config->rule_files(i));
    const std::vector<std::string> matches = scope.references.files->Glob(pattern);
    const SourceSpan span = scope.config_spans->Value(fmt::format("rule_files[{}]", i));
    if (matches.empty()) {
      diagnostics.Add(DiagnosticCode::kRuleFileMissing, span,
                      fmt::format("no file matches '{}'", pattern),
                      "the path is relative to the configuration file");
    }
    for (const std::string& path : matches) {
      if (seen.insert(path).second) paths.push_back(path);
    }
    if (paths.size() > kMaxRuleFiles) {
      diagnostics.Add(DiagnosticCode::kOutOfBounds, span,
                      fmt::format("more than {} rule files", kMaxRuleFiles));
      return {};
    }
  }
  return paths;
}

}  // namespace

std::vector<LoadedRuleset> LoadRules(const RuleScope& scope,
                                     std::map<std::string, std::string>& file_sha256,
                                     Diagnostics& diagnostics) {
  std::vector<LoadedRuleset> rulesets;
  RulesetNames names;
  ParameterFiles files(*scope.references.files);
  for (const std::string& path : MatchFiles(scope, diagnostics)) {
    std::optional<Document> document = ReadDocument(path, *scope.references.files, diagnostics,
                                                    scope.config_spans->Key("rule_files"));
    if (!document.has_value()) continue;
    file_sha256[path] = document->sha256;
    ReferenceScope references = scope.references;
    references.base_file = path;
    ResolveReferences(references, document->root, diagnostics);
    RuleFileLoader(scope, path, names, files, diagnostics).Load(document->root, rulesets);
  }
  return rulesets;
}

}  // namespace caracal::pipeline
