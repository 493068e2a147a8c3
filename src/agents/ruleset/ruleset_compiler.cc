#include "agents/ruleset/ruleset_compiler.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/api/status_macros.h"
#include "agents/state/key_hash.h"

namespace caracal::agents {
namespace {

constexpr uint32_t kMaxRecordBytes = 64 * 1024;
constexpr uint32_t kMaxAlign = 16;
constexpr int32_t kMaxScore = 1'000'000;
constexpr size_t kMaxRules = 10'000;

// Layout identities must not depend on the deployment's hash seed.
uint64_t IdentityHash(std::string_view text) { return HashKey(text, 0).low; }

uint32_t RoundUp(uint32_t value, uint32_t align) { return (value + align - 1) & ~(align - 1); }

}  // namespace

RulesetCompiler::RulesetCompiler(const AgentRegistry& registry, const StreamContext& stream,
                                 const CompileOptions& options)
    : registry_(registry), stream_(stream), result_(new CompiledRulesets()) {
  result_->hash_seed_ = options.hash_seed;
}

absl::StatusOr<std::shared_ptr<const CompiledRulesets>> RulesetCompiler::Compile(
    std::span<const RulesetSpec> specs) {
  for (const RulesetSpec& spec : specs) AddRuleset(spec);
  if (result_->rules_.size() > kMaxRules) {
    problems_.push_back(
        fmt::format("{} rules on one stream are more than {}", result_->rules_.size(), kMaxRules));
  }
  if (problems_.empty()) LayOut();
  if (!problems_.empty()) {
    return absl::InvalidArgumentError(fmt::format("{}", fmt::join(problems_, "\n")));
  }
  Identify();
  return std::shared_ptr<const CompiledRulesets>(std::move(result_));
}

void RulesetCompiler::AddProblem(const RulesetSpec& ruleset, const RuleSpec* rule,
                                 const std::string& message) {
  problems_.push_back(rule == nullptr ? fmt::format("ruleset '{}': {}", ruleset.name, message)
                                      : fmt::format("ruleset '{}', rule '{}': {}", ruleset.name,
                                                    rule->id, message));
}

void RulesetCompiler::AddRuleset(const RulesetSpec& spec) {
  if (spec.name.empty()) AddProblem(spec, nullptr, "a ruleset needs a name");
  if (!ruleset_names_.insert(spec.name).second) {
    AddProblem(spec, nullptr, "a second ruleset of this name");
  }
  if (spec.rules.empty()) AddProblem(spec, nullptr, "has no rules");
  RulesetInfo info;
  info.name = spec.name;
  info.version = spec.version;
  info.alert_above = spec.alert_above;
  info.mode = spec.mode;
  result_->infos_.push_back(std::move(info));
  std::set<std::string> ids;
  for (const RuleSpec& rule : spec.rules) {
    if (rule.id.empty()) AddProblem(spec, &rule, "a rule needs an id");
    if (!ids.insert(rule.id).second) AddProblem(spec, &rule, "a second rule of this id");
    AddRule(spec, rule);
  }
}

void RulesetCompiler::AddRule(const RulesetSpec& ruleset, const RuleSpec& spec) {
  RuleInfo info;
  info.id = spec.id;
  info.version = spec.version;
  info.agent = spec.agent;
  info.score = spec.score;
  info.severity = spec.severity;
  info.mode = spec.mode;
  const AgentFactory* factory = registry_.Find(spec.agent);
  std::unique_ptr<BoundRule> bound;
  if (factory == nullptr) {
    AddProblem(ruleset, &spec,
               fmt::format("there is no agent '{}'; there are {}", spec.agent,
                           fmt::join(registry_.names(), ", ")));
  } else {
    for (const ReasonSpec& reason : factory->info().reasons) info.reasons.push_back(reason.name);
    bound = Bind(ruleset, spec, *factory);
  }
  if (spec.score > kMaxScore || spec.score < -kMaxScore) {
    AddProblem(ruleset, &spec, fmt::format("score {} is beyond {}", spec.score, kMaxScore));
  }
  if (bound != nullptr) {
    info.observed = bound->observed();
    info.limit_json = bound->limit_json();
  }
  RulesetInfo& ruleset_info = result_->infos_.back();
  ruleset_info.rules.push_back(std::move(info));

  CompiledRule rule;
  std::vector<uint16_t> suffix;
  if (!ResolveSlots(ruleset, spec, rule, suffix) || bound == nullptr) return;
  if (!CheckCurrencies(ruleset, spec, *bound)) return;
  if (ruleset.mode == Mode::kOff || spec.mode == Mode::kOff) return;
  const auto [group, is_new] =
      group_of_suffix_.emplace(suffix, static_cast<uint16_t>(group_of_suffix_.size()));
  if (is_new) result_->groups_.push_back({.suffix = suffix, .layout = {}});
  rule.ruleset = static_cast<uint16_t>(result_->infos_.size() - 1);
  rule.rule = static_cast<uint16_t>(ruleset_info.rules.size() - 1);
  rule.group = group->second;
  rule.enforced = spec.mode == Mode::kEnforce;
  rule.score = spec.score;
  rule.state_size = bound->state().size;
  rule.bound = std::move(bound);
  result_->rules_.push_back(std::move(rule));
}

std::unique_ptr<BoundRule> RulesetCompiler::Bind(const RulesetSpec& ruleset, const RuleSpec& spec,
                                                 const AgentFactory& factory) {
  absl::StatusOr<std::unique_ptr<BoundRule>> bound = factory.Bind(spec.parameters, stream_);
  if (!bound.ok()) {
    AddProblem(ruleset, &spec, MessageOf(bound.status()));
    return nullptr;
  }
  const StateSpec state = (*bound)->state();
  const bool align_ok =
      state.align >= 1 && state.align <= kMaxAlign && (state.align & (state.align - 1)) == 0;
  if (!align_ok || state.size > kMaxRecordBytes) {
    AddProblem(
        ruleset, &spec,
        fmt::format("agent '{}' asks for a record of {} bytes aligned to {}: at most {} bytes, "
                    "aligned to a power of two of at most {}",
                    spec.agent, state.size, state.align, kMaxRecordBytes, kMaxAlign));
    return nullptr;
  }
  return *std::move(bound);
}

std::string RulesetCompiler::MappedAttributes() const {
  if (stream_.attributes.size() == 0) return "the stream maps no attributes";
  return fmt::format("the stream maps {}", fmt::join(stream_.attributes.names(), ", "));
}

bool RulesetCompiler::ResolveSlots(const RulesetSpec& ruleset, const RuleSpec& spec,
                                   CompiledRule& rule, std::vector<uint16_t>& suffix) {
  bool resolved = true;
  const auto slot_of = [&](const std::string& name, const char* where) -> std::optional<uint16_t> {
    const std::optional<uint16_t> slot = stream_.attributes.Find(name);
    if (!slot.has_value()) {
      AddProblem(ruleset, &spec,
                 fmt::format("{}: no attribute '{}': {}", where, name, MappedAttributes()));
      resolved = false;
    }
    return slot;
  };
  for (const std::string& name : spec.key_suffix) {
    const std::optional<uint16_t> slot = slot_of(name, "key");
    if (!slot.has_value()) continue;
    if (std::find(suffix.begin(), suffix.end(), *slot) != suffix.end()) {
      AddProblem(ruleset, &spec, fmt::format("key: attribute '{}' twice", name));
      resolved = false;
    }
    suffix.push_back(*slot);
  }
  for (const AttributeFilter& filter : spec.filters) {
    const std::optional<uint16_t> slot = slot_of(filter.attribute, "when");
    if (!slot.has_value()) continue;
    rule.filters.push_back({*slot, filter.values});
    std::sort(rule.filters.back().values.begin(), rule.filters.back().values.end());
  }
  return resolved;
}

bool RulesetCompiler::CheckCurrencies(const RulesetSpec& ruleset, const RuleSpec& spec,
                                      const BoundRule& bound) {
  const bool mixed = stream_.currency.empty() && stream_.attributes.Find("currency").has_value();
  if (!mixed || !bound.accumulates_money()) return true;
  const auto& key = spec.key_suffix;
  const bool keyed = std::find(key.begin(), key.end(), "currency") != key.end();
  const bool filtered =
      std::any_of(spec.filters.begin(), spec.filters.end(), [](const AttributeFilter& filter) {
        return filter.attribute == "currency" && filter.values.size() == 1;
      });
  if (keyed || filtered) return true;
  AddProblem(
      ruleset, &spec,
      "adds up amounts of different currencies: key the rule by currency too, or filter it to one "
      "(when: {currency: EUR})");
  return false;
}

void RulesetCompiler::LayOut() {
  std::vector<CompiledRule>& rules = result_->rules_;
  // Strictest alignment first: no padding but at the end.
  std::vector<size_t> order(rules.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&rules](size_t a, size_t b) {
    return rules[a].bound->state().align > rules[b].bound->state().align;
  });
  for (const size_t index : order) {
    CompiledRule& rule = rules[index];
    RecordLayout& layout = result_->groups_[rule.group].layout;
    const StateSpec state = rule.bound->state();
    rule.offset = RoundUp(layout.size, state.align);
    layout.size = rule.offset + state.size;
    layout.align = std::max(layout.align, state.align);
    if (layout.size > kMaxRecordBytes) {
      problems_.push_back(fmt::format(
          "the rules that count by one key need more than {} bytes per key: lower capacities or "
          "histories, or fewer rules",
          kMaxRecordBytes));
      return;
    }
  }
}

void RulesetCompiler::Identify() {
  std::string all;
  for (CompiledRule& rule : result_->rules_) {
    const RulesetInfo& ruleset = result_->infos_[rule.ruleset];
    const RuleInfo& info = ruleset.rules[rule.rule];
    const StateSpec state = rule.bound->state();
    const std::string text = fmt::format(
        "{}\n{}\n{}\n{}\n{}\n{}\n{}", ruleset.name, info.id, info.agent, state.version, state.size,
        rule.bound->layout_fingerprint(), fmt::join(result_->groups_[rule.group].suffix, ","));
    rule.slice_hash = IdentityHash(text);
    all += fmt::format("{} {} {}\n", rule.group, rule.offset, text);
  }
  result_->layout_hash_ = IdentityHash(all);
}

}  // namespace caracal::agents
