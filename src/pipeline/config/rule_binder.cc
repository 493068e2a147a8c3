#include "pipeline/config/rule_binder.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "agents/api/agent.h"
#include "agents/api/status_macros.h"
#include "pipeline/config/settings.h"
#include "pipeline/config/suggestion.h"

namespace caracal::pipeline {
namespace {

using agents::AttributeFilter;
using agents::RuleSpec;

agents::Severity ToSeverity(v1::RuleSeverity severity) {
  switch (severity) {
    case v1::RULE_SEVERITY_LOW:
      return agents::Severity::kLow;
    case v1::RULE_SEVERITY_HIGH:
      return agents::Severity::kHigh;
    case v1::RULE_SEVERITY_CRITICAL:
      return agents::Severity::kCritical;
    default:
      return agents::Severity::kMedium;
  }
}

/// Sums and profiles are of one currency when the key or a filter pins it.
bool PinsCurrency(const RuleSpec& rule) {
  const auto& suffix = rule.key_suffix;
  if (std::find(suffix.begin(), suffix.end(), "currency") != suffix.end()) return true;
  return std::any_of(rule.filters.begin(), rule.filters.end(), [](const AttributeFilter& filter) {
    return filter.attribute == "currency" && filter.values.size() == 1;
  });
}

}  // namespace

agents::Mode ToMode(v1::RuleMode mode) {
  switch (mode) {
    case v1::RULE_MODE_SHADOW:
      return agents::Mode::kShadow;
    case v1::RULE_MODE_OFF:
      return agents::Mode::kOff;
    default:
      return agents::Mode::kEnforce;
  }
}

const agents::AgentFactory* RuleBinder::FindAgent(const v1::Rule& rule, const std::string& path) {
  if (rule.agent().empty()) return nullptr;  // reported as missing or malformed
  const agents::AgentFactory* agent = registry_.Find(rule.agent());
  if (agent == nullptr) {
    const std::vector<std::string> names = registry_.names();
    std::string hint = DidYouMean(rule.agent(), names);
    if (hint.empty()) hint = fmt::format("there are {}", fmt::join(names, ", "));
    diagnostics_.Add(DiagnosticCode::kAgentUnknown, spans_.Value(path + ".agent"),
                     fmt::format("there is no agent '{}'", rule.agent()), std::move(hint));
  }
  return agent;
}

std::optional<RuleDraft> RuleBinder::Draft(const v1::Rule& rule, const std::string& path,
                                           const std::vector<const YamlEntry*>& extras) {
  RuleDraft draft;
  draft.agent = FindAgent(rule, path);
  if (draft.agent == nullptr) return std::nullopt;
  draft.path = path;
  draft.spec.id = rule.id();
  draft.spec.version = rule.version();
  draft.spec.agent = rule.agent();
  draft.spec.score = rule.score();
  draft.spec.severity = ToSeverity(rule.severity());
  draft.spec.mode = ToMode(rule.mode());
  draft.key.assign(rule.key().begin(), rule.key().end());
  DraftFilters(rule, draft);
  CheckAgent(draft.agent->info(), path);
  auto binder = std::make_shared<ParameterBinder>(rule.agent(), lists_, files_, diagnostics_);
  draft.spec.parameters = binder->Bind(draft.agent->info().parameters, extras,
                                       KeysOf(*v1::Rule::descriptor()), spans_.Key(path));
  draft.parameters = std::move(binder);
  return draft;
}

void RuleBinder::CheckAgent(const agents::AgentInfo& info, const std::string& path) {
  for (const agents::ParameterSpec& spec : info.parameters) {
    if (v1::Rule::descriptor()->FindFieldByName(spec.name) == nullptr) continue;
    diagnostics_.Add(DiagnosticCode::kParameterRefused, spans_.Key(path),
                     fmt::format("agent '{}' declares a parameter '{}', but that key belongs to "
                                 "the rule",
                                 info.name, spec.name),
                     "report it to the author of the agent");
  }
}

void RuleBinder::DraftFilters(const v1::Rule& rule, RuleDraft& draft) {
  for (const auto& [attribute, set] : rule.when()) {
    const std::string path = fmt::format("{}.when.{}", draft.path, attribute);
    AttributeFilter filter;
    filter.attribute = attribute;
    filter.values.assign(set.values().begin(), set.values().end());
    if (!set.list().empty()) {
      const NamedListValues* list = lists_.Use(set.list(), spans_.Value(path + ".list"));
      if (list == nullptr) continue;
      filter.values.insert(filter.values.end(), list->values.begin(), list->values.end());
      draft.filter_lists[attribute] = set.list();
    }
    if (filter.values.empty() || (!set.list().empty() && set.values_size() > 0)) {
      diagnostics_.Add(DiagnosticCode::kFieldConflict, spans_.Key(path),
                       fmt::format("'{}' needs values or a list, one of the two", attribute));
    }
    std::sort(filter.values.begin(), filter.values.end());
    filter.values.erase(std::unique(filter.values.begin(), filter.values.end()),
                        filter.values.end());
    draft.spec.filters.push_back(std::move(filter));
  }
  std::sort(
      draft.spec.filters.begin(), draft.spec.filters.end(),
      [](const AttributeFilter& a, const AttributeFilter& b) { return a.attribute < b.attribute; });
}

RuleSpec RuleBinder::ForStream(const RuleDraft& draft, const LoadedStream& stream,
                               std::vector<agents::FeatureSpec>& features) {
  RuleSpec rule = draft.spec;
  rule.key_suffix = KeySuffix(draft, stream);
  for (const AttributeFilter& filter : rule.filters) {
    CheckAttribute(filter.attribute, stream,
                   spans_.Key(fmt::format("{}.when.{}", draft.path, filter.attribute)));
  }
  BindAgent(draft, rule, stream, features);
  return rule;
}

std::vector<std::string> RuleBinder::KeySuffix(const RuleDraft& draft, const LoadedStream& stream) {
  if (draft.key.empty()) return {};
  const SourceSpan span = spans_.Value(draft.path + ".key");
  if (draft.key.front() != stream.key_name) {
    const std::string written = fmt::to_string(fmt::join(draft.key, ", "));
    std::string hint = fmt::format("write key: [{}, {}], or read a topic that is keyed by {}",
                                   stream.key_name, written, draft.key.front());
    if (draft.key.front() == stream.key_column) {
      hint = fmt::format("rules call the column '{}' by its field: {}", stream.key_column,
                         stream.key_name);
    }
    diagnostics_.Add(DiagnosticCode::kRuleKey, span,
                     fmt::format("rule '{}' counts by [{}], but stream '{}' is keyed by '{}': the "
                                 "transactions of one {} lie in different partitions",
                                 draft.spec.id, written, stream.context.topic, stream.key_name,
                                 draft.key.front()),
                     std::move(hint));
    return {};
  }
  std::set<std::string> seen = {draft.key.front()};
  for (size_t i = 1; i < draft.key.size(); ++i) {
    CheckAttribute(draft.key[i], stream, spans_.Value(fmt::format("{}.key[{}]", draft.path, i)));
    if (seen.insert(draft.key[i]).second) continue;
    diagnostics_.Add(
        DiagnosticCode::kRuleKey, span,
        fmt::format("the key of rule '{}' names '{}' twice", draft.spec.id, draft.key[i]));
  }
  return {draft.key.begin() + 1, draft.key.end()};
}

void RuleBinder::CheckAttribute(const std::string& name, const LoadedStream& stream,
                                SourceSpan span) {
  if (stream.context.attributes.Find(name).has_value()) return;
  std::string hint = DidYouMean(name, stream.context.attributes.names());
  if (hint.empty()) hint = fmt::format("map its column under fields of '{}'", stream.context.topic);
  diagnostics_.Add(DiagnosticCode::kAttributeUnknown, span,
                   fmt::format("stream '{}' maps no attribute '{}'", stream.context.topic, name),
                   std::move(hint));
}

SourceSpan RuleBinder::AgentSpan(const RuleDraft& draft, const std::string& message) const {
  const std::string path = message.substr(0, message.find(':'));
  if (const std::optional<SourceSpan> span = draft.parameters->SpanOf(path)) return *span;
  return spans_.Key(draft.path);
}

void RuleBinder::BindAgent(const RuleDraft& draft, const RuleSpec& rule, const LoadedStream& stream,
                           std::vector<agents::FeatureSpec>& features) {
  // What the parameter specs refuse, the agent must not see.
  if (!draft.parameters->complete()) return;
  agents::StreamContext context = stream.context;
  context.features = features;
  const auto bound = draft.agent->Bind(rule.parameters, context);
  if (!bound.ok()) {
    const std::string message = agents::MessageOf(bound.status());
    diagnostics_.Add(
        DiagnosticCode::kParameterRefused, AgentSpan(draft, message),
        fmt::format("rule '{}' on stream '{}': {}", rule.id, stream.context.topic, message));
    return;
  }
  if (rule.mode != agents::Mode::kOff) {
    agents::AddFeatures(rule.id, (*bound)->observed(), features);
  }
  const bool mixed = stream.context.has_amount && stream.context.currency.empty();
  if (mixed && (*bound)->accumulates_money() && !PinsCurrency(rule)) {
    diagnostics_.Add(DiagnosticCode::kMixedCurrencies, spans_.Key(draft.path),
                     fmt::format("rule '{}' adds up amounts of stream '{}', which has several "
                                 "currencies",
                                 rule.id, stream.context.topic),
                     "add currency to the rule's key, or a filter on one currency under when");
  }
}

}  // namespace caracal::pipeline
