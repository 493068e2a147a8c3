#include "pipeline/plugins/plugin_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "pipeline/base/sha256.h"
#include "tests/support/rule_harness.h"
#include "tests/unit/pipeline_plugins/loaded_plugin.h"

namespace caracal::pipeline {
namespace {

using agents::testing::MakeParameters;
using agents::testing::Number;
using agents::testing::RuleHarness;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(PluginLoaderTest, MakesAnAgentThatStandsBesideTheBuiltInOnes) {
  PluginRefusal refusal;
  const auto plugin = LoadTestPlugin("busy", refusal);
  ASSERT_NE(plugin, nullptr) << refusal.message;
  const agents::AgentInfo& info = plugin->info();
  EXPECT_EQ(info.name, "busy");
  EXPECT_EQ(info.version, "1.0.0");
  EXPECT_EQ(info.licence, "Apache-2.0");
  EXPECT_THAT(info.path, HasSubstr("/busy.so"));
  EXPECT_THAT(info.fingerprint, StartsWith("abi:1 sha256:"));
  EXPECT_THAT(info.fingerprint, HasSubstr(" on_error:fail"));
  ASSERT_EQ(info.parameters.size(), 1U);
  EXPECT_EQ(info.parameters[0].name, "max");
  EXPECT_TRUE(info.parameters[0].required);
  ASSERT_EQ(info.reasons.size(), 1U);
  EXPECT_EQ(info.reasons[0].name, "too_many");

  RuleHarness rule(*plugin, MakeParameters({{"max", Number(2)}}), {});
  EXPECT_EQ(rule.rule().limit_json(), R"({"max":2})");
  EXPECT_EQ(rule.rule().layout_fingerprint(), R"({"max":2})");
  EXPECT_EQ(rule.rule().state().size, 8U);
  ASSERT_EQ(rule.rule().observed().size(), 1U);
  EXPECT_EQ(rule.rule().observed()[0].name, "count");
  EXPECT_FALSE(rule.Judge({}).fired);
  EXPECT_FALSE(rule.Judge({}).fired);
  const agents::Verdict third = rule.Judge({});
  EXPECT_EQ(rule.Reason(third), "too_many");
  EXPECT_EQ(third.observed[0], 3);
}

TEST(PluginLoaderTest, ServesAnAgentInC) {
  PluginRefusal refusal;
  const auto plugin = LoadTestPlugin("large", refusal);
  ASSERT_NE(plugin, nullptr) << refusal.message;
  RuleHarness rule(*plugin, MakeParameters({{"above", Number(100)}}), {});
  EXPECT_EQ(rule.rule().state().size, 0U);
  EXPECT_FALSE(rule.Judge({.amount = 100}).fired);
  EXPECT_EQ(rule.Reason(rule.Judge({.amount = 101})), "above_limit");
  EXPECT_EQ(rule.Judge({}).flags, agents::kInactive);
  agents::StreamContext without_amount;
  without_amount.has_amount = false;
  EXPECT_EQ(
      agents::testing::BindError(*plugin, MakeParameters({{"above", Number(1)}}), without_amount),
      "the stream maps no amount; map it under the stream's fields");
}

TEST(PluginLoaderTest, ServesAPluginOfTheFirstVersionOfTheInterface) {
  PluginRefusal refusal;
  const auto plugin = LoadTestPlugin("first_minor", refusal);
  ASSERT_NE(plugin, nullptr) << refusal.message;
  RuleHarness rule(*plugin, MakeParameters({{"above", Number(100)}}), {});
  EXPECT_FALSE(rule.Judge({.amount = 100}).fired);
  EXPECT_EQ(rule.Reason(rule.Judge({.amount = 101})), "above_limit");
}

TEST(PluginLoaderTest, HandsFilesToThePluginAndKeepsAnEyeOnThem) {
  PluginRefusal refusal;
  const auto plugin = LoadTestPlugin("pinned", refusal);
  ASSERT_NE(plugin, nullptr) << refusal.message;
  const std::string path = ::testing::TempDir() + "/pinned-model";
  std::ofstream(path, std::ios::binary) << "four";
  const agents::ParameterFile file = {path, Sha256Hex("four")};
  RuleHarness rule(*plugin, MakeParameters({{"model", file}}), {});
  EXPECT_TRUE(rule.Judge({}).fired) << "the account is 1042";
  std::ofstream(path, std::ios::binary) << "other";
  EXPECT_THAT(agents::testing::BindError(*plugin, MakeParameters({{"model", file}}), {}),
              HasSubstr("has changed since the rules were loaded"));
  std::filesystem::remove(path);
}

TEST(PluginLoaderTest, LooksInTheDefaultDirectoryUnlessOthersAreNamed) {
  PluginRequest request;
  request.path = CARACAL_TEST_PLUGIN_DIR "/busy.so";
  PluginRefusal refusal;
  EXPECT_EQ(PluginLoader("/usr/lib/caracal/agents").Load(request, refusal), nullptr);
  EXPECT_EQ(InfoOf(refusal.code).name, "PLG001");
  EXPECT_THAT(refusal.message, HasSubstr("(/usr/lib/caracal/agents)"));
  request.directories = {CARACAL_TEST_PLUGIN_DIR};
  EXPECT_NE(PluginLoader("/usr/lib/caracal/agents").Load(request, refusal), nullptr);
}

TEST(PluginLoaderTest, LoadsOneFileSeveralTimes) {
  PluginRefusal refusal;
  const auto first = LoadTestPlugin("busy", refusal);
  const auto second = LoadTestPlugin("busy", refusal, /*skip_errors=*/true);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_THAT(second->info().fingerprint, HasSubstr(" on_error:skip"));
  EXPECT_NE(first->info().fingerprint, second->info().fingerprint);
}

}  // namespace
}  // namespace caracal::pipeline
