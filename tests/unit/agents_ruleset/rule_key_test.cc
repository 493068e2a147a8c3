#include "agents/ruleset/rule_key.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tests/unit/agents_ruleset/test_stream.h"

namespace caracal::agents {
namespace {

std::string TextOf(const RuleKey& key, const TestEvent& event) {
  const TestTransactions transactions({event});
  std::string text;
  key.AppendText(transactions[0], text);
  return text;
}

RuleKey Key(std::vector<std::string> suffix) {
  return RuleKey(std::move(suffix), TestStreamContext().attributes);
}

TEST(RuleKeyTest, StreamKeyAloneIsItsOwnText) {
  EXPECT_EQ(TextOf(Key({}), {.key = "1042", .merchant = "m"}), "1042");
}

TEST(RuleKeyTest, DifferentCombinationsNeverShareAText) {
  const RuleKey key = Key({"merchant", "country"});
  // Every combination of texts that could be confused: empty, NULL, the length bytes themselves.
  const std::vector<std::optional<std::string>> texts = {std::nullopt,
                                                         "",
                                                         std::string(1, '\0'),
                                                         "\1",
                                                         "\2",
                                                         "a",
                                                         "\2a",
                                                         "aa",
                                                         "\1a",
                                                         "a\1",
                                                         std::string(127, 'a'),
                                                         std::string(128, 'a')};
  std::map<std::string, std::tuple<size_t, size_t, size_t>> seen;
  for (size_t m = 0; m < texts.size(); ++m) {
    for (size_t c = 0; c < texts.size(); ++c) {
      for (size_t k = 1; k < texts.size(); ++k) {
        const std::string text =
            TextOf(key, {.key = *texts[k], .merchant = texts[m], .country = texts[c]});
        EXPECT_TRUE(seen.emplace(text, std::tuple(m, c, k)).second) << m << " " << c << " " << k;
      }
    }
  }
}

TEST(RuleKeyTest, OrderOfTheAttributesDoesNotMatter) {
  const TestEvent event{.key = "k", .merchant = "m", .country = "c"};
  EXPECT_EQ(TextOf(Key({"merchant", "country"}), event),
            TextOf(Key({"country", "merchant"}), event));
  EXPECT_NE(TextOf(Key({"merchant", "country"}), event), TextOf(Key({"merchant"}), event));
}

TEST(RuleKeyTest, ShortCombinationsStayInline) {
  // One byte per attribute: eight digits and a card type fit into the 15 bytes of an exact key.
  EXPECT_EQ(TextOf(Key({"merchant"}), {.key = "10000042", .merchant = "visa"}), "\5visa10000042");
}

}  // namespace
}  // namespace caracal::agents
