#include "agents/ruleset/rule_filter.h"

#include <gtest/gtest.h>

#include "tests/unit/agents_ruleset/test_stream.h"

namespace caracal::agents {
namespace {

RuleFilter Filter(const std::vector<AttributeFilter>& filters) {
  return RuleFilter(filters, TestStreamContext().attributes);
}

bool Admits(const RuleFilter& filter, std::optional<std::string> merchant,
            std::optional<std::string> country) {
  const TestTransactions transactions({{.key = "k", .merchant = merchant, .country = country}});
  return filter.Matches(transactions[0]);
}

TEST(RuleFilterTest, AdmitsListedValuesByExactText) {
  const RuleFilter filter = Filter({{"country", {"FR", "DE", "IT"}}});
  EXPECT_TRUE(Admits(filter, "m", "DE"));
  EXPECT_TRUE(Admits(filter, "m", "FR"));
  EXPECT_FALSE(Admits(filter, "m", "de"));
  EXPECT_FALSE(Admits(filter, "m", "D"));
  EXPECT_FALSE(Admits(filter, "m", "DEU"));
}

TEST(RuleFilterTest, NullIsNeverAdmittedAndDiffersFromEmptyText) {
  const RuleFilter filter = Filter({{"country", {""}}});
  EXPECT_TRUE(Admits(filter, "m", ""));
  EXPECT_FALSE(Admits(filter, "m", std::nullopt));
}

TEST(RuleFilterTest, AllFiltersMustBeMet) {
  const RuleFilter filter = Filter({{"country", {"FR"}}, {"merchant", {"m1", "m2"}}});
  EXPECT_TRUE(Admits(filter, "m2", "FR"));
  EXPECT_FALSE(Admits(filter, "m3", "FR"));
  EXPECT_FALSE(Admits(filter, "m2", "DE"));
}

TEST(RuleFilterTest, NoFilterAdmitsEverything) {
  EXPECT_TRUE(Filter({}).matches_all());
  EXPECT_TRUE(Admits(Filter({}), std::nullopt, std::nullopt));
}

TEST(RuleFilterTest, FiltersThatMeanTheSameAreEqual) {
  EXPECT_EQ(Filter({{"country", {"FR", "DE", "FR"}}, {"merchant", {"m"}}}),
            Filter({{"merchant", {"m"}}, {"country", {"DE", "FR"}}}));
  EXPECT_FALSE(Filter({{"country", {"FR"}}}) == Filter({{"merchant", {"FR"}}}));
}

TEST(RuleFilterTest, PinsAnAttributeOnlyToASingleValue) {
  EXPECT_TRUE(Filter({{"currency", {"EUR", "EUR"}}}).PinsOneValue("currency"));
  EXPECT_FALSE(Filter({{"currency", {"EUR", "USD"}}}).PinsOneValue("currency"));
  EXPECT_FALSE(Filter({{"country", {"FR"}}}).PinsOneValue("currency"));
}

}  // namespace
}  // namespace caracal::agents
