#include "pipeline/config/redaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/pipeline_config/config_fixture.h"

namespace caracal::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LoadResult LoadWithSecrets() {
  ConfigCase config = MinimalCase();
  std::string& text = config.files["caracal.yaml"];
  text.replace(text.find("\"localhost:9092\"}"), 17,
               "\"${env:BROKERS:-fallback:1}\", properties: {security.protocol: SASL_SSL, "
               "sasl.username: \"${env:SASL_USER:-nobody}\", sasl.password: literal-password}, "
               "consumer: {properties: {ssl.key.password: \"${file:key}\"}}}");
  text.replace(text.find("{topic: s}"), 10, "{topic: s, hash_seed: \"0123456789abcdef\"}");
  config.environment = {{"SASL_USER", "alice"}, {"BROKERS", "b1:9092"}};
  config.files["key"] = "key-password\n";
  return Load(config);
}

TEST(RedactionTest, HidesSecretsAndShowsReferencesForWhatTheyStandFor) {
  const LoadResult result = LoadWithSecrets();
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  for (const std::string& text :
       {RedactedConfig(*result.config).Dump(), RedactedConfigYaml(*result.config)}) {
    for (const char* secret : {"literal-password", "key-password", "0123456789abcdef", "alice",
                               "b1:9092", "nobody", "fallback"}) {
      EXPECT_THAT(text, Not(HasSubstr(secret)));
    }
    for (const char* shown : {"${env:BROKERS}", "${env:SASL_USER}", "${file:key}", "SASL_SSL",
                              "250ms", "512MiB", "exactly_once"}) {
      EXPECT_THAT(text, HasSubstr(shown));
    }
  }
  EXPECT_EQ(result.config->config.kafka().bootstrap_servers(), "b1:9092");
}

TEST(RedactionTest, YamlIsTheEffectiveConfiguration) {
  ConfigCase config = MinimalCase();
  config.files["caracal.yaml"] += "engine: {workers: 3}\n";
  const LoadResult first = Load(config);
  ASSERT_TRUE(first.config.has_value());
  config.files["caracal.yaml"] = RedactedConfigYaml(*first.config);
  const LoadResult again = Load(config);
  ASSERT_TRUE(again.config.has_value()) << FindingText(again);
  EXPECT_EQ(again.config->config.SerializeAsString(), first.config->config.SerializeAsString());
  EXPECT_EQ(RedactedConfigYaml(*again.config), config.files["caracal.yaml"]);
}

}  // namespace
}  // namespace caracal::pipeline
