#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/plugin/plugin_factory.h"
#include "agents/ruleset/rule_identity.h"
#include "tests/support/rule_harness.h"
#include "tests/unit/agents_plugin/test_plugins.h"

namespace caracal::agents {
namespace {

using ::testing::HasSubstr;
using testing::MakeParameters;
using testing::Object;

/// Knows the account in its file; shows files as limits.
class KnowingPlugin {
 public:
  struct State {
    int64_t events;
  };
  static constexpr const char* kName = "knowing";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "Apache-2.0";
  static constexpr const char* kDescription = "Knows one account.";
  static constexpr const char* kSchema = R"({"type": "object"})";
  static constexpr caracal::Reason kReasons[] = {{"known", "the account of the file"}};
  static constexpr const char* kLimits[] = {"model"};

  explicit KnowingPlugin(const caracal::Rule& rule) : account_(rule.File("model")) {
    told_ = std::string(rule.Json()) + " " + rule.Text("model") + " " + rule.FileSha256("model");
    if (!rule.Has("lists.deny")) return;
    told_ += " " + rule.Texts("lists.deny")[1] + " " + rule.FileSha256("lists.deny", 1);
    if (rule.Has("past_the_end")) rule.File("lists.deny", 2);
  }

  void Judge(const caracal::Event& event, State&, caracal::Verdict& verdict) const noexcept {
    if (event.account() == account_) verdict.Raise(0);
  }

  static std::string told_;

 protected:
  const std::string account_;
};

std::string KnowingPlugin::told_;

/// The same, and its state means the same whatever the file says.
class LayoutPlugin : public KnowingPlugin {
 public:
  using KnowingPlugin::KnowingPlugin;
  std::string state_layout() const { return "events"; }
};

/// A plugin whose files are in memory.
class PluginFileTest : public ::testing::Test {
 protected:
  template <typename T>
  std::unique_ptr<PluginFactory> Make() {
    PluginFactoryOptions options;
    options.api = caracal::Plugin<T>::Api();
    options.info = ReadPluginTable(options.api).value();
    options.info.parameters = {{.name = "model", .type = ParameterType::kFile}};
    options.host = std::make_unique<PluginHost>(nullptr);
    options.read_file = [this](const ParameterFile& file) -> absl::StatusOr<std::string> {
      ++reads_;
      const auto it = files_.find(file.path);
      if (it == files_.end()) return absl::NotFoundError("'" + file.path + "' is gone");
      return it->second;
    };
    return PluginFactory::Make(std::move(options)).value();
  }

  std::map<std::string, std::string> files_ = {{"/m", "1042"}, {"/n", "1042"}};
  int reads_ = 0;
};

Parameters Model(const std::string& path, const std::string& sha256) {
  return MakeParameters({{"model", ParameterFile{path, sha256}}});
}

TEST_F(PluginFileTest, HandsTheBytesOver) {
  const auto factory = Make<KnowingPlugin>();
  testing::RuleHarness rule(*factory, Model("/m", "d1"), {});
  EXPECT_TRUE(rule.Judge({}).fired);
  EXPECT_EQ(KnowingPlugin::told_, R"({"model":"/m"} /m d1)");
  EXPECT_EQ(rule.rule().limit_json(), R"({"model":"d1"})") << "an alert says which file it was";
}

TEST_F(PluginFileTest, FilesOfAListHaveAnIndex) {
  const auto factory = Make<KnowingPlugin>();
  const std::vector<ParameterFile> deny = {{"/m", "d1"}, {"/n", "d2"}};
  Parameters parameters = Model("/m", "d1");
  parameters.Set("lists", Object({{"deny", deny}}));
  ASSERT_TRUE(factory->Bind(parameters, {}).ok());
  EXPECT_EQ(KnowingPlugin::told_, R"({"lists":{"deny":["/m","/n"]},"model":"/m"} /m d1 /n d2)");
  EXPECT_EQ(reads_, 1) << "a digest reads nothing";
  parameters.Set("past_the_end", true);
  EXPECT_EQ(MessageOf(factory->Bind(parameters, {}).status()), "lists.deny: names no such file");
}

TEST_F(PluginFileTest, AFileThatCannotBeReadRefusesTheRule) {
  const auto factory = Make<KnowingPlugin>();
  EXPECT_EQ(MessageOf(factory->Bind(Model("/gone", "d1"), {}).status()), "model: '/gone' is gone");
  EXPECT_EQ(MessageOf(factory->Bind({}, {}).status()), "model: names no such file");
}

TEST_F(PluginFileTest, AFileThatGoesAwayLaterStopsTheEngine) {
  const auto factory = Make<KnowingPlugin>();
  const auto rule = factory->Bind(Model("/m", "d1"), {});
  ASSERT_TRUE(rule.ok()) << rule.status();
  files_.clear();
  EXPECT_THAT(MessageOf((*rule)->NewAgent()->status()),
              HasSubstr("refuses parameters that it took before: model: '/m' is gone"));
}

class PluginFileIdentityTest : public PluginFileTest {
 protected:
  template <typename T>
  RuleIdentity Identity(const Parameters& parameters) {
    const auto factory = Make<T>();
    const auto bound = factory->Bind(parameters, stream_).value();
    RuleSpec spec;
    spec.id = "r";
    spec.agent = factory->info().name;
    spec.parameters = parameters;
    return IdentityOf({"set", spec, factory->info(), *bound, stream_, {}});
  }

  const StreamContext stream_;
};

TEST_F(PluginFileIdentityTest, OtherBytesAreAnotherRuleAndBeginAnew) {
  const RuleIdentity before = Identity<KnowingPlugin>(Model("/m", "d1"));
  const RuleIdentity after = Identity<KnowingPlugin>(Model("/m", "d2"));
  EXPECT_NE(before.observed, after.observed);
  EXPECT_NE(before.slice, after.slice);
}

TEST_F(PluginFileIdentityTest, TheSameBytesElsewhereAreTheSameRule) {
  const RuleIdentity before = Identity<KnowingPlugin>(Model("/m", "d1"));
  const RuleIdentity after = Identity<KnowingPlugin>(Model("/n", "d1"));
  EXPECT_EQ(before.observed, after.observed);
  EXPECT_EQ(before.slice, after.slice);
}

TEST_F(PluginFileIdentityTest, StateGoesOnWhereTheLayoutSaysSo) {
  const RuleIdentity before = Identity<LayoutPlugin>(Model("/m", "d1"));
  const RuleIdentity after = Identity<LayoutPlugin>(Model("/m", "d2"));
  EXPECT_NE(before.observed, after.observed);
  EXPECT_EQ(before.slice, after.slice);
}

}  // namespace
}  // namespace caracal::agents
