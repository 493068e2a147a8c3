#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "agents/api/agent_registry.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/evaluator.h"
#include "agents/state/key_hash.h"
#include "agents/velocity/velocity_factory.h"
#include "pipeline/emit/json_alert_encoder.h"
#include "pipeline/plugins/plugin_loader.h"
#include "pipeline/types/event_batch.h"
#include "tests/support/rule_harness.h"

// Built in or as a plugin, one agent gives one set of alerts and one state, byte for byte.
namespace caracal::pipeline {
namespace {

using agents::testing::Duration;
using agents::testing::Exact;
using agents::testing::MakeParameters;
using agents::testing::Number;
using agents::testing::Text;

constexpr size_t kEvents = 1'000'000;
constexpr size_t kAccounts = 5'000;

agents::RuleSpec Rule(std::string id, agents::Parameters parameters) {
  agents::RuleSpec rule;
  rule.id = std::move(id);
  rule.agent = "velocity";
  rule.score = 40;
  rule.parameters = std::move(parameters);
  return rule;
}

agents::RulesetSpec Ruleset(std::vector<agents::RuleSpec> rules) {
  agents::RulesetSpec ruleset;
  ruleset.name = "card-risk";
  ruleset.version = "9c1e4d20a7b3";
  ruleset.alert_above = 30;
  ruleset.rules = std::move(rules);
  return ruleset;
}

/// One way to run the agent: compiled rules, one bucket, an encoder, and all alerts so far.
class Path {
 public:
  Path(const agents::AgentRegistry& registry, const agents::RulesetSpec& ruleset)
      : compiled_(agents::CompiledRulesets::Compile({&ruleset, 1}, registry, {}, {}).value()),
        bucket_(compiled_, {.max_bytes = 1 << 20, .rows_per_bucket = 0}),
        evaluator_(compiled_),
        counts_(*compiled_),
        encoder_(2, compiled_->infos()) {}

  void Judge(const std::vector<Event>& events) {
    inputs_.clear();
    for (const Event& event : events) {
      inputs_.push_back({&event.transaction, &bucket_, event.key_hash});
    }
    evaluator_.Evaluate(inputs_, judgements_, counts_);
    ASSERT_TRUE(evaluator_.failure().ok()) << evaluator_.failure();
    alerts_.clear();
    for (const agents::Judgement& judgement : judgements_) {
      alerts_ += encoder_.EncodeAlert(events[judgement.event], judgement).value + "\n";
    }
    alert_count_ += judgements_.size();
  }

  /// Of the last call.
  const std::string& alerts() const { return alerts_; }
  size_t alert_count() const { return alert_count_; }
  uint64_t evictions() const { return bucket_.evictions(); }
  std::string Image() const {
    std::string image;
    bucket_.AppendTo(1, image);
    return image;
  }

 private:
  std::shared_ptr<const agents::CompiledRulesets> compiled_;
  agents::BucketState bucket_;
  agents::Evaluator evaluator_;
  agents::EvaluationCounts counts_;
  JsonAlertEncoder encoder_;
  std::vector<agents::EvaluationInput> inputs_;
  std::vector<agents::Judgement> judgements_;
  std::string alerts_;
  size_t alert_count_ = 0;
};

/// Payments of a few busy accounts and many quiet ones, a tenth of them late.
class Payments {
 public:
  explicit Payments(uint32_t seed) : random_(seed) {
    for (size_t i = 0; i < kAccounts; ++i) accounts_.push_back("account-" + std::to_string(i));
  }

  std::vector<Event> Next(size_t count) {
    std::vector<Event> events(count);
    for (Event& event : events) {
      const size_t account = random_() % 4 == 0 ? random_() % kAccounts : random_() % 50;
      now_us_ += static_cast<int64_t>(random_() % 20'000);
      event.transaction.key = event.transaction.account = accounts_[account];
      event.transaction.event_time_us =
          now_us_ - (random_() % 10 == 0 ? static_cast<int64_t>(random_() % 90'000'000) : 0);
      event.transaction.has_amount = random_() % 50 != 0;
      event.transaction.amount = static_cast<int64_t>(random_() % 50'000) - 500;
      event.key_hash = agents::HashKey(event.transaction.key, 0);
      event.lease = lease_.get();
      event.offset = offset_++;
    }
    return events;
  }

  std::mt19937& random() { return random_; }

 private:
  std::mt19937 random_;
  std::vector<std::string> accounts_;
  LeasePtr lease_ = std::make_shared<PartitionLease>(1, 0, "payments", 0, 0);
  int64_t now_us_ = 1'700'000'000'000'000;
  int64_t offset_ = 0;
};

TEST(OnePathTest, VelocityIsTheSameBuiltInAndAsAPlugin) {
  agents::AgentRegistry builtin;
  ASSERT_TRUE(builtin.Register(std::make_unique<agents::VelocityFactory>()).ok());
  agents::AgentRegistry plugins;
  PluginRequest request;
  request.path = CARACAL_TEST_PLUGIN_DIR "/velocity.so";
  PluginRefusal refusal;
  auto plugin = PluginLoader(CARACAL_TEST_PLUGIN_DIR).Load(request, refusal);
  ASSERT_NE(plugin, nullptr) << refusal.message;
  ASSERT_TRUE(plugins.Register(std::move(plugin)).ok());

  Path built_in(builtin, Ruleset({Rule("burst", MakeParameters({{"window", Duration("60s")},
                                                                {"max_count", Number(85)},
                                                                {"refunds", Text("exclude")}})),
                                  Rule("spent", MakeParameters({{"window", Duration("20s")},
                                                                {"max_amount", Exact("8000.00")},
                                                                {"capacity", Number(100)},
                                                                {"refunds", Text("exclude")}}))}));
  Path plugged(
      plugins,
      Ruleset({Rule("burst", MakeParameters({{"window", Text("60s")}, {"max_count", Number(85)}})),
               Rule("spent", MakeParameters({{"window", Text("20s")},
                                             {"max_amount", Text("8000.00")},
                                             {"capacity", Number(100)}}))}));
  const auto seed = static_cast<uint32_t>(::testing::UnitTest::GetInstance()->random_seed() + 1);
  SCOPED_TRACE(seed);
  Payments payments(seed);
  for (size_t done = 0; done < kEvents;) {
    const std::vector<Event> events = payments.Next(1 + payments.random()() % 1'000);
    built_in.Judge(events);
    plugged.Judge(events);
    ASSERT_EQ(built_in.alerts(), plugged.alerts()) << "after " << done << " events";
    done += events.size();
  }
  EXPECT_EQ(built_in.Image(), plugged.Image());
  EXPECT_GT(built_in.alert_count(), kEvents / 1'000);
  EXPECT_GT(built_in.evictions(), 0U) << "the stream says nothing of evictions";
}

}  // namespace
}  // namespace caracal::pipeline
