#include "agents/plugin/plugin_factory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/support/rule_harness.h"
#include "tests/unit/agents_plugin/test_plugins.h"

namespace caracal::agents {
namespace {

using ::testing::ElementsAre;
using testing::Exact;
using testing::MakeParameters;
using testing::Number;
using testing::Object;
using testing::Text;
using testing::TextList;

/// Refuses every rule, with everything it was given in the sentence.
class TellingPlugin {
 public:
  static constexpr const char* kName = "telling";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "Apache-2.0";
  static constexpr const char* kDescription = "Tells what it was given.";
  static constexpr const char* kSchema = R"({"type": "object"})";
  static constexpr caracal::Reason kReasons[] = {{"none", "never given"}};

  explicit TellingPlugin(const caracal::Rule& rule) {
    const bool on = rule.Bool("on");
    throw std::invalid_argument(
        fmt::format("{} {} {} {} {} [{}] slot {} {} scale {}", on, rule.Integer("inner.count"),
                    rule.Real("ratio"), rule.Text("name"), rule.Has("inner"),
                    fmt::join(rule.Texts("list"), "|"), rule.AttributeSlot("country"), rule.Json(),
                    rule.amount_scale()));
  }
  void Judge(const caracal::Event&, caracal::Verdict&) const noexcept {}
};

StreamContext Stream() {
  StreamContext stream;
  stream.topic = "t";
  stream.attributes = AttributeSchema({"merchant", "country"});
  stream.amount_scale = 3;
  return stream;
}

TEST(PluginFactoryTest, HandsParametersAndStreamOver) {
  const auto factory = MakePlugin<TellingPlugin>(PluginErrorPolicy::kFail);
  const Parameters parameters = MakeParameters({{"on", true},
                                                {"inner", Object({{"count", Number(-7)}})},
                                                {"ratio", Exact("2.50")},
                                                {"name", Text("a\"b\n")},
                                                {"list", TextList({"x", "y"})}});
  const auto rule = factory->Bind(parameters, Stream());
  EXPECT_EQ(MessageOf(rule.status()),
            "true -7 2.5 a\"b\n false [x|y] slot 1 "
            R"({"inner":{"count":-7},"list":["x","y"],"name":"a\"b\u000a","on":true,"ratio":2.50})"
            " scale 3");
}

TEST(PluginFactoryTest, SaysWhichParameterIsMissing) {
  const auto factory = MakePlugin<TellingPlugin>(PluginErrorPolicy::kFail);
  EXPECT_EQ(MessageOf(factory->Bind({}, Stream()).status()), "on: is needed");
}

TEST(PluginFactoryTest, DescribesTheRule) {
  const auto factory = MakePlugin<SummingPlugin>(PluginErrorPolicy::kFail);
  const auto rule = factory->Bind({}, Stream());
  ASSERT_TRUE(rule.ok()) << rule.status();
  EXPECT_EQ((*rule)->state().size, 8U);
  EXPECT_EQ((*rule)->state().align, 8U);
  EXPECT_EQ((*rule)->state().version, 1U);
  EXPECT_EQ((*rule)->layout_fingerprint(), "{}");
  EXPECT_EQ((*rule)->limit_json(), "{}");
  EXPECT_FALSE((*rule)->accumulates_money());
  ASSERT_EQ((*rule)->observed().size(), 1U);
  EXPECT_EQ((*rule)->observed()[0].kind, ValueKind::kMoney);
}

TEST(PluginHostTest, PassesLinesOnWithTheNameOfTheAgent) {
  std::vector<std::string> lines;
  PluginHost host([&lines](std::string_view agent, uint32_t level, std::string_view text) {
    lines.push_back(fmt::format("{} {} {}", agent, level, text));
  });
  host.set_agent("busy");
  const std::string text = "hello";
  host.table()->log(host.table(), CARACAL_LOG_WARNING, {text.size(), text.data()});
  host.table()->log(host.table(), CARACAL_LOG_WARNING, {0, nullptr});
  const std::string endless(5'000, 'x');
  host.table()->log(host.table(), 99, {endless.size(), endless.data()});
  EXPECT_THAT(lines, ElementsAre("busy 1 hello", "busy 99 " + std::string(1'000, 'x')));
}

}  // namespace
}  // namespace caracal::agents
