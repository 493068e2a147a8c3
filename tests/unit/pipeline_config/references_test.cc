#include "pipeline/config/references.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/config/diagnostics_format.h"
#include "tests/unit/pipeline_config/config_fixture.h"

namespace caracal::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Resolved {
  YamlNode node;
  Diagnostics diagnostics;
};

Resolved Resolve(const std::string& text, const Environment& environment = {},
                 std::map<std::string, FileContent> contents = {}) {
  const MemoryFileReader files(std::move(contents));
  Resolved resolved;
  resolved.node.kind = YamlNode::Kind::kScalar;
  resolved.node.text = text;
  ResolveReferences({&files, &environment, "etc/caracal.yaml"}, resolved.node,
                    resolved.diagnostics);
  return resolved;
}

std::string CodeOf(const Resolved& resolved) {
  const std::vector<Diagnostic> items = resolved.diagnostics.Sorted();
  return items.empty() ? "" : std::string(InfoOf(items.front().code).name);
}

TEST(ReferencesTest, SubstitutesVariables) {
  const Environment environment = {{"HOST", "broker"}, {"EMPTY", ""}};
  EXPECT_EQ(Resolve("${env:HOST}:9092", environment).node.text, "broker:9092");
  EXPECT_EQ(Resolve("${env:HOST}${env:HOST}", environment).node.text, "brokerbroker");
  EXPECT_EQ(Resolve("${env:NONE:-a:-b}", environment).node.text, "a:-b");
  EXPECT_EQ(Resolve("${env:EMPTY:-x}", environment).node.text, "x");
  EXPECT_EQ(Resolve("[${env:EMPTY}]", environment).node.text, "[]");
  EXPECT_EQ(Resolve("${env:HOST}", environment).node.reference, "${env:HOST}");
}

TEST(ReferencesTest, LeavesOtherTextsAlone) {
  for (const char* text : {"plain", "$HOME", "a$", "{x}"}) {
    const Resolved resolved = Resolve(text);
    EXPECT_EQ(resolved.node.text, text);
    EXPECT_EQ(resolved.node.reference, "");
  }
  EXPECT_EQ(Resolve("$${env:HOST}").node.text, "${env:HOST}");
  EXPECT_TRUE(Resolve("$${env:HOST}").diagnostics.ok());
}

TEST(ReferencesTest, SubstitutesFilesWithoutTheirLastLineBreak) {
  const std::map<std::string, FileContent> files = {{"etc/secret", {"s3cret\n"}},
                                                    {"/run/dos", {"s3cret\r\n"}}};
  EXPECT_EQ(Resolve("${file:secret}", {}, files).node.text, "s3cret");
  EXPECT_EQ(Resolve("${file:/run/dos}", {}, files).node.text, "s3cret");
}

TEST(ReferencesTest, DoesNotSearchWhatItSubstituted) {
  const Environment environment = {{"A", "${env:B}"}, {"B", "no"}};
  EXPECT_EQ(Resolve("${env:A}", environment).node.text, "${env:B}");
}

TEST(ReferencesTest, RefusesMalformedReferences) {
  for (const char* text : {"${env:A", "${A}", "${}", "${vault:x}", "${env:}", "${env:1A}",
                           "${env:A-B}", "${env:A:-${env:B}}"}) {
    const Resolved resolved = Resolve(text, {{"A", "a"}, {"B", "b"}});
    EXPECT_EQ(CodeOf(resolved), "CFG020") << text;
    EXPECT_TRUE(resolved.node.broken) << text;
  }
}

TEST(ReferencesTest, RefusesValuesThatAreNoSingleLineOfText) {
  EXPECT_EQ(CodeOf(Resolve("${env:A}", {{"A", "a\nb"}})), "CFG023");
  EXPECT_EQ(CodeOf(Resolve("${env:A}", {{"A", "a\xff"}})), "CFG002");
  EXPECT_EQ(CodeOf(Resolve("${file:f}", {}, {{"etc/f", {"a\n\n"}}})), "CFG023");
  EXPECT_EQ(CodeOf(Resolve("${file:f}", {}, {{"etc/f", {std::string(70'000, 'x')}}})), "CFG022");
  EXPECT_EQ(CodeOf(Resolve("${env:A}${env:A}", {{"A", std::string(60'000, 'x')}})), "CFG020");
}

TEST(ReferencesTest, WarnsOfASecretThatEverybodyCanRead) {
  ConfigCase config = MinimalCase();
  config.files["caracal.yaml"] =
      "kafka: {bootstrap_servers: \"b:1\", properties: {security.protocol: SASL_SSL, "
      "sasl.password: \"${file:pw}\"}}\n" +
      MinimalConfig().substr(MinimalConfig().find("streams"));
  config.files["pw"] = "topsecret\n";
  EXPECT_TRUE(Findings(Load(config)).empty());
  config.world_readable = {"pw"};
  const LoadResult result = Load(config);
  EXPECT_THAT(Findings(result), ElementsAre("caracal.yaml:1:92 CFG024"));
  EXPECT_TRUE(result.config.has_value());
  EXPECT_EQ(result.config->config.kafka().properties().at("sasl.password"), "topsecret");
}

TEST(ReferencesTest, AnUnresolvedReferenceIsReportedOnceAndNotJudged) {
  ConfigCase config = MinimalCase();
  config.files["caracal.yaml"] += "engine: {workers: \"${env:WORKERS}\"}\n";
  EXPECT_THAT(Findings(Load(config)), ElementsAre("caracal.yaml:8:19 CFG021"));
  config.environment = {{"WORKERS", "3"}};
  EXPECT_EQ(Load(config).config->config.engine().workers(), 3);
  config.environment = {{"WORKERS", "three"}};
  EXPECT_THAT(Findings(Load(config)), ElementsAre("caracal.yaml:8:19 CFG010"));
}

TEST(ReferencesTest, AreResolvedInRuleFilesToo) {
  ConfigCase config = MinimalCase();
  config.environment = {{"MAX", "7"}};
  std::string& rules = config.files["rules.yaml"];
  rules.replace(rules.find("max_count: 5"), 12, "max_count: \"${env:MAX}\"");
  const LoadResult result = Load(config);
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  EXPECT_EQ(result.config->rulesets[0].spec.rules[0].parameters.Integer("max_count"), 7);
}

TEST(ReferencesTest, NothingFromASecretFileIsEverPrinted) {
  ConfigCase config = MinimalCase();
  config.files["caracal.yaml"] += "delivery: \"${file:pw}\"\n";
  config.files["pw"] = "topsecret\n";
  const LoadResult result = Load(config);
  EXPECT_THAT(Findings(result), ElementsAre("caracal.yaml:8:11 CFG016"));
  for (const DiagnosticFormat format :
       {DiagnosticFormat::kText, DiagnosticFormat::kJson, DiagnosticFormat::kGithub}) {
    EXPECT_THAT(FormatDiagnostics(result.diagnostics, format), Not(HasSubstr("topsecret")));
  }
}

}  // namespace
}  // namespace caracal::pipeline
