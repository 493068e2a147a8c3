#include "agents/plugin/plugin_counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include <fmt/format.h>

#include "tests/support/rule_harness.h"
#include "tests/unit/agents_plugin/test_plugins.h"

namespace caracal::agents {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(PluginCountersTest, OneNameIsOneCounter) {
  PluginCounters counters;
  const int32_t seen = counters.Find("seen");
  EXPECT_EQ(counters.Find("skipped_2"), seen + 1);
  EXPECT_EQ(counters.Find("seen"), seen);
  counters.Add(seen, 2);
  counters.Add(seen, 3);
  EXPECT_THAT(counters.values(), ElementsAre(Pair("seen", 5U), Pair("skipped_2", 0U)));
}

TEST(PluginCountersTest, RefusesNamesThatCannotBeAndOnesTooMany) {
  PluginCounters counters;
  EXPECT_EQ(counters.Find(""), -1);
  EXPECT_EQ(counters.Find("Seen"), -1);
  EXPECT_EQ(counters.Find("2seen"), -1);
  EXPECT_EQ(counters.Find("a-b"), -1);
  EXPECT_EQ(counters.Find(std::string(65, 'a')), -1);
  for (uint32_t i = 0; i < CARACAL_COUNTERS_MAX; ++i) {
    EXPECT_EQ(counters.Find(fmt::format("c{}", i)), static_cast<int32_t>(i));
  }
  EXPECT_EQ(counters.Find("one_more"), -1);
  EXPECT_EQ(counters.Find("c3"), 3);
  counters.Add(-1, 5);
  counters.Add(static_cast<int32_t>(CARACAL_COUNTERS_MAX), 5);
  for (const auto& [name, value] : counters.values()) EXPECT_EQ(value, 0U) << name;
}

/// Counts large amounts.
class CountingPlugin {
 public:
  static constexpr const char* kName = "counting";
  static constexpr const char* kVersion = "1.0.0";
  static constexpr const char* kLicence = "Apache-2.0";
  static constexpr const char* kDescription = "Counts large amounts.";
  static constexpr const char* kSchema = R"({"type": "object"})";
  static constexpr caracal::Reason kReasons[] = {{"none", "never given"}};

  explicit CountingPlugin(const caracal::Rule& rule) : large_(rule.Counter("large")) {}
  void Judge(const caracal::Event& event, caracal::Verdict&) const noexcept {
    if (event.amount() > 100) large_.Add();
  }

 private:
  caracal::Counter large_;
};

TEST(PluginCountersTest, AgentsOfAPluginShareItsCounters) {
  auto host = std::make_unique<PluginHost>(nullptr);
  const std::shared_ptr<const PluginCounters> counters = host->counters();
  PluginFactoryOptions options;
  options.api = caracal::Plugin<CountingPlugin>::Api();
  options.info = ReadPluginTable(options.api).value();
  options.host = std::move(host);
  const auto factory = PluginFactory::Make(std::move(options)).value();
  testing::RuleHarness first(*factory, testing::MakeParameters({}), {});
  testing::RuleHarness second(*factory, testing::MakeParameters({}), {});
  first.Judge({.amount = 101});
  first.Judge({.amount = 100});
  second.Judge({.amount = 102});
  EXPECT_THAT(counters->values(), ElementsAre(Pair("large", 2U)));
}

}  // namespace
}  // namespace caracal::agents
