#include "tests/unit/agents_ruleset/test_agents.h"

#include <cstring>
#include <memory>
#include <utility>

#include "agents/api/check.h"

namespace caracal::agents {
namespace {

class CountAgent : public Agent {
 public:
  explicit CountAgent(int64_t at) : at_(at) {}

  void Process(std::span<const Transaction* const> events, std::span<std::byte* const> states,
               std::span<Verdict> verdicts) override {
    for (size_t i = 0; i < events.size(); ++i) {
      int64_t count;
      std::memcpy(&count, states[i], sizeof(count));
      ++count;
      std::memcpy(states[i], &count, sizeof(count));
      Verdict& verdict = verdicts[i];
      CHECK(verdict.observed[0] == 0 && !verdict.fired && verdict.flags == 0);
      verdict.observed[0] = count;
      verdict.fired = count >= at_;
      if (count > 100) verdict.flags |= kAtLeast;
      if (events[i]->amount < 0) verdict.flags |= kLate;
      if (!events[i]->has_amount) verdict.flags |= kInactive;
    }
  }

 private:
  int64_t at_;
};

class AboveAgent : public Agent {
 public:
  explicit AboveAgent(int64_t limit) : limit_(limit) {}

  void Process(std::span<const Transaction* const> events, std::span<std::byte* const> states,
               std::span<Verdict> verdicts) override {
    for (size_t i = 0; i < events.size(); ++i) {
      CHECK(states[i] == nullptr);
      verdicts[i].observed[0] = events[i]->amount;
      verdicts[i].fired = events[i]->amount > limit_;
    }
  }

 private:
  int64_t limit_;
};

class CountRuleBinding : public BoundRule {
 public:
  explicit CountRuleBinding(const Parameters& parameters)
      : at_(parameters.Integer("at")),
        size_(parameters.Has("state_bytes") ? parameters.Integer("state_bytes") : 8),
        align_(parameters.Has("state_align") ? parameters.Integer("state_align") : 8),
        money_(parameters.Has("money") && parameters.Bool("money")) {}

  StateSpec state() const override {
    return {static_cast<uint32_t>(size_), static_cast<uint32_t>(align_), 1};
  }
  std::string layout_fingerprint() const override { return "at=" + std::to_string(at_); }
  std::vector<ObservedField> observed() const override {
    return {{"count", ValueKind::kInteger, 0}};
  }
  std::string limit_json() const override { return "{\"at\":" + std::to_string(at_) + "}"; }
  bool accumulates_money() const override { return money_; }
  std::unique_ptr<Agent> NewAgent() const override { return std::make_unique<CountAgent>(at_); }

 private:
  int64_t at_;
  int64_t size_;
  int64_t align_;
  bool money_;
};

class AboveRuleBinding : public BoundRule {
 public:
  explicit AboveRuleBinding(int64_t limit) : limit_(limit) {}

  StateSpec state() const override { return {}; }
  std::string layout_fingerprint() const override { return ""; }
  std::vector<ObservedField> observed() const override {
    return {{"amount", ValueKind::kMoney, 0}};
  }
  std::string limit_json() const override { return "{}"; }
  std::unique_ptr<Agent> NewAgent() const override { return std::make_unique<AboveAgent>(limit_); }

 private:
  int64_t limit_;
};

class CountFactory : public AgentFactory {
 public:
  CountFactory() {
    info_.name = "count";
    info_.reasons = {{"count_reached", ""}};
  }
  const AgentInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<BoundRule>> Bind(const Parameters& parameters,
                                                  const StreamContext&) const override {
    return std::make_unique<CountRuleBinding>(parameters);
  }

 private:
  AgentInfo info_;
};

class AboveFactory : public AgentFactory {
 public:
  AboveFactory() {
    info_.name = "above";
    info_.reasons = {{"above_limit", ""}};
  }
  const AgentInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<BoundRule>> Bind(const Parameters& parameters,
                                                  const StreamContext&) const override {
    const int64_t limit = parameters.Integer("limit");
    if (limit < 0) return absl::InvalidArgumentError("limit: must not be negative");
    return std::make_unique<AboveRuleBinding>(limit);
  }

 private:
  AgentInfo info_;
};

RuleSpec Rule(std::string id, std::string agent, int32_t score) {
  RuleSpec rule;
  rule.id = std::move(id);
  rule.agent = std::move(agent);
  rule.score = score;
  return rule;
}

}  // namespace

void RegisterTestAgents(AgentRegistry& registry) {
  CHECK(registry.Register(std::make_unique<CountFactory>()).ok());
  CHECK(registry.Register(std::make_unique<AboveFactory>()).ok());
}

RuleSpec CountRule(std::string id, int64_t at, int32_t score) {
  RuleSpec rule = Rule(std::move(id), "count", score);
  rule.parameters.Set("at", at);
  return rule;
}

RuleSpec AboveRule(std::string id, int64_t limit, int32_t score) {
  RuleSpec rule = Rule(std::move(id), "above", score);
  rule.parameters.Set("limit", limit);
  return rule;
}

RulesetSpec Ruleset(std::string name, int32_t alert_above, std::vector<RuleSpec> rules) {
  RulesetSpec ruleset;
  ruleset.name = std::move(name);
  ruleset.version = "0123456789ab";
  ruleset.alert_above = alert_above;
  ruleset.rules = std::move(rules);
  return ruleset;
}

}  // namespace caracal::agents
