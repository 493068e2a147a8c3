#include "agents/sdk/example/list/list_agent.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "agents/plugin/plugin_factory.h"
#include "agents/plugin/plugin_table.h"
#include "pipeline/base/sha256.h"
#include "tests/support/rule_harness.h"

namespace caracal_list {
namespace {

using caracal::agents::AttributeSchema;
using caracal::agents::ParameterFile;
using caracal::agents::Parameters;
using caracal::agents::PluginFactory;
using caracal::agents::StreamContext;
using caracal::agents::Verdict;
using caracal::agents::testing::BindError;
using caracal::agents::testing::MakeParameters;
using caracal::agents::testing::NamedValues;
using caracal::agents::testing::Object;
using caracal::agents::testing::RuleHarness;
using caracal::agents::testing::Text;
using ::testing::StartsWith;

StreamContext Stream() {
  StreamContext stream;
  stream.topic = "payments";
  stream.attributes = AttributeSchema({"country", "merchant", "device", "ip"});
  return stream;
}

/// The agent as a plugin, over list files in memory. The account of its events is 1042.
class ListAgentTest : public ::testing::Test {
 protected:
  ListAgentTest() {
    caracal::agents::PluginFactoryOptions options;
    options.api = caracal::Plugin<ListAgent>::Api();
    options.info = caracal::agents::ReadPluginTable(options.api).value();
    options.host = std::make_unique<caracal::agents::PluginHost>(nullptr);
    options.read_file = [this](const ParameterFile& file) -> absl::StatusOr<std::string> {
      ++reads_;
      return files_.at(file.path);
    };
    factory_ = PluginFactory::Make(std::move(options)).value();
  }

  /// A file with this text.
  std::vector<ParameterFile> File(const std::string& path, const std::string& text) {
    files_[path] = text;
    return {{path, caracal::pipeline::Sha256Hex(text)}};
  }

  Parameters Given(NamedValues values) const {
    Parameters parameters = MakeParameters(values);
    if (!parameters.Has("only_allowed")) parameters.Set("only_allowed", false);
    return parameters;
  }

  /// What the rule says of an event with these attributes; empty when it does not raise.
  std::string Reason(const Parameters& parameters, std::vector<std::string_view> attributes) {
    RuleHarness rule(*factory_, parameters, Stream());
    attributes.resize(4);
    return rule.Reason(rule.Judge({.attributes = std::move(attributes)}));
  }
  std::string Error(const Parameters& parameters) {
    return BindError(*factory_, parameters, Stream());
  }

