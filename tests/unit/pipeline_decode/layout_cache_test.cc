#include "pipeline/decode/layout_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/pipeline_decode/record_fixture.h"

namespace caracal::pipeline {
namespace {

/// A cache that learns from whatever the full parse accepts.
class LayoutCacheTest : public testing::Test {
 protected:
  void Learn(const std::string& json) { LearnInto(cache_, json); }
  void LearnInto(LayoutCache& cache, const std::string& json) {
    JsonTape tape(64);
    ASSERT_EQ(tape.Parse(json, 0), JsonStatus::kOk) << json;
    PlannedMessage message;
    planner_.Plan(tape, {"topic", ""}, message);
    ASSERT_TRUE(message.reusable) << json;
    cache.Learn(json, tape, message);
  }
  bool Matches(const std::string& json) {
    json_ = json;
    return cache_.Match(json_, tokens_) != nullptr;
  }
  std::string Token(size_t slot) const { return std::string(tokens_[slot].text); }

  MessagePlanner planner_{TransactionOptions()};
  LayoutCache cache_{4};
  std::vector<JsonToken> tokens_ = std::vector<JsonToken>(planner_.slot_count());
  std::string json_;
};

std::string Row(const std::string& account, const std::string& amount,
                const std::string& card = "\"visa\"", const std::string& more = "") {
  return R"({"user_id":)" + account + R"(,"amount":)" + amount + R"(,"card_type":)" + card + more +
         "}";
}

TEST_F(LayoutCacheTest, MatchesWhatDiffersInDigitsOnly) {
  Learn(Row("1042", "\"77.10\""));
  ASSERT_TRUE(Matches(Row("9999", "\"00.99\"")));
  EXPECT_EQ(Token(kAccountSlot), "9999");
  EXPECT_EQ(tokens_[kAccountSlot].kind, JsonKind::kNumber);
  EXPECT_EQ(Token(kAmountSlot), "00.99");
  EXPECT_EQ(tokens_[kAmountSlot].kind, JsonKind::kString);
  EXPECT_EQ(Token(kFirstAttributeSlot), "visa");
  EXPECT_EQ(tokens_[kIdSlot].kind, JsonKind::kAbsent);
}

TEST_F(LayoutCacheTest, FindsTokensThatAreLongAndHaveDigitsAnywhere) {
  const std::string word(150, 'x');
  for (const std::string& text : {word, word + "7", "7" + word, word + "7" + word, "7" + word + "7",
                                  word + "7" + word + "7" + word}) {
    const std::string json =
        Row("1042", "\"77.10\"", "\"" + text + "\"", ",\"n\":\"" + word + "\"");
    LayoutCache fresh(4);
    LearnInto(fresh, json);
    tokens_.assign(tokens_.size(), JsonToken{"stale", JsonKind::kString, true});
    ASSERT_NE(fresh.Match(json, tokens_), nullptr);
    EXPECT_EQ(Token(kAccountSlot), "1042");
    EXPECT_EQ(Token(kFirstAttributeSlot), text);
    EXPECT_EQ(tokens_[kIdSlot].kind, JsonKind::kAbsent);
  }
}

TEST_F(LayoutCacheTest, LoosensWhatDiffersMore) {
  Learn(Row("1042", "\"77.10\""));
  const std::string other = Row("7", "null", "\"master\\\"card\"");
  EXPECT_FALSE(Matches(other));
  Learn(other);
  ASSERT_TRUE(Matches(other));
  EXPECT_EQ(Token(kAccountSlot), "7");
  EXPECT_EQ(tokens_[kAmountSlot].kind, JsonKind::kNull);
  EXPECT_EQ(Token(kFirstAttributeSlot), "master\\\"card");
  EXPECT_FALSE(tokens_[kFirstAttributeSlot].plain);
  ASSERT_TRUE(Matches(Row("-12.5e3", "true", "\"\"")));
  EXPECT_EQ(Token(kAccountSlot), "-12.5e3");
  EXPECT_FALSE(tokens_[kAccountSlot].plain);
}

TEST_F(LayoutCacheTest, MatchesTextsOfTheSameLength) {
  Learn(Row("1042", "\"77.10\""));
  EXPECT_FALSE(Matches(Row("1042", "\"77.10\"", "\"amex\"")));
  Learn(Row("1042", "\"77.10\"", "\"amex\""));
  for (const std::string text : {"visa", "A-Z_", "#[]~", "0x7F", "\x7f..."}) {
    ASSERT_TRUE(Matches(Row("1043", "\"99.99\"", "\"" + text + "\""))) << text;
    EXPECT_EQ(Token(kFirstAttributeSlot), text);
    EXPECT_TRUE(tokens_[kFirstAttributeSlot].plain);
  }
  for (const std::string text : {"vi\\n", "\\\\sa", "v\"sa", "\"visa", "v\x1Fsa", "vis\x80",
                                 "visas", "vis", "v sa", "\xC3\xA9sa"}) {
    EXPECT_FALSE(Matches(Row("1043", "\"99.99\"", "\"" + text + "\""))) << text;
  }
  EXPECT_FALSE(Matches(Row("1043", "\"99.99\"", "123456")));
}

TEST_F(LayoutCacheTest, NeverMatchesWhatTheFullParseRefuses) {
  Learn(Row("1042", "\"77.10\""));
  // Steady scalars first, then loose ones.
  for (int pass = 0; pass < 2; ++pass) {
    const std::string valid = Row("1042", "\"77.10\"");
    ASSERT_TRUE(Matches(valid));
    for (const std::string& bad :
         {Row("0042", "\"77.10\""), Row("-042", "\"77.10\""), Row("1a42", "\"77.10\""),
          Row("1042",
              "\"77\x01"
              "10\""),
          Row("1042",
              "\"77.\xFF"
              "0\""),
          Row("1042", "\"77.1\"0"), Row("1042", "77.1."), Row("1042", "nulll"),
          Row("1042", "\"\\q\""), Row("1042", "[]"), Row("1042", "{}"), valid + "}", valid + " ",
          valid.substr(0, valid.size() - 1), valid.substr(1), std::string()}) {
      EXPECT_FALSE(Matches(bad)) << bad;
    }
    for (size_t i = 0; i < valid.size(); ++i) EXPECT_FALSE(Matches(valid.substr(0, i)));
    Learn(Row("7", "1", "\"mastercard\""));
  }
}

TEST_F(LayoutCacheTest, DistinguishesEveryByteOutsideOfScalars) {
  const std::string valid = Row("1042", "\"77.10\"");
  Learn(valid);
  for (const std::string& different :
       {Row("1042", "\"77.10\"", "\"visa\"", " "), Row("1042", "\"77.10\"", "\"visa\"", ",\"x\":1"),
        std::string(R"({"user_id":1042,"amount":"77.10","card_typo":"visa"})"),
        std::string(R"({"amount":"77.10","user_id":1042,"card_type":"visa"})")}) {
    EXPECT_FALSE(Matches(different)) << different;
    Learn(different);
    EXPECT_TRUE(Matches(different)) << different;
  }
}

TEST_F(LayoutCacheTest, KeepsTheOperationAmongThoseOfOnePlan) {
  const auto envelope = [](const std::string& op) {
    return R"({"after":{"user_id":1,"amount":2},"source":{"ts_ms":3},"op":)" + op + "}";
  };
  Learn(envelope("\"c\""));
  Learn(envelope("\"u\""));
  EXPECT_TRUE(Matches(envelope("\"r\"")));
  for (const std::string other :
       {"\"d\"", "\"t\"", "\"m\"", "\"x\"", "\"\"", "\"cc\"", "null", "1", R"("\u0063")"}) {
    EXPECT_FALSE(Matches(envelope(other))) << other;
  }
  Learn(envelope("\"d\""));
  ASSERT_TRUE(Matches(envelope("\"d\"")));
  EXPECT_EQ(Token(kOperationSlot), "d");
  EXPECT_EQ(tokens_[kAccountSlot].kind, JsonKind::kAbsent);
}

TEST_F(LayoutCacheTest, KeepsWhatThePlanDependsOn) {
  Learn(Row("1", "2", "\"visa\"", R"(,"__deleted":"false")"));
  EXPECT_FALSE(Matches(Row("1", "2", "\"visa\"", R"(,"__deleted":"true")")));
  EXPECT_FALSE(Matches(Row("1", "2", "\"visa\"", R"(,"__deleted":null)")));
  Learn(Row("1", "2", "\"visa\"", R"(,"__deleted":"true")"));
  ASSERT_TRUE(Matches(Row("1", "2", "\"visa\"", R"(,"__deleted":"true")")));
  EXPECT_TRUE(cache_.Match(json_, tokens_)->plan().deleted);
  ASSERT_TRUE(Matches(Row("1", "2", "\"visa\"", R"(,"__deleted":"false")")));
  EXPECT_FALSE(cache_.Match(json_, tokens_)->plan().deleted);
}

TEST_F(LayoutCacheTest, KeepsTheSchemaBlockLiteral) {
  const auto wrapped = [](const std::string& scale) {
    return R"({"schema":{"fields":[{"name":"org.apache.kafka.connect.data.Decimal","field":"amount",)"
           R"("parameters":{"scale":")" +
           scale + R"("}}],"doc":")" + std::string(300, 'x') +
           R"("},"payload":{"user_id":1,"amount":"AQ=="}})";
  };
  Learn(wrapped("2"));
  EXPECT_TRUE(Matches(wrapped("2")));
  EXPECT_FALSE(Matches(wrapped("3")));
  Learn(wrapped("3"));
  ASSERT_TRUE(Matches(wrapped("3")));
  EXPECT_EQ(cache_.Match(json_, tokens_)->plan().amount.scale, 3);
  ASSERT_TRUE(Matches(wrapped("2")));
  EXPECT_EQ(cache_.Match(json_, tokens_)->plan().amount.scale, 2);
}

