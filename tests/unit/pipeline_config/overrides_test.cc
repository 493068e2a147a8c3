#include "pipeline/config/overrides.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/pipeline_config/config_fixture.h"

namespace caracal::pipeline {
namespace {

using ::testing::ElementsAre;

LoadResult LoadWith(std::vector<std::string> sets, Environment environment = {}) {
  ConfigCase config = MinimalCase();
  config.sets = std::move(sets);
  config.environment = std::move(environment);
  return Load(config);
}

TEST(OverridesTest, SetWinsOverEnvironmentOverFileOverDefault) {
  const Environment environment = {{"CARACAL_STATE__BUCKETS", "32"},
                                   {"CARACAL_STATE__TOPIC", "env-state"},
                                   {"CARACAL_KAFKA__GROUP_ID", "env-group"}};
  const LoadResult result = LoadWith({"state.topic=set-state"}, environment);
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  const auto& config = result.config->config;
  EXPECT_EQ(config.state().topic(), "set-state");       // file, environment, --set
  EXPECT_EQ(config.state().buckets(), 32);              // default, environment
  EXPECT_EQ(config.kafka().group_id(), "env-group");    // default, environment
  EXPECT_EQ(config.alerts().topic(), "a");              // file
  EXPECT_EQ(config.state().rows_per_bucket(), 16'384);  // default
}

TEST(OverridesTest, TheLastSetWins) {
  EXPECT_EQ(LoadWith({"state.topic=x", "state.topic=y"}).config->config.state().topic(), "y");
}

TEST(OverridesTest, ReachesListsMapsAndAbsentSections) {
  const LoadResult result =
      LoadWith({"streams[0].topic=other", "streams.0.fields.attributes.channel=pay_channel",
                "kafka.properties.security.protocol=SSL", "engine.commit_interval=1s",
                "rule_files=[rules.yaml]", "streams[0].ops.r=evaluate"});
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  const auto& config = result.config->config;
  EXPECT_EQ(config.streams(0).topic(), "other");
  EXPECT_EQ(config.streams(0).fields().attributes().at("channel"), "pay_channel");
  EXPECT_EQ(config.kafka().properties().at("security.protocol"), "SSL");
  EXPECT_EQ(config.engine().commit_interval(), 1'000'000);
}

TEST(OverridesTest, EnvironmentNamesDottedProperties) {
  const LoadResult result = LoadWith({}, {{"CARACAL_KAFKA__PROPERTIES__SECURITY_PROTOCOL", "SSL"},
                                          {"CARACAL_STREAMS__0__CURRENCY", "USD"},
                                          {"CARACAL_RULE_FILES", "[rules.yaml]"},
                                          {"CARACAL_DELIVERY", "at_least_once"}});
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  EXPECT_EQ(result.config->config.kafka().properties().at("security.protocol"), "SSL");
  EXPECT_EQ(result.config->streams[0].context.currency, "USD");
}

TEST(OverridesTest, AListCanBeExtendedByOneItem) {
  const LoadResult result =
      LoadWith({"streams[1].topic=t2", "streams[1].fields.account=a", "streams[1].fields.id=i"});
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  EXPECT_EQ(result.config->config.streams_size(), 2);
  EXPECT_THAT(Findings(LoadWith({"streams[2].topic=t3"})),
              ElementsAre("--set streams[2].topic:0:0 CFG031"));
}

TEST(OverridesTest, IsCheckedLikeTheFileAndReportedUnderItsOrigin) {
  EXPECT_THAT(Findings(LoadWith({"engine.commit_interval=5"})),
              ElementsAre("--set engine.commit_interval:0:0 CFG014"));
  EXPECT_THAT(Findings(LoadWith({}, {{"CARACAL_STATE__BUCKETS", "0"}})),
              ElementsAre("CARACAL_STATE__BUCKETS:0:0 CFG015"));
}

TEST(OverridesTest, RefusesWhatNamesNoSetting) {
  for (const char* argument :
       {"engine.comit_interval=1s", "engine=1", "state.topic.x=1", "kafka.properties=1",
        "rule_files[x]=a", "nothing=1", "streams[0].fields=x", "alerts..topic=x"}) {
    const std::vector<std::string> findings = Findings(LoadWith({argument}));
    ASSERT_EQ(findings.size(), 1U) << argument;
    EXPECT_TRUE(findings[0].ends_with("CFG031")) << findings[0];
  }
  EXPECT_THAT(FindingText(LoadWith({"engine.comit_interval=1s"})),
              ::testing::HasSubstr("did you mean 'commit_interval'?"));
}

TEST(OverridesTest, RefusesMalformedOverrides) {
  EXPECT_THAT(Findings(LoadWith({"state.topic"})), ElementsAre("--set state.topic:0:0 CFG030"));
  EXPECT_THAT(Findings(LoadWith({"=x"})), ElementsAre("--set :0:0 CFG030"));
  EXPECT_THAT(Findings(LoadWith({"rule_files=[a"})), ElementsAre("--set rule_files:0:0 CFG030"));
  EXPECT_THAT(Findings(LoadWith({"state.topic=\xff"})),
              ElementsAre("--set state.topic:0:0 CFG030"));
}

TEST(OverridesTest, LeavesOtherVariablesAlone) {
  const LoadResult result = LoadWith({}, {{"CARACAL_PORT", "tcp://10.0.0.1:9464"},
                                          {"CARACAL_SERVICE_HOST", "10.0.0.1"},
                                          {"CARACAL_STATE", "x"},
                                          {"CARACAL_CONFIG", "caracal.yaml"},
                                          {"PATH", "/bin"}});
  EXPECT_TRUE(result.config.has_value()) << FindingText(result);
  EXPECT_THAT(Findings(LoadWith({}, {{"CARACAL_STATE__BUKETS", "1"}})),
              ElementsAre("CARACAL_STATE__BUKETS:0:0 CFG031"));
}

TEST(OverridesTest, NamesTheVariableOfASetting) {
  EXPECT_EQ(EnvironmentName("kafka.group_id"), "CARACAL_KAFKA__GROUP_ID");
  EXPECT_EQ(EnvironmentName("streams[0].topic"), "CARACAL_STREAMS__0__TOPIC");
}

TEST(OverridesTest, MendsWhatTheFileGetsWrong) {
  ConfigCase config = MinimalCase();
  config.files["caracal.yaml"] += "delivery: twice\n";
  EXPECT_FALSE(Load(config).config.has_value());
  config.sets = {"delivery=at_least_once"};
  EXPECT_TRUE(Load(config).config.has_value());
}

}  // namespace
}  // namespace caracal::pipeline
