#include "agents/plugin/plugin_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/agents_plugin/test_plugins.h"

namespace caracal::agents {
namespace {

using ::testing::HasSubstr;

constexpr size_t kKeys = 3;

struct Payment {
  size_t key = 0;
  int64_t amount = 0;
};

/// Judges payments in batches; the states of all keys lie here.
class Judge {
 public:
  explicit Judge(PluginErrorPolicy on_error, CallWatchMaker watch = nullptr)
      : factory_(MakePlugin<SummingPlugin>(on_error, nullptr, std::move(watch))),
        rule_(factory_->Bind({}, {}).value()),
        agent_(rule_->NewAgent()) {}

  std::vector<Verdict> Batch(const std::vector<Payment>& payments) {
    std::vector<Transaction> transactions(payments.size());
    std::vector<const Transaction*> events;
    std::vector<std::byte*> states;
    for (size_t i = 0; i < payments.size(); ++i) {
      transactions[i].amount = payments[i].amount;
      transactions[i].has_amount = true;
      events.push_back(&transactions[i]);
      states.push_back(reinterpret_cast<std::byte*>(&sums_[payments[i].key]));
    }
    std::vector<Verdict> verdicts(payments.size());
    agent_->Process(events, states, verdicts);
    return verdicts;
  }

  const std::array<int64_t, kKeys>& sums() const { return sums_; }
  const Agent& agent() const { return *agent_; }

 private:
  std::unique_ptr<PluginFactory> factory_;
  std::unique_ptr<BoundRule> rule_;
  std::unique_ptr<Agent> agent_;
  std::array<int64_t, kKeys> sums_ = {};
};

TEST(PluginAgentTest, JudgesInOrderWithTheStatesOfTheKeys) {
  Judge judge(PluginErrorPolicy::kFail);
  const std::vector<Verdict> verdicts = judge.Batch({{0, 90}, {1, 50}, {0, 20}, {1, 50}});
  EXPECT_FALSE(verdicts[0].fired);
  EXPECT_TRUE(verdicts[2].fired);
  EXPECT_EQ(verdicts[2].observed[0], 110);
  EXPECT_FALSE(verdicts[3].fired);
  EXPECT_EQ(judge.sums()[1], 100);
  EXPECT_TRUE(judge.agent().status().ok());
}

TEST(PluginAgentTest, AnEventWithAnErrorIsAsIfItHadNotBeen) {
  Judge judge(PluginErrorPolicy::kSkip);
  const std::vector<Verdict> verdicts =
      judge.Batch({{0, 60}, {0, SummingPlugin::kBadAmount}, {0, 41}, {1, 5}});
  EXPECT_EQ(verdicts[0].observed[0], 60);
  EXPECT_EQ(verdicts[1].flags, kFailed);
  EXPECT_FALSE(verdicts[1].fired);
  EXPECT_EQ(verdicts[1].observed[0], 0);
  EXPECT_TRUE(verdicts[2].fired);
  EXPECT_EQ(verdicts[2].observed[0], 101);
  EXPECT_EQ(judge.sums()[0], 101);
  EXPECT_EQ(judge.sums()[1], 5);
}

TEST(PluginAgentTest, ErrorsGiveTheSameResultsInAnyBatches) {
  const uint32_t seed = ::testing::UnitTest::GetInstance()->random_seed() + 1U;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  Judge judge(PluginErrorPolicy::kSkip);
  std::array<int64_t, kKeys> expected = {};
  for (int batch = 0; batch < 500; ++batch) {
    std::vector<Payment> payments(1 + random() % 40);
    for (Payment& payment : payments) {
      payment = {random() % kKeys, static_cast<int64_t>(random() % 40) - 10};
      if (random() % 4 == 0) payment.amount = SummingPlugin::kBadAmount;
    }
    const std::vector<Verdict> verdicts = judge.Batch(payments);
    for (size_t i = 0; i < payments.size(); ++i) {
      int64_t& sum = expected[payments[i].key];
      if (payments[i].amount == SummingPlugin::kBadAmount) {
        ASSERT_EQ(verdicts[i].flags, kFailed);
        continue;
      }
      sum += payments[i].amount;
      ASSERT_EQ(verdicts[i].observed[0], sum);
      ASSERT_EQ(verdicts[i].fired, sum > 100);
      ASSERT_EQ(verdicts[i].flags, 0);
    }
    ASSERT_EQ(judge.sums(), expected);
  }
}

TEST(PluginAgentTest, AnErrorBreaksAnAgentThatMayHaveNone) {
  Judge judge(PluginErrorPolicy::kFail);
  judge.Batch({{0, 60}, {0, SummingPlugin::kBadAmount}, {0, 41}});
  EXPECT_THAT(std::string(judge.agent().status().message()),
              HasSubstr("agent 'summing' 1.0.0: it had error 1 with an event; mend the plugin, or "
                        "set on_error: skip"));
  const std::vector<Verdict> later = judge.Batch({{2, 500}});
  EXPECT_FALSE(later[0].fired) << "it judges no more";
  EXPECT_EQ(judge.sums()[2], 0);
}

/// Writes down what it sees; says after every batch what `after_batch` says.
class NotingWatch final : public CallWatch {
 public:
  struct Notes {
    int begun = 0;
    int ended = 0;
    std::vector<std::pair<PluginError, std::string>> errors;
    absl::Status after_batch;
  };
  explicit NotingWatch(Notes& notes) : notes_(notes) {}