TEST_F(LayoutCacheTest, RemembersNoMoreThanItMay) {
  for (int i = 0; i < 20; ++i) {
    Learn(Row("1", "2", "\"visa\"", ",\"" + std::string(1, static_cast<char>('a' + i)) + "\":1"));
  }
  int known = 0;
  for (int i = 0; i < 20; ++i) {
    const std::string name(1, static_cast<char>('a' + i));
    if (Matches(Row("1", "2", "\"visa\"", ",\"" + name + "\":1"))) ++known;
  }
  EXPECT_EQ(known, 4);
}

TEST_F(LayoutCacheTest, RationsLearning) {
  // Every message has another layout: learning stops, and starts again once layouts are met.
  for (int i = 0; i < 100; ++i) {
    Learn(Row("1", "2", "\"visa\"", ",\"x" + std::to_string(i) + "\":1"));
  }
  const std::string late = Row("1", "2", "\"visa\"", R"(,"late":1)");
  Learn(late);
  EXPECT_FALSE(Matches(late));
  int hits = 0;
  for (int i = 0; i < 100 && hits < 64; ++i) {
    const std::string json = Row("1", "2", "\"visa\"", ",\"x" + std::to_string(i) + "\":1");
    while (hits < 64 && Matches(json)) ++hits;
  }
  ASSERT_EQ(hits, 64);
  Learn(late);
  EXPECT_TRUE(Matches(late));
}

