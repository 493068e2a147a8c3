#include "pipeline/plugins/plugin_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/log_capture.h"
#include "tests/support/manual_clock.h"
#include "tests/support/rule_harness.h"
#include "tests/unit/pipeline_plugins/loaded_plugin.h"

namespace caracal::pipeline {
namespace {

using agents::testing::MakeParameters;
using agents::testing::RuleHarness;
using ::testing::HasSubstr;

class PluginWatchTest : public ::testing::Test {
 protected:
  /// The watch of one agent whose batches may take 1 ms.
  PluginWatch Watch(bool stop_on_overrun) { return {probe_, {1'000, stop_on_overrun}, clock_}; }

  absl::Status Batch(PluginWatch& watch, int64_t micros) {
    watch.BatchBegins();
    clock_->Advance(micros);
    return watch.BatchEnds();
  }

  /// Batches of all agents in bucket `bucket`.
  uint64_t Observed(size_t bucket) const {
    uint64_t count = 0;
    for (size_t i = 0; i < PluginProbe::kShards; ++i) count += probe_->durations(i).count(bucket);
    return count;
  }

  LogCapture log_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<PluginProbe> probe_ = std::make_shared<PluginProbe>();
};

TEST_F(PluginWatchTest, TimesBatchesOfAllAgents) {
  PluginWatch first = Watch(false);
  PluginWatch second = Watch(false);
  EXPECT_TRUE(Batch(first, 2).ok());
  EXPECT_TRUE(Batch(second, 2).ok());
  EXPECT_TRUE(Batch(second, 1'000).ok()) << "the budget itself is not more than the budget";
  EXPECT_EQ(Observed(0), 2U);
  EXPECT_EQ(Observed(9), 1U) << "from 513 to 1,024 us";
  EXPECT_EQ(probe_->count(PluginFault::kOverBudget), 0U);
  EXPECT_EQ(probe_->last_error(), "");
}

TEST_F(PluginWatchTest, CountsAnOverrunAndGoesOn) {
  PluginWatch watch = Watch(false);
  EXPECT_TRUE(Batch(watch, 1'001).ok());
  EXPECT_EQ(probe_->count(PluginFault::kOverBudget), 1U);
  EXPECT_EQ(probe_->last_error(), "a batch took 1001 us, more than its batch_budget of 1000 us");
  EXPECT_EQ(log_.Count("a batch took 1001 us"), 1U);
}

TEST_F(PluginWatchTest, AnOverrunStopsTheEngineWhereThatIsAskedFor) {
  PluginWatch watch = Watch(true);
  EXPECT_TRUE(Batch(watch, 999).ok());
  const absl::Status status = Batch(watch, 2'000);
  EXPECT_THAT(std::string(status.message()), HasSubstr("set on_overrun: count"));
  EXPECT_EQ(probe_->count(PluginFault::kOverBudget), 1U);
}

TEST_F(PluginWatchTest, CountsErrorsByReason) {
  PluginWatch watch = Watch(false);
  watch.NoteError(agents::PluginError::kEvent, "it had error 5 with an event");
  watch.NoteError(agents::PluginError::kVerdict, "a verdict has reason 9, but there are 1");
  watch.NoteError(agents::PluginError::kVerdict, "a verdict has reason 8, but there are 1");
  EXPECT_EQ(probe_->count(PluginFault::kEventError), 1U);
  EXPECT_EQ(probe_->count(PluginFault::kBadVerdict), 2U);
  EXPECT_EQ(probe_->count(PluginFault::kBroken), 0U);
  EXPECT_EQ(probe_->last_error(), "a verdict has reason 8, but there are 1");
}

TEST_F(PluginWatchTest, ALoadedPluginIsDescribedAndWatched) {
  PluginRequest request;
  request.path = CARACAL_TEST_PLUGIN_DIR "/event_error.so";
  request.skip_errors = true;
  request.probe = probe_;
  PluginRefusal refusal;
  const auto plugin = PluginLoader(CARACAL_TEST_PLUGIN_DIR, clock_).Load(request, refusal);
  ASSERT_NE(plugin, nullptr) << refusal.message;
  EXPECT_EQ(probe_->identity().agent, "spoilt");
  EXPECT_EQ(probe_->identity().version, "1.0.0");
  EXPECT_EQ(probe_->identity().licence, "Apache-2.0");
  EXPECT_EQ(probe_->identity().abi_version, 0x10000U);
  EXPECT_EQ(probe_->identity().sha256.size(), 64U);
  EXPECT_THAT(probe_->identity().path, HasSubstr("/event_error.so"));

  RuleHarness rule(*plugin, MakeParameters({}), {});
  EXPECT_EQ(rule.Judge({}).flags, agents::kFailed);
  EXPECT_EQ(rule.Judge({}).flags, agents::kFailed);
  EXPECT_EQ(probe_->count(PluginFault::kEventError), 2U);
  EXPECT_EQ(Observed(0), 2U);
}

TEST_F(PluginWatchTest, APluginThatFailsAsAWholeIsBroken) {
  PluginRequest request;
  request.path = CARACAL_TEST_PLUGIN_DIR "/process_fails.so";
  request.probe = probe_;
  PluginRefusal refusal;
  const auto plugin = PluginLoader(CARACAL_TEST_PLUGIN_DIR, clock_).Load(request, refusal);
  ASSERT_NE(plugin, nullptr) << refusal.message;
  RuleHarness rule(*plugin, MakeParameters({}), {});
  rule.Judge({});
  rule.Judge({});
  EXPECT_EQ(probe_->count(PluginFault::kBroken), 1U) << "it judges no more after the first";
  EXPECT_THAT(probe_->last_error(), HasSubstr("process returned"));
}

}  // namespace
}  // namespace caracal::pipeline