  void BatchBegins() override { ++notes_.begun; }
  absl::Status BatchEnds() override {
    ++notes_.ended;
    return notes_.after_batch;
  }
  void NoteError(PluginError error, std::string_view sentence) override {
    notes_.errors.emplace_back(error, sentence);
  }

  static CallWatchMaker Into(Notes& notes) {
    return [&notes] { return std::make_unique<NotingWatch>(notes); };
  }

 private:
  Notes& notes_;
};

TEST(PluginAgentTest, AWatchSeesBatchesAndErrors) {
  NotingWatch::Notes notes;
  Judge judge(PluginErrorPolicy::kSkip, NotingWatch::Into(notes));
  judge.Batch({{0, 1}, {0, 2}});
  EXPECT_TRUE(notes.errors.empty());
  judge.Batch({{0, 60}, {0, SummingPlugin::kBadAmount}, {1, SummingPlugin::kBadAmount}, {0, 41}});
  EXPECT_EQ(notes.begun, 2) << "what is judged again belongs to its batch";
  EXPECT_EQ(notes.ended, 2);
  ASSERT_EQ(notes.errors.size(), 2U);
  EXPECT_EQ(notes.errors[0].first, PluginError::kEvent);
  EXPECT_EQ(notes.errors[0].second, "it had error 1 with an event");
}

TEST(PluginAgentTest, AnErrorThatStopsTheEngineIsNotedOnce) {
  NotingWatch::Notes notes;
  Judge judge(PluginErrorPolicy::kFail, NotingWatch::Into(notes));
  judge.Batch({{0, SummingPlugin::kBadAmount}});
  judge.Batch({{0, 1}});
  ASSERT_EQ(notes.errors.size(), 1U);
  EXPECT_EQ(notes.errors[0].first, PluginError::kEvent);
  EXPECT_EQ(notes.begun, 1);
}

TEST(PluginAgentTest, AWatchMayStopTheAgent) {
  NotingWatch::Notes notes;
  Judge judge(PluginErrorPolicy::kSkip, NotingWatch::Into(notes));
  EXPECT_TRUE(judge.Batch({{0, 101}})[0].fired);
  notes.after_batch = absl::DeadlineExceededError("too slow");
  EXPECT_FALSE(judge.Batch({{0, 101}})[0].fired);
  EXPECT_THAT(std::string(judge.agent().status().message()),
              HasSubstr("agent 'summing' 1.0.0: too slow"));
}

}  // namespace
}  // namespace caracal::agents