  std::map<std::string, std::string> files_;
  int reads_ = 0;
  std::unique_ptr<PluginFactory> factory_;
};

TEST_F(ListAgentTest, RaisesOnEveryKindOfList) {
  const Parameters rule = Given({{"deny", Object({{"merchants", File("/m", "shop\n")},
                                                  {"devices", File("/d", "phone\n")},
                                                  {"countries", File("/c", "KP\n")},
                                                  {"others", File("/o", "10.0.0.1\n")}})},
                                 {"attributes", Object({{"others", Text("ip")}})}});
  EXPECT_EQ(Reason(rule, {"FR", "fair", "tablet", "10.0.0.2"}), "");
  EXPECT_EQ(Reason(rule, {"FR", "shop"}), "deny_merchant");
  EXPECT_EQ(Reason(rule, {"FR", "fair", "phone"}), "deny_device");
  EXPECT_EQ(Reason(rule, {"KP"}), "deny_country");
  EXPECT_EQ(Reason(rule, {"FR", "fair", "tablet", "10.0.0.1"}), "deny_other");
  EXPECT_EQ(Reason(rule, {"KP", "shop", "phone"}), "deny_merchant") << "the first one counts";
  EXPECT_EQ(Reason(Given({{"deny", Object({{"accounts", File("/a", "1042\n")}})}}), {}),
            "deny_account");
}

TEST_F(ListAgentTest, AllowWinsOverDeny) {
  const Parameters rule = Given(
      {{"deny", Object({{"accounts", File("/a", "1042\n")}, {"countries", File("/c", "KP\n")}})},
       {"allow", Object({{"merchants", File("/m", "charity\n")}})}});
  EXPECT_EQ(Reason(rule, {"KP", "shop"}), "deny_account");
  EXPECT_EQ(Reason(rule, {"KP", "charity"}), "");
}

TEST_F(ListAgentTest, OnlyAllowedRaisesOnAllOthers) {
  const Parameters rule = Given({{"allow", Object({{"countries", File("/c", "FR\nDE\n")}})},
                                 {"deny", Object({{"merchants", File("/m", "shop\n")}})},
                                 {"only_allowed", true}});
  EXPECT_EQ(Reason(rule, {"FR", "shop"}), "");
  EXPECT_EQ(Reason(rule, {"US", "fair"}), "not_allowed");
  EXPECT_EQ(Reason(rule, {"US", "shop"}), "deny_merchant");
  EXPECT_EQ(Reason(rule, {}), "not_allowed") << "no country is on no list";
}

TEST_F(ListAgentTest, LooksIntoAllFilesOfAKind) {
  std::vector<ParameterFile> files = File("/one", "KP\n");
  files.push_back(File("/two", "IR\n")[0]);
  const Parameters rule = Given({{"deny", Object({{"countries", files}})}});
  EXPECT_EQ(Reason(rule, {"KP"}), "deny_country");
  EXPECT_EQ(Reason(rule, {"IR"}), "deny_country");
  EXPECT_EQ(Reason(rule, {"FR"}), "");
}

TEST_F(ListAgentTest, ObservesForLaterRules) {
  RuleHarness rule(*factory_,
                   Given({{"deny", Object({{"countries", File("/c", "KP\n")}})},
                          {"allow", Object({{"merchants", File("/m", "charity\n")}})}}),
                   Stream());
  ASSERT_EQ(rule.rule().observed().size(), 2U);
  const Verdict allowed = rule.Judge({.attributes = {"KP", "charity", {}, {}}});
  EXPECT_EQ(allowed.observed[0], 1);
  EXPECT_EQ(allowed.observed[1], 0);
  const Verdict denied = rule.Judge({.attributes = {"KP", "shop", {}, {}}});
  EXPECT_EQ(denied.observed[0], 0);
  EXPECT_EQ(denied.observed[1], 1);
  EXPECT_EQ(rule.Judge({.attributes = {{}, {}, {}, {}}}).flags, caracal::agents::kInactive);
  EXPECT_EQ(rule.rule().state().size, 0U);
}

TEST_F(ListAgentTest, RefusesWithAPlace) {
  EXPECT_EQ(Error(Given({{"deny", Object({{"countries", File("/c", "KP\nFR\tFrance\n")}})}})),
            "deny.countries: /c:2: a tab or control character inside the entry; a line has one "
            "entry alone");
  EXPECT_THAT(Error(Given({{"deny", Object({{"countries", File("/c", "KP\n")}})},
                           {"attributes", Object({{"countries", Text("ip_country")}})}})),
              StartsWith("attributes.countries: the stream maps no attribute 'ip_country'; map"));
  EXPECT_EQ(Error(Given({{"deny", Object({{"others", File("/o", "1\n")}})}})),
            "attributes.others: say which attribute the lists are of");
}

TEST_F(ListAgentTest, RefusesARuleThatSaysNothing) {
  EXPECT_THAT(Error(Given({})), StartsWith("deny: the rule could never raise"));
  EXPECT_THAT(Error(Given({{"allow", Object({{"countries", File("/c", "FR\n")}})}})),
              StartsWith("deny: the rule could never raise"));
  EXPECT_THAT(Error(Given({{"allow", Object({{"countries", File("/c", "# none\n")}})},
                           {"only_allowed", true}})),
              StartsWith("only_allowed: there is no entry on an allow list"));
}

TEST_F(ListAgentTest, AnEmptyDenyListIsNoMistake) {
  const Parameters rule = Given({{"deny", Object({{"countries", File("/c", "# none yet\n")}})}});
  EXPECT_EQ(Error(rule), "");
  EXPECT_EQ(Reason(rule, {"KP"}), "");
}

TEST_F(ListAgentTest, OneCopyServesAllAgents) {
  const auto first = File("/first", "shared by digest\n");
  const auto second = File("/second", "shared by digest\n");
  const auto rule = factory_->Bind(
      Given({{"deny", Object({{"countries", first}, {"merchants", second}})}}), Stream());
  ASSERT_TRUE(rule.ok()) << rule.status();
  reads_ = 0;
  const auto agent = (*rule)->NewAgent();
  EXPECT_EQ(reads_, 1) << "the second file has the same bytes";
  const auto other = (*rule)->NewAgent();
  EXPECT_TRUE(other->status().ok());
  EXPECT_EQ(reads_, 1) << "another worker";
}

TEST_F(ListAgentTest, AgentsAreMadeOnSeveralThreads) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += std::to_string(i) + "\n";
  const auto rule =
      factory_->Bind(Given({{"deny", Object({{"countries", File("/c", text)}})}}), Stream())
          .value();
  std::vector<std::unique_ptr<caracal::agents::Agent>> agents(8);
  std::vector<std::thread> threads;
  for (auto& agent : agents) threads.emplace_back([&] { agent = rule->NewAgent(); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& agent : agents) EXPECT_TRUE(agent->status().ok());
}

}  // namespace
}  // namespace caracal_list
