#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "agents/builtin/builtin_agents.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/evaluator.h"
#include "agents/state/key_hash.h"
#include "pipeline/config/config_loader.h"
#include "pipeline/plugins/plugin_loader.h"

// A configuration, a rule file and lists on the disk, judged by the engine's own path: the example
// plugin `list` and a built-in agent that shares its ruleset.
namespace caracal::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kConfig = R"(kafka: {{bootstrap_servers: "localhost:9092"}}
streams:
  - topic: payments
    currency: EUR
    fields: {{id: id, account: user_id, amount: amount, merchant: shop, country: land}}
alerts: {{topic: a}}
dead_letters: {{topic: d}}
state: {{topic: s}}
rule_files: [rules.yaml]
plugin_directories: ["{0}"]
plugins:
  - {{path: "{0}/list.so"}}
)";
constexpr const char* kRules = R"(version: 1
rulesets:
  - name: screening
    alert_above: 30
    rules:
      - id: screened
        agent: list
        score: 40
        deny:
          accounts: ["{0}/mules.txt"]
          countries: ["{0}/embargo.txt"]
        allow:
          merchants: ["{0}/charities.txt"]
      - {{id: many, agent: velocity, window: 60s, max_count: 2, score: 40}}
)";

struct Payment {
  std::string_view account;
  std::string_view merchant;
  std::string_view country;
};
constexpr Payment kPayments[] = {{"7", "shop", "FR"},
                                 {"1042", "shop", "FR"},
                                 {"7", "shop", "KP"},
                                 {"1042", "red-cross", "KP"},
                                 {"7", "red-cross", "FR"}};

class ListScenarioTest : public ::testing::Test {
 protected:
  ListScenarioTest() {
    std::string pattern = ::testing::TempDir() + "/list-scenario-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    EXPECT_TRUE(agents::RegisterBuiltinAgents(builtin_).ok());
    Write("caracal.yaml", fmt::format(kConfig, CARACAL_EXAMPLE_DIR));
    Write("rules.yaml", fmt::format(kRules, folder_));
    Write("mules.txt", "# known mules\r\n1042\r\n1043\r\n");
    Write("embargo.txt", "KP\n");
    Write("charities.txt", "red-cross\n");
  }
  ~ListScenarioTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << text;
  }

  LoadResult Load() const {
    const DiskFileReader files;
    LoadTools tools;
    tools.files = &files;
    tools.registry = &builtin_;
    tools.load_plugin = [](const PluginRequest& request, PluginRefusal& refusal) {
      return PluginLoader(CARACAL_EXAMPLE_DIR).Load(request, refusal);
    };
    return LoadConfig({folder_ + "/caracal.yaml", {}, {}}, tools);
  }

  /// Loads the configuration, which has to be good, and judges the payments one after the other.
  void Judge() {
    const LoadResult result = Load();
    ASSERT_TRUE(result.config.has_value()) << result.diagnostics.Sorted()[0].message;
    const LoadedConfig& config = *result.config;
    const agents::RulesetSpec& ruleset = config.rulesets[0].spec;
    const agents::StreamContext& stream = config.streams[0].context;
    version_ = ruleset.version;
    const auto compiled =
        agents::CompiledRulesets::Compile({&ruleset, 1}, *config.agents, stream, {}).value();
    agents::BucketState bucket(compiled, {});
    agents::Evaluator evaluator(compiled);
    agents::EvaluationCounts counts(*compiled);
    reasons_.clear();
    for (const Payment& payment : kPayments) {
      std::vector<std::string_view> attributes(stream.attributes.names().size());
      attributes[stream.attributes.Find("merchant").value()] = payment.merchant;
      attributes[stream.attributes.Find("country").value()] = payment.country;
      agents::Transaction transaction;
      transaction.key = transaction.account = payment.account;
      transaction.attributes = attributes;
      transaction.event_time_us = static_cast<int64_t>(reasons_.size());
      agents::EvaluationInput input;
      input.transaction = &transaction;
      input.bucket = &bucket;
      input.key_hash = agents::HashKey(transaction.key, 0);
      std::vector<agents::Judgement> judgements;
      evaluator.Evaluate({&input, 1}, judgements, counts);
      reasons_.push_back(ReasonsOf(judgements, *config.agents, ruleset));
    }
    ASSERT_TRUE(evaluator.failure().ok()) << evaluator.failure();
  }

  static std::string ReasonsOf(const std::vector<agents::Judgement>& judgements,
                               const agents::AgentRegistry& agents,
                               const agents::RulesetSpec& ruleset) {
    std::string text;
    for (const agents::Judgement& judgement : judgements) {
      for (const agents::FiredRule& fired : judgement.fired) {
        const agents::AgentInfo& info = agents.Find(ruleset.rules[fired.rule].agent)->info();
        text += (text.empty() ? "" : " ") + info.reasons[fired.verdict.reason].name;
      }
    }
    return text;
  }

  std::string folder_;
  agents::AgentRegistry builtin_;
  /// Of the last call of Judge: the ruleset's version, and per payment what raised.
  std::string version_;
  std::vector<std::string> reasons_;
};

TEST_F(ListScenarioTest, ScreensPaymentsBesideOtherRules) {
  Judge();
  EXPECT_THAT(reasons_, ElementsAre("", "deny_account", "deny_country", "", "count_exceeded"));
}

TEST_F(ListScenarioTest, AChangedListIsAnotherVersionWithOtherVerdicts) {
  Judge();
  const std::string before = version_;
  Judge();
  EXPECT_EQ(version_, before);
  Write("mules.txt", "7\n");
  Judge();
  EXPECT_NE(version_, before);
  EXPECT_THAT(reasons_, ElementsAre("deny_account", "", "deny_account", "", "count_exceeded"));
}

TEST_F(ListScenarioTest, ABadLineIsReportedAtTheRule) {
  Write("mules.txt", "1042\n\xFF\n");
  const LoadResult result = Load();
  EXPECT_FALSE(result.config.has_value());
  const std::vector<Diagnostic> findings = result.diagnostics.Sorted();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_THAT(findings[0].message,
              HasSubstr("deny.accounts: " + folder_ + "/mules.txt:2: is not UTF-8"));
  EXPECT_EQ(findings[0].span.line, 10);
}

TEST_F(ListScenarioTest, AMissingListIsReportedAtItsPlace) {
  std::filesystem::remove(folder_ + "/embargo.txt");
  const LoadResult result = Load();
  EXPECT_FALSE(result.config.has_value());
  const std::vector<Diagnostic> findings = result.diagnostics.Sorted();
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, DiagnosticCode::kFileUnreadable);
  EXPECT_EQ(findings[0].span.line, 11);
  EXPECT_THAT(findings[0].message, HasSubstr("embargo.txt': No such file"));
}

}  // namespace
}  // namespace caracal::pipeline
