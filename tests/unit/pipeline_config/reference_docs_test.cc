#include "pipeline/config/reference_docs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/config/diagnostics.h"
#include "pipeline/config/json_schema.h"
#include "tests/unit/pipeline_config/config_fixture.h"
#include "tests/unit/pipeline_config/fake_agents.h"

namespace caracal::pipeline {
namespace {

using ::testing::HasSubstr;

TEST(ReferenceDocsTest, ListsEverySettingWithItsFacts) {
  const std::string text = ListSettings(ListFormat::kText);
  EXPECT_THAT(text, HasSubstr("engine.commit_interval (duration, default 250ms, 10ms to 10s)\n"));
  EXPECT_THAT(text, HasSubstr("CARACAL_ENGINE__COMMIT_INTERVAL"));
  EXPECT_THAT(text, HasSubstr("engine.workers (integer, default auto, 0 to 64)"));
  EXPECT_THAT(text, HasSubstr("streams[].topic (text, required)"));
  EXPECT_THAT(text, HasSubstr("state.hash_seed (text, 16 to 256, secret)"));
  EXPECT_THAT(text, HasSubstr("kafka.properties.<name> (text)"));
  EXPECT_THAT(text, HasSubstr("pause: stop reading the partition"));
  EXPECT_THAT(text, HasSubstr("rulesets[].rules[].score (integer, required, 0 to 100000)"));
  EXPECT_THAT(text, HasSubstr("rulesets[].rules[].when.<name> (list)"));
  EXPECT_THAT(ListSettings(ListFormat::kMarkdown),
              HasSubstr("| `engine.commit_interval` | duration | 250ms | 10ms to 10s |"));
  EXPECT_THAT(ListSettings(ListFormat::kJson), HasSubstr(R"("name": "engine.commit_interval")"));
}

TEST(ReferenceDocsTest, ListsAgentsWithParametersAndReasons) {
  const agents::AgentRegistry registry = FakeAgents();
  const std::string text = ListAgents(registry, ListFormat::kText);
  EXPECT_THAT(text, HasSubstr("velocity 1.0.0\n  A fake.\n"));
  EXPECT_THAT(text, HasSubstr("window (duration, required, 1s to 30d)"));
  EXPECT_THAT(text, HasSubstr("profile.ratio (decimal, required)"));
  EXPECT_THAT(text, HasSubstr("reason fired"));
  EXPECT_THAT(ListAgents(registry, ListFormat::kMarkdown), HasSubstr("## velocity"));
  EXPECT_THAT(ListAgents(registry, ListFormat::kJson), HasSubstr(R"("name": "max_count")"));
}

TEST(ReferenceDocsTest, ListsEveryErrorCode) {
  for (const ListFormat format : {ListFormat::kText, ListFormat::kJson, ListFormat::kMarkdown}) {
    const std::string text = ListErrors(format);
    for (const DiagnosticInfo& info : AllDiagnostics()) {
      EXPECT_THAT(text, HasSubstr(std::string(info.name)));
    }
  }
}

TEST(ReferenceDocsTest, ListsRulesetsWithVersions) {
  const LoadResult result = Load(MinimalCase());
  ASSERT_TRUE(result.config.has_value());
  const std::string& version = result.config->rulesets[0].spec.version;
  EXPECT_EQ(ListRulesets(*result.config, ListFormat::kText),
            "burst " + version +
                " on t: enforce, alerts above 10\n"
                "    many version 1: velocity, score 40, medium, enforce\n");
  EXPECT_THAT(ListRulesets(*result.config, ListFormat::kJson), HasSubstr(version));
  EXPECT_THAT(ListRulesets(*result.config, ListFormat::kMarkdown),
              HasSubstr("| burst | `" + version + "` | t | many | velocity | 40 | enforce |"));
}

TEST(JsonSchemaTest, ComesFromDescriptorsAndAgents) {
  const std::string config = ConfigSchema().Dump();
  EXPECT_THAT(config, HasSubstr(R"("$schema":"https://json-schema.org/draft/2020-12/schema")"));
  EXPECT_THAT(config, HasSubstr(R"("enum":["evaluate","warm","skip"])"));
  EXPECT_THAT(config, HasSubstr(R"("minimum":1,"maximum":1024)"));
  const std::string rules = RulesSchema(FakeAgents()).Dump();
  EXPECT_THAT(rules, HasSubstr(R"("enum":["amount","broken","geo","screen","velocity"])"));
  EXPECT_THAT(rules,
              HasSubstr(R"("description":"A file.","anyOf":[{"type":"string","pattern":"^/"})"));
  EXPECT_THAT(rules, HasSubstr(R"("max_count":{"description":"More raises.")"));
  EXPECT_THAT(rules, HasSubstr(R"("unevaluatedProperties":false)"));
}

}  // namespace
}  // namespace caracal::pipeline
