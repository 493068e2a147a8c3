#include "agents/ruleset/rule_identity.h"

#include <memory>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "agents/api/parameters.h"
#include "agents/ruleset/rule_filter.h"

namespace caracal::agents {
namespace {

void AddDigest(const StateDigest& digest, StateDigester& digester) {
  digester.AddNumber(digest.low);
  digester.AddNumber(digest.high);
}

void AddParameters(const Parameters& parameters, StateDigester& digester);

void AddValue(const ParameterValue& value, StateDigester& digester) {
  digester.AddNumber(value.index());
  std::visit(
      [&digester](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, bool> || std::is_same_v<Held, int64_t>) {
          digester.AddNumber(static_cast<uint64_t>(held));
        } else if constexpr (std::is_same_v<Held, Decimal>) {
          digester.AddText(FormatDecimal(held));
        } else if constexpr (std::is_same_v<Held, std::string>) {
          digester.AddText(held);
        } else if constexpr (std::is_same_v<Held, std::vector<std::string>>) {
          digester.AddNumber(held.size());
          for (const std::string& text : held) digester.AddText(text);
        } else if constexpr (std::is_same_v<Held, ParameterFile>) {
          digester.AddText(held.sha256);
        } else if constexpr (std::is_same_v<Held, std::vector<ParameterFile>>) {
          digester.AddNumber(held.size());
          for (const ParameterFile& file : held) digester.AddText(file.sha256);
        } else {
          AddParameters(*held, digester);
        }
      },
      value);
}

void AddParameters(const Parameters& parameters, StateDigester& digester) {
  digester.AddNumber(parameters.values().size());
  for (const auto& [name, value] : parameters.values()) {
    digester.AddText(name);
    AddValue(value, digester);
  }
}

void AddFeatures(std::span<const FeatureIdentity> features, StateDigester& digester) {
  for (const FeatureIdentity& feature : features) {
    digester.AddNumber(feature.slot);
    AddDigest(feature.observed, digester);
  }
}

StateDigest SliceOf(const BoundRuleView& rule) {
  const StateSpec state = rule.bound.state();
  StateDigester digester;
  digester.AddText(rule.ruleset);
  digester.AddText(rule.spec.id);
  digester.AddText(rule.spec.agent);
  digester.AddNumber(state.version);
  digester.AddNumber(state.size);
  digester.AddNumber(state.align);
  digester.AddText(rule.bound.layout_fingerprint());
  digester.AddNumber(static_cast<uint64_t>(rule.stream.amount_scale));
  RuleKey(rule.spec.key_suffix, rule.stream.attributes).AddTo(digester);
  RuleFilter(rule.spec.filters, rule.stream.attributes).AddTo(digester);
  AddFeatures(rule.features, digester);
  return digester.Digest();
}

}  // namespace

RuleIdentity IdentityOf(const BoundRuleView& rule) {
  RuleIdentity identity;
  identity.slice = SliceOf(rule);
  StateDigester digester;
  AddDigest(identity.slice, digester);
  digester.AddText(rule.agent.version);
  AddParameters(rule.spec.parameters, digester);
  identity.observed = digester.Digest();
  return identity;
}

}  // namespace caracal::agents
