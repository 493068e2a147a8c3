#include "agents/ruleset/ruleset_compiler.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/api/status_macros.h"
#include "agents/ruleset/rule_identity.h"
#include "agents/state/key_table.h"

namespace caracal::agents {
namespace {

constexpr std::string_view kCurrency = "currency";

std::string NamesOf(const AttributeSchema& schema) {
  if (schema.size() == 0) return "none";
  return fmt::format("{}", fmt::join(schema.names(), ", "));
}

std::vector<std::string> ReasonNames(const AgentInfo& agent) {
  std::vector<std::string> names;
  for (const ReasonSpec& reason : agent.reasons) names.push_back(reason.name);
  return names;
}

std::string KeyText(const RuleKey& key) {
  if (key.suffix().empty()) return "the stream's key";
  return fmt::format("the stream's key and {}", fmt::join(key.suffix(), ", "));
}

}  // namespace

RulesetCompiler::RulesetCompiler(const AgentRegistry& registry, const StreamContext& stream,
                                 const CompileOptions& options)
    : registry_(registry),
      stream_(stream),
      mapped_attributes_(NamesOf(stream.attributes)),
      compiled_(new CompiledRulesets),
      context_(stream) {
  compiled_->hash_seed_ = options.hash_seed;
}

std::shared_ptr<const CompiledRulesets> RulesetCompiler::Run(std::span<const RulesetSpec> specs) {
  for (const RulesetSpec& ruleset : specs) AddRuleset(ruleset);
  if (specs.size() > CompiledRulesets::kMaxRulesets) {
    rule_id_.clear();
    Refuse(fmt::format("the stream has {} rulesets; at most {} are allowed", specs.size(),
                       CompiledRulesets::kMaxRulesets));
  }
  if (problems_.empty()) LayOut();
  return problems_.empty() ? std::move(compiled_) : nullptr;
}

void RulesetCompiler::AddRuleset(const RulesetSpec& ruleset) {
  ruleset_name_ = ruleset.name;
  rule_id_.clear();
  rule_ids_.clear();
  context_.features.clear();
  sources_.clear();
  CheckRuleset(ruleset);
  compiled_->infos_.push_back(
      {ruleset.name, ruleset.version, ruleset.alert_above, ruleset.mode, {}});
  for (const RuleSpec& rule : ruleset.rules) {
    rule_id_ = rule.id;
    AddRule(ruleset, rule, compiled_->infos_.back());
  }
}

void RulesetCompiler::CheckRuleset(const RulesetSpec& ruleset) {
  if (ruleset.name.empty()) Refuse("a ruleset needs a name");
  if (!ruleset_names_.insert(ruleset.name).second) {
    Refuse("another ruleset of this stream has the same name; rename one of them");
  }
  if (ruleset.rules.empty()) Refuse("has no rules; add one or remove the ruleset");
  if (ruleset.rules.size() > CompiledRulesets::kMaxRules) {
    Refuse(fmt::format("has {} rules; at most {} are allowed, split the ruleset",
                       ruleset.rules.size(), CompiledRulesets::kMaxRules));
  }
  if (ruleset.alert_above < 0) {
    Refuse(fmt::format("alert_above is {}: every transaction would alert; use 0 or more",
                       ruleset.alert_above));
  }
}

void RulesetCompiler::AddRule(const RulesetSpec& ruleset, const RuleSpec& rule, RulesetInfo& info) {
  const size_t problems_before = problems_.size();
  if (rule.id.empty()) Refuse("a rule needs an id");
  if (!rule_ids_.insert(rule.id).second) {
    Refuse("another rule of this ruleset has the same id; rename one of them");
  }
  if (rule.score > CompiledRulesets::kMaxScore || rule.score < -CompiledRulesets::kMaxScore) {
    Refuse(fmt::format("score is {}; use a value between -{} and {}", rule.score,
                       CompiledRulesets::kMaxScore, CompiledRulesets::kMaxScore));
  }
  CheckKeyAndFilters(rule);
  const AgentFactory* agent = registry_.Find(rule.agent);
  std::unique_ptr<const BoundRule> bound = Bind(rule, agent);
  if (bound == nullptr) return;
  CheckState(bound->state());
  if (problems_.size() == problems_before) CheckCurrency(rule, *bound);
  if (problems_.size() != problems_before) return;
  info.rules.push_back({rule.id, rule.version, rule.agent, rule.score, rule.severity, rule.mode,
                        ReasonNames(agent->info()), bound->observed(), bound->limit_json()});
  if (rule.mode == Mode::kOff) return;
  AddFeatures(rule.id, bound->observed(), context_.features);
  if (ruleset.mode == Mode::kOff) return;
  Include(rule, agent->info(), std::move(bound), info.rules.size() - 1);
  const auto index = static_cast<uint32_t>(compiled_->rules_.size() - 1);
  for (size_t i = sources_.size(); i < context_.features.size(); ++i) {
    sources_.push_back({index, context_.features[i].slot});
  }
}

std::unique_ptr<const BoundRule> RulesetCompiler::Bind(const RuleSpec& rule,
                                                       const AgentFactory* agent) {
  if (agent == nullptr) {
    Refuse(fmt::format("there is no agent '{}'; there are: {}", rule.agent,
                       fmt::join(registry_.names(), ", ")));
    return nullptr;
  }
  absl::StatusOr<std::unique_ptr<BoundRule>> bound = agent->Bind(rule.parameters, context_);
  if (!bound.ok()) {
    Refuse(MessageOf(bound.status()));
    return nullptr;
  }
  return *std::move(bound);
}

void RulesetCompiler::CheckKeyAndFilters(const RuleSpec& rule) {
  std::set<std::string> suffix;
  for (const std::string& attribute : rule.key_suffix) {
    CheckMapped("key", attribute);
    if (!suffix.insert(attribute).second) {
      Refuse(fmt::format("key names attribute '{}' twice", attribute));
    }
  }
  for (const AttributeFilter& filter : rule.filters) {
    CheckMapped("filter", filter.attribute);
    if (filter.values.empty()) {
      Refuse(fmt::format("filter on '{}' lists no value: the rule would see no transaction",
                         filter.attribute));
    }
  }
}

void RulesetCompiler::CheckMapped(std::string_view what, const std::string& attribute) {
  if (stream_.attributes.Find(attribute).has_value()) return;
  Refuse(
      fmt::format("{} attribute '{}' is not mapped by stream '{}' (mapped: {}); map it under "
                  "the stream's fields or correct the name",
                  what, attribute, stream_.topic, mapped_attributes_));
}

void RulesetCompiler::CheckState(const StateSpec& state) {
  if (state.size > KeyTable::kRecordBytesMax) {
    Refuse(fmt::format("its agent wants {} bytes of state per key; at most {} are allowed",
                       state.size, KeyTable::kRecordBytesMax));
  }
  if (!std::has_single_bit(state.align) || state.align > KeyTable::kRecordAlignMax) {
    Refuse(fmt::format("its agent declares a state alignment of {}; use a power of two up to {}",
                       state.align, KeyTable::kRecordAlignMax));
  }
}

void RulesetCompiler::CheckCurrency(const RuleSpec& rule, const BoundRule& bound) {
  const bool mixed = stream_.currency.empty() && stream_.attributes.Find(kCurrency).has_value();
  if (!mixed || !bound.accumulates_money()) return;
  const auto& suffix = rule.key_suffix;
  if (std::find(suffix.begin(), suffix.end(), kCurrency) != suffix.end()) return;
  if (RuleFilter(rule.filters, stream_.attributes).PinsOneValue(kCurrency)) return;
  Refuse(
      fmt::format("adds up money, but the currency of stream '{}' differs per row; add currency "
                  "to the rule's key, filter it to one currency, or declare the stream's "
                  "currency",
                  stream_.topic));
}

void RulesetCompiler::Include(const RuleSpec& rule, const AgentInfo& agent,
                              std::unique_ptr<const BoundRule> bound, size_t rule_index) {
  CompiledRule compiled;
  compiled.ruleset = static_cast<uint16_t>(compiled_->infos_.size() - 1);
  compiled.rule = static_cast<uint16_t>(rule_index);
  compiled.enforced = rule.mode == Mode::kEnforce;
  compiled.score = rule.score;
  compiled.filter = FilterIndex(RuleFilter(rule.filters, stream_.attributes));
  std::vector<FeatureIdentity> features;
  for (const uint16_t feature : bound->features()) {
    const FeatureSource& source = sources_[feature];
    compiled.features.push_back(source);
    compiled_->rules_[source.rule].is_observed = true;
    features.push_back({source.slot, observed_[source.rule]});
  }
  const RuleIdentity identity = IdentityOf({ruleset_name_, rule, agent, *bound, stream_, features});
  observed_.push_back(identity.observed);
  const StateSpec state = bound->state();
  if (state.size != 0) {
    slices_.push_back({RuleKey(rule.key_suffix, stream_.attributes), state, compiled.ruleset,
                       compiled.rule, identity.slice});
  }
  compiled.bound = std::move(bound);
  compiled_->rules_.push_back(std::move(compiled));
}

uint32_t RulesetCompiler::FilterIndex(const RuleFilter& filter) {
  auto& filters = compiled_->filters_;
  const auto known = std::find(filters.begin(), filters.end(), filter);
  const auto index = known - filters.begin();
  if (known == filters.end()) filters.push_back(filter);
  return static_cast<uint32_t>(index);
}

void RulesetCompiler::LayOut() {
  compiled_->layout_ = LayOutState(slices_, compiled_->hash_seed_);
  const auto& groups = compiled_->layout_.groups;
  for (size_t i = 0; i < groups.size(); ++i) {
    CheckRecordSize(groups[i]);
    compiled_->event_bytes_max_ += KeyTable::BytesPerKey(groups[i].record);
    for (const StateSlice& slice : groups[i].slices) {
      CompiledRule& rule = RuleOf(slice);
      rule.group = static_cast<uint32_t>(i);
      rule.offset = slice.offset;
    }
  }
}

CompiledRule& RulesetCompiler::RuleOf(const StateSlice& slice) {
  return *std::lower_bound(compiled_->rules_.begin(), compiled_->rules_.end(), slice,
                           [](const CompiledRule& rule, const StateSlice& wanted) {
                             return std::tie(rule.ruleset, rule.rule) <
                                    std::tie(wanted.ruleset, wanted.rule);
                           });
}

void RulesetCompiler::CheckRecordSize(const KeyGroup& group) {
  if (group.record.size <= KeyTable::kRecordBytesMax) return;
  const StateSlice& largest =
      *std::max_element(group.slices.begin(), group.slices.end(),
                        [](const StateSlice& a, const StateSlice& b) { return a.size < b.size; });
  const RulesetInfo& info = compiled_->infos_[largest.ruleset];
  ruleset_name_ = info.name;
  rule_id_ = info.rules[largest.rule].id;
  Refuse(
      fmt::format("the rules that count by {} need {} bytes of state per key together, at most "
                  "{} are allowed; this rule is the largest with {}: lower its capacity or "
                  "history",
                  KeyText(group.key), group.record.size, KeyTable::kRecordBytesMax, largest.size));
}

void RulesetCompiler::Refuse(std::string message) {
  problems_.push_back({ruleset_name_, rule_id_, std::move(message)});
}

}  // namespace caracal::agents