TEST_F(LayoutCacheTest, TightensWhatHasSettled) {
  const auto feed = [this](const std::string& json, uint32_t count) {
    uint32_t learnt = 0;
    for (uint32_t i = 0; i < count; ++i) {
      if (Matches(json)) continue;
      Learn(json);
      ++learnt;
    }
    return learnt;
  };
  const std::string young = Row("999", "\"77.10\"");
  const std::string old = Row("1000", "\"77.10\"");
  EXPECT_EQ(feed(young, 1), 1U);
  EXPECT_EQ(feed(old, 1), 1U);
  ASSERT_TRUE(Matches(young));
  EXPECT_EQ(cache_.Match(json_, tokens_)->any_scalars(), 1U);
  constexpr uint32_t kRenewal =
      LayoutCache::kFirstRenewal + LayoutCache::kSampleInterval * LayoutCache::kSamplesPerRenewal;
  EXPECT_EQ(feed(old, kRenewal), LayoutCache::kSamplesPerRenewal);
  ASSERT_TRUE(Matches(old));
  EXPECT_EQ(cache_.Match(json_, tokens_)->any_scalars(), 0U);
  EXPECT_EQ(Token(kAccountSlot), "1000");
  // Who is rare keeps the layout that knows it.
  ASSERT_TRUE(Matches(young));
  EXPECT_EQ(cache_.Match(json_, tokens_)->any_scalars(), 1U);
  EXPECT_EQ(Token(kAccountSlot), "999");
}

TEST_F(LayoutCacheTest, DoesNotTightenWhatVaries) {
  // One account in eight is longer: too few to be sure to meet one, too many to miss.
  const auto account_of = [](int i) { return i % 8 == 0 ? "10421" : "1042"; };
  for (int i = 0; i < 40'000; ++i) {
    const std::string json = Row(account_of(i), "\"77.10\"");
    if (!Matches(json)) Learn(json);
  }
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(Matches(Row(account_of(i), "\"77.10\"")));
    EXPECT_EQ(cache_.Match(json_, tokens_)->any_scalars(), 1U);
  }
}

TEST_F(LayoutCacheTest, KeepsWhatIsAsTightAsCanBe) {
  const std::string json = Row("1042", "\"77.10\"");
  Learn(json);
  const MessageLayout* const layout = cache_.Match(json, tokens_);
  for (int i = 0; i < 10'000; ++i) {
    if (!Matches(json)) Learn(json);
  }
  EXPECT_EQ(cache_.Match(json, tokens_), layout);
}

TEST_F(LayoutCacheTest, LearnsNothingFromHugeMessages) {
  const std::string long_text = Row("1", "2", "\"" + std::string(70'000, 'x') + "\"");
  Learn(long_text);
  EXPECT_FALSE(Matches(long_text));
  std::string list = ",\"x\":[0";
  for (int i = 0; i < 1100; ++i) list += ",0";
  const std::string many_scalars = Row("1", "2", "\"visa\"", list + "]");
  Learn(many_scalars);
  EXPECT_FALSE(Matches(many_scalars));
}

TEST(LayoutCacheOffTest, RemembersNothing) {
  const MessagePlanner planner{TransactionOptions()};
  LayoutCache cache(0);
  JsonTape tape(64);
  PlannedMessage message;
  std::vector<JsonToken> tokens(planner.slot_count());
  const std::string json = Row("1", "2");
  ASSERT_EQ(tape.Parse(json, 0), JsonStatus::kOk);
  planner.Plan(tape, {"topic", ""}, message);
  cache.Learn(json, tape, message);
  EXPECT_EQ(cache.Match(json, tokens), nullptr);
}

}  // namespace
}  // namespace caracal::pipeline
