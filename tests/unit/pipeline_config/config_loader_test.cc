#include "pipeline/config/config_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/base/sha256.h"
#include "tests/unit/pipeline_config/config_fixture.h"

namespace caracal::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The configuration that the design shows, delivery apart.
constexpr const char* kDesignConfig =
    R"(kafka: {bootstrap_servers: "localhost:9092", group_id: caracal, properties: {}}
streams:
  - topic: bank.public.transactions
    key: user_id
    fields: {id: id, account: user_id, amount: amount, time: created_at,
             merchant: merchant_id, card_type: card_type}
    amount_scale: 2
    currency: EUR
alerts: {topic: fraud.alerts}
dead_letters: {topic: fraud.dead-letters}
state: {topic: caracal.state, buckets: 64, max_bytes_per_partition: 512MiB}
delivery: exactly_once
rule_files: [rules/*.yaml]
admin: {listen: "127.0.0.1:9464"}
)";

constexpr const char* kDesignRules = R"(version: 1
rulesets:
  - name: card-risk
    alert_above: 70
    rules:
      - {id: card-burst, agent: velocity, window: 60s, max_count: 5, score: 40}
      - {id: big-ticket, agent: amount, above: "4000.00", score: 50}
)";

ConfigCase DesignCase() {
  ConfigCase config;
  config.files = {{"caracal.yaml", kDesignConfig}, {"rules/card-risk.yaml", kDesignRules}};
  return config;
}

/// The minimal configuration with a stream of its own.
ConfigCase WithStream(const std::string& stream) {
  ConfigCase config = MinimalCase();
  std::string& text = config.files["caracal.yaml"];
  const size_t start = text.find("  - {topic");
  text.replace(start, text.find('\n', start) - start, "  - " + stream);
  return config;
}

TEST(ConfigLoaderTest, ReadsTheDocumentedConfiguration) {
  const LoadResult result = Load(DesignCase());
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  const auto& loaded = result.config->config;
  EXPECT_EQ(loaded.kafka().bootstrap_servers(), "localhost:9092");
  EXPECT_EQ(loaded.streams(0).fields().merchant(), "merchant_id");
  EXPECT_EQ(loaded.state().max_bytes_per_partition(), int64_t{512} << 20);
  ASSERT_EQ(result.config->rulesets.size(), 1U);
  const agents::RulesetSpec& ruleset = result.config->rulesets[0].spec;
  EXPECT_EQ(ruleset.name, "card-risk");
  EXPECT_EQ(ruleset.alert_above, 70);
  ASSERT_EQ(ruleset.rules.size(), 2U);
  EXPECT_EQ(ruleset.rules[0].id, "card-burst");
  EXPECT_EQ(ruleset.rules[0].score, 40);
  EXPECT_EQ(ruleset.rules[0].parameters.DurationMicros("window"), 60'000'000);
  EXPECT_EQ(*ruleset.rules[1].parameters.Money("above", 2), 400'000);
}

TEST(ConfigLoaderTest, FillsInEveryDefault) {
  const LoadResult result = Load(MinimalCase());
  ASSERT_TRUE(result.config.has_value());
  const auto& config = result.config->config;
  EXPECT_EQ(config.kafka().group_id(), "caracal");
  EXPECT_EQ(config.delivery(), caracal::config::v1::DELIVERY_EXACTLY_ONCE);
  EXPECT_EQ(config.engine().commit_interval(), 250'000);
  EXPECT_EQ(config.engine().shutdown_timeout(), 25'000'000);
  EXPECT_FALSE(config.engine().has_workers());
  EXPECT_FALSE(config.engine().has_memory_limit());
  EXPECT_EQ(config.admin().listen(), "127.0.0.1:9464");
  EXPECT_FALSE(config.admin().allow_remote_mutations());
  EXPECT_EQ(config.state().buckets(), 64);
  EXPECT_EQ(config.state().rows_per_bucket(), 16'384);
  const auto& stream = config.streams(0);
  EXPECT_EQ(stream.key(), "user_id");
  EXPECT_EQ(stream.state_topic(), "s");
  EXPECT_EQ(stream.max_ahead(), 300'000'000);
  EXPECT_EQ(stream.max_record_bytes(), 1 << 20);
  EXPECT_EQ(stream.ops().c(), caracal::config::v1::OPERATION_POLICY_EVALUATE);
  EXPECT_EQ(stream.ops().r(), caracal::config::v1::OPERATION_POLICY_WARM);
  EXPECT_EQ(stream.ops().u(), caracal::config::v1::OPERATION_POLICY_SKIP);
  EXPECT_EQ(stream.ops().d(), caracal::config::v1::OPERATION_POLICY_SKIP);
  EXPECT_EQ(stream.start().from(), "earliest");
  EXPECT_EQ(stream.start().alert_from(), "beginning");
  EXPECT_FALSE(stream.types().has_base64_scale());
}

TEST(ConfigLoaderTest, AutoLeavesTheChoiceToTheEngine) {
  ConfigCase config = MinimalCase();
  config.files["caracal.yaml"] += "engine: {workers: auto, memory_limit: 2GiB}\n";
  const LoadResult result = Load(config);
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  EXPECT_FALSE(result.config->config.engine().has_workers());
  EXPECT_EQ(result.config->config.engine().memory_limit(), int64_t{2} << 30);
}

TEST(ConfigLoaderTest, ReportsAllProblemsOfAllFilesInOneRun) {
  ConfigCase config = MinimalCase();
  config.files["caracal.yaml"] += "engine: {workers: many}\ncolour: red\n";
  config.files["rules.yaml"] += "      - {id: x, agent: nobody, score: 1}\n";
  EXPECT_THAT(
      Findings(Load(config)),
      ElementsAre("caracal.yaml:8:19 CFG010", "caracal.yaml:9:1 CFG012", "rules.yaml:7:24 RUL012"));
}

TEST(ConfigLoaderTest, ReportsAMissingConfiguration) {
  ConfigCase config = MinimalCase();
  config.files.erase("caracal.yaml");
  EXPECT_THAT(Findings(Load(config)), ElementsAre(":0:0 CFG001"));
}

TEST(ConfigLoaderTest, RefusesAFileThatIsTooLong) {
  ConfigCase config = MinimalCase();
  config.files["caracal.yaml"] += "#" + std::string(1 << 20, 'x');
  EXPECT_THAT(Findings(Load(config)), ElementsAre(":0:0 CFG002"));
}

TEST(ConfigLoaderTest, DigestsTheFilesItRead) {
  const LoadResult result = Load(MinimalCase());
  EXPECT_EQ(result.config->file_sha256.at("caracal.yaml"), Sha256Hex(MinimalConfig()));
  EXPECT_EQ(result.config->file_sha256.at("rules.yaml"), Sha256Hex(MinimalRules()));
}

TEST(ConfigLoaderTest, MapsAttributesInAFixedOrder) {
  const LoadResult result = Load(WithStream(
      "{topic: t, currency: EUR, fields: {id: id, account: acc, amount: a, device: d, "
      "merchant: m, currency: cur, country: c, card_type: ct, attributes: {zone: z, bin: b}}}"));
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  const LoadedStream& stream = result.config->streams[0];
  EXPECT_THAT(stream.context.attributes.names(),
              ElementsAre("currency", "country", "merchant", "card_type", "device", "bin", "zone"));
  EXPECT_THAT(stream.attribute_columns, ElementsAre("cur", "c", "m", "ct", "d", "b", "z"));
  EXPECT_EQ(stream.key_name, "account");
  EXPECT_EQ(stream.key_column, "acc");
  EXPECT_TRUE(stream.context.has_amount);
  EXPECT_FALSE(stream.context.has_location);
  EXPECT_EQ(stream.context.currency, "EUR");
}

TEST(ConfigLoaderTest, AStreamKeyedByAnotherFieldMapsTheAccountAsAttribute) {
  ConfigCase config =
      WithStream("{topic: t, key: m, currency: EUR, fields: {id: id, account: acc, merchant: m}}");
  std::string& rules = config.files["rules.yaml"];
  rules.replace(rules.find("score: 40"), 9, "score: 40, key: [merchant, account]");
  const LoadResult result = Load(config);
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  const LoadedStream& stream = result.config->streams[0];
  EXPECT_EQ(stream.key_name, "merchant");
  EXPECT_THAT(stream.context.attributes.names(), ElementsAre("account", "merchant"));
  EXPECT_THAT(result.config->rulesets[0].spec.rules[0].key_suffix, ElementsAre("account"));
}

TEST(ConfigLoaderTest, AKeyThatNoFieldMapsKeepsItsColumnsName) {
  ConfigCase config =
      WithStream("{topic: t, key: region, currency: EUR, fields: {id: id, account: acc}}");
  const LoadResult result = Load(config);
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  EXPECT_EQ(result.config->streams[0].key_name, "region");
}

TEST(ConfigLoaderTest, GivesEachOfSeveralStreamsItsOwnStateTopic) {
  ConfigCase config = WithStream(
      "{topic: t1, fields: {id: i, account: a}}\n"
      "  - {topic: t2, fields: {id: i, account: a}, state_topic: own}");
  const LoadResult result = Load(config);
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  EXPECT_EQ(result.config->config.streams(0).state_topic(), "s.t1");
  EXPECT_EQ(result.config->config.streams(1).state_topic(), "own");
}

class PlaceTableTest : public ::testing::Test {
 protected:
  PlaceTableTest()
      : config_(WithStream("{topic: t, fields: {id: id, account: acc, merchant: m}, "
                           "places: {file: places.csv}}")) {
    config_.files["places.csv"] = "merchant,latitude,longitude,country\n70,48.8,2.3,FR\n";
  }

  ConfigCase config_;
};

TEST_F(PlaceTableTest, GivesAStreamLocationsAndCountries) {
  const LoadResult result = Load(config_);
  ASSERT_TRUE(result.config.has_value()) << FindingText(result);
  const LoadedStream& stream = result.config->streams[0];
  EXPECT_TRUE(stream.context.has_location);
  EXPECT_THAT(stream.context.attributes.names(), ElementsAre("country", "merchant"));
  EXPECT_THAT(stream.attribute_columns, ElementsAre("", "m"));
  EXPECT_EQ(*stream.places_csv, config_.files["places.csv"]);
  EXPECT_EQ(stream.places_sha256, Sha256Hex(config_.files["places.csv"]));
}

TEST_F(PlaceTableTest, WithoutCountriesMapsNone) {
  config_.files["places.csv"] = "merchant,latitude,longitude\n70,48.8,2.3\n";
  EXPECT_THAT(Load(config_).config->streams[0].context.attributes.names(), ElementsAre("merchant"));
}

TEST_F(PlaceTableTest, IsCheckedByTheGivenParser) {
  config_.check_places = [](std::string_view csv, std::string_view name) {
    EXPECT_EQ(csv.substr(0, 8), "merchant");
    return absl::InvalidArgumentError(std::string(name) + ":2: bad latitude");
  };
  const LoadResult result = Load(config_);
  EXPECT_THAT(Findings(result), ElementsAre("caracal.yaml:3:76 CFG054"));
  EXPECT_THAT(FindingText(result), ::testing::HasSubstr("places.csv:2: bad latitude"));
}

TEST_F(PlaceTableTest, ReportsAMissingFile) {
  config_.files.erase("places.csv");
  EXPECT_THAT(Findings(Load(config_)), ElementsAre("caracal.yaml:3:76 CFG001"));
}

TEST(HashSeedTest, IsZeroWithoutASeedAndSecretWithOne) {
  EXPECT_EQ(HashSeed(""), 0U);
  EXPECT_EQ(HashSeed("a secret of the bank"), HashSeed("a secret of the bank"));
  EXPECT_NE(HashSeed("a secret of the bank"), HashSeed("another secret of it"));
  EXPECT_EQ(HashSeedFingerprint(""), "e3b0c442");
  EXPECT_EQ(HashSeedFingerprint("abc"), "ba7816bf");
}

TEST(ProcessEnvironmentTest, HoldsThisProcessesVariables) {
  ASSERT_EQ(setenv("CARACAL_TEST_VARIABLE", "a=b", 1), 0);
  EXPECT_EQ(ProcessEnvironment().at("CARACAL_TEST_VARIABLE"), "a=b");
  ASSERT_EQ(unsetenv("CARACAL_TEST_VARIABLE"), 0);
  EXPECT_EQ(ProcessEnvironment().count("CARACAL_TEST_VARIABLE"), 0U);
}

}  // namespace
}  // namespace caracal::pipeline
