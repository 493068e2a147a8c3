#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/agent_registry.h"
#include "agents/api/check.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "pipeline/execute/worker.h"
#include "tests/unit/pipeline_execute/judged_stream.h"

// An agent that can judge no more, as a plugin may: nothing of the epoch may be used.
namespace caracal::pipeline {
namespace {

constexpr int64_t kFatalOffset = 5;
constexpr int64_t kFirstTimeUs = 1'700'000'000'000'000;

/// Counts the events of a key, until it meets the one at kFatalOffset.
class BreakingAgent final : public agents::Agent {
 public:
  void Process(std::span<const agents::Transaction* const> events,
               std::span<std::byte* const> states, std::span<agents::Verdict> verdicts) override {
    for (size_t i = 0; i < events.size() && status_.ok(); ++i) {
      verdicts[i].observed[0] = ++*reinterpret_cast<int64_t*>(states[i]);
      verdicts[i].fired = true;
      if (events[i]->event_time_us == kFirstTimeUs + kFatalOffset) {
        status_ = absl::InternalError("it is broken");
      }
    }
  }
  absl::Status status() const override { return status_; }

 private:
  absl::Status status_;
};

class BreakingRule final : public agents::BoundRule {
 public:
  agents::StateSpec state() const override { return {8, 8, 1}; }
  std::string layout_fingerprint() const override { return ""; }
  std::vector<agents::ObservedField> observed() const override {
    return {{"count", agents::ValueKind::kInteger, 0}};
  }
  std::string limit_json() const override { return "{}"; }
  std::unique_ptr<agents::Agent> NewAgent() const override {
    return std::make_unique<BreakingAgent>();
  }
};

class BreakingFactory final : public agents::AgentFactory {
 public:
  BreakingFactory() {
    info_.name = "breaking";
    info_.description = "Breaks.";
    info_.reasons = {{"fired", "always"}};
  }
  const agents::AgentInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<agents::BoundRule>> Bind(
      const agents::Parameters& /*parameters*/,
      const agents::StreamContext& /*stream*/) const override {
    return std::make_unique<BreakingRule>();
  }

 private:
  agents::AgentInfo info_;
};

class BrokenAgentTest : public ::testing::Test {
 protected:
  BrokenAgentTest() {
    CHECK(registry_.Register(std::make_unique<BreakingFactory>()).ok());
    agents::RuleSpec rule;
    rule.id = "rule";
    rule.agent = "breaking";
    rule.score = 1;
    agents::RulesetSpec ruleset;
    ruleset.name = "set";
    ruleset.rules = {rule};
    plan_ = stream_.plans()[0];
    plan_.rulesets =
        agents::CompiledRulesets::Compile(
            {&ruleset, 1}, registry_, EngineHarness::ContextOf(EngineHarness::DefaultDecode()), {})
            .value();
    plan_.encoder = std::make_shared<JsonAlertEncoder>(2, plan_.rulesets->infos());
    worker_ =
        std::make_unique<Worker>(std::vector<StreamPlan>{plan_}, JudgedStream::kBuckets, 0, 1);
  }

  EpochShare Judge(int64_t first, int64_t count, bool replayed) {
    std::vector<JudgedStream::Payment> payments;
    for (int64_t i = first; i < first + count; ++i) {
      payments.push_back({.offset = i, .account = 7, .replayed = replayed});
    }
    EventBatch batch = JudgedStream::Batch(lease_, payments);
    worker_->Handle(batch);
    return worker_->Handle(Barrier{++epoch_, {}});
  }

  JudgedStream stream_;
  agents::AgentRegistry registry_;
  StreamPlan plan_;
  std::unique_ptr<Worker> worker_;
  LeasePtr lease_ = JudgedStream::Lease(0);
  uint64_t epoch_ = 0;
};

TEST_F(BrokenAgentTest, EveryLaterShareSaysSo) {
  worker_->Handle(OpenPartition{lease_, nullptr});
  const EpochShare before = Judge(0, kFatalOffset, false);
  EXPECT_TRUE(before.failure.ok());
  EXPECT_EQ(before.outputs.size(), 5U);
  const EpochShare broken = Judge(kFatalOffset, 3, false);
  EXPECT_EQ(broken.failure.message(), "ruleset 'set', rule 'rule': it is broken");
  EXPECT_TRUE(broken.outputs.empty());
  const EpochShare after = Judge(kFatalOffset + 3, 3, false);
  EXPECT_FALSE(after.failure.ok());
  EXPECT_TRUE(after.outputs.empty()) << "nothing more is judged";
}

TEST_F(BrokenAgentTest, AReplayThatBreaksItFailsTheEpochToo) {
  worker_->Handle(OpenPartition{lease_, nullptr});
  EXPECT_FALSE(Judge(0, 8, true).failure.ok());
}

TEST_F(BrokenAgentTest, SoDoesAReplayBelowAnActivation) {
  OpenPartition open{lease_, nullptr};
  const agents::StateSlice& slice = plan_.rulesets->layout().groups[0].slices[0];
  // Some rule's state begins at 20: below, evaluators of their own judge.
  open.state_starts = {{slice.id, 0}, {agents::StateDigest{1, 2}, 20}};
  worker_->Handle(open);
  EXPECT_TRUE(Judge(0, kFatalOffset, true).failure.ok());
  EXPECT_EQ(Judge(kFatalOffset, 3, true).failure.message(),
            "ruleset 'set', rule 'rule': it is broken");
}

}  // namespace
}  // namespace caracal::pipeline
