#include "pipeline/emit/json_alert_encoder.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <bit>
#include <boost/json.hpp>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "caracal/alert/v1/alert.pb.h"

namespace caracal::pipeline {
namespace {

using agents::ValueKind;

/// The alert of the output contract's example, byte for byte.
constexpr std::string_view kExample =
    R"({"alert_id":"a3191a5759617d815963f2cc38855ae8","schema_version":1,"ruleset":"card-risk",)"
    R"("ruleset_version":"9c1e4d20a7b3","severity":"high","mode":"enforce","score":90,)"
    R"("alert_above":70,"account":"1042","transaction_id":"88121","amount":"4720.15",)"
    R"("currency":"EUR","event_time":"2026-03-04T11:02:07.512000Z","reasons":[)"
    R"({"rule":"card-burst","agent":"velocity","reason":"count_exceeded","score":40,)"
    R"("observed":{"count":6,"window_s":60},"limit":{"max_count":5}},)"
    R"({"rule":"big-ticket","agent":"amount","reason":"above_limit","score":50,)"
    R"("observed":{"amount":"4720.15"},"limit":{"above":"4000.00"}}],)"
    R"("source":{"topic":"bank.public.transactions","partition":3,"offset":99172}})";

agents::RuleInfo CardBurst() {
  agents::RuleInfo rule;
  rule.id = "card-burst";
  rule.agent = "velocity";
  rule.score = 40;
  rule.severity = agents::Severity::kMedium;
  rule.reasons = {"amount_exceeded", "count_exceeded"};
  rule.observed = {{"count", ValueKind::kInteger, 0}, {"window_s", ValueKind::kConstant, 0, "60"}};
  rule.limit_json = R"({"max_count":5})";
  return rule;
}

agents::RuleInfo BigTicket() {
  agents::RuleInfo rule;
  rule.id = "big-ticket";
  rule.agent = "amount";
  rule.score = 50;
  rule.severity = agents::Severity::kHigh;
  rule.reasons = {"above_limit"};
  rule.observed = {{"amount", ValueKind::kMoney, 2}};
  rule.limit_json = R"({"above":"4000.00"})";
  return rule;
}

agents::RulesetInfo CardRisk() {
  agents::RulesetInfo ruleset;
  ruleset.name = "card-risk";
  ruleset.version = "9c1e4d20a7b3";
  ruleset.alert_above = 70;
  ruleset.rules = {CardBurst(), BigTicket()};
  return ruleset;
}

agents::FiredRule Fired(uint16_t rule, uint16_t reason) {
  agents::FiredRule fired;
  fired.rule = rule;
  fired.verdict.fired = true;
  fired.verdict.reason = reason;
  return fired;
}

agents::Judgement BothFired() {
  agents::Judgement judgement;
  judgement.score = 90;
  judgement.severity = agents::Severity::kHigh;
  judgement.fired = {Fired(0, 1), Fired(1, 0)};
  judgement.fired[0].verdict.observed[0] = 6;
  judgement.fired[1].verdict.observed[2] = 472'015;
  return judgement;
}

/// An `observed` or `limit` object of a parsed alert. Printed by libprotobuf: its map fields have
/// another layout in code compiled for ThreadSanitizer than in the library.
boost::json::value Values(const google::protobuf::Struct& values) {
  std::string json;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(values, &json).ok());
  return boost::json::parse(json);
}

/// One payment, its ruleset and its judgement; tests change what they are about.
class JsonAlertEncoderTest : public testing::Test {
 protected:
  JsonAlertEncoderTest() {
    event_.lease = lease_.get();
    event_.offset = 99172;
    event_.transaction.account = "1042";
    event_.transaction.id = "88121";
    event_.transaction.currency = "EUR";
    event_.transaction.amount = 472'015;
    event_.transaction.has_amount = true;
    event_.transaction.event_time_us = 1'772'622'127'512'000;
  }

  OutputRecord Encode() const {
    return JsonAlertEncoder(amount_scale_, rulesets_).EncodeAlert(event_, judgement_);
  }
  std::string Json() const { return Encode().value; }

  /// The alert as its published schema reads it; unknown or ill-typed fields fail the test.
  caracal::alert::v1::Alert Parsed() const {
    const std::string json = Json();
    caracal::alert::v1::Alert alert;
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = false;
    const auto status = google::protobuf::util::JsonStringToMessage(json, &alert, options);
    EXPECT_TRUE(status.ok()) << status.ToString() << "\n" << json;
    return alert;
  }

  LeasePtr lease_ = std::make_shared<PartitionLease>(1, 0, "bank.public.transactions", 3, 0);
  Event event_;
  int amount_scale_ = 2;
  std::vector<agents::RulesetInfo> rulesets_ = {CardRisk()};
  agents::Judgement judgement_ = BothFired();
};

TEST_F(JsonAlertEncoderTest, WritesTheContractsExampleByteForByte) { EXPECT_EQ(Json(), kExample); }

TEST_F(JsonAlertEncoderTest, GivesTheSameBytesEveryTime) { EXPECT_EQ(Json(), Json()); }

TEST_F(JsonAlertEncoderTest, AddressesTheRecordByAccount) {
  const OutputRecord alert = Encode();
  EXPECT_EQ(alert.kind, OutputKind::kAlert);
  EXPECT_EQ(alert.key, "1042");
  EXPECT_FALSE(alert.null_key);
  EXPECT_FALSE(alert.null_value);
  EXPECT_EQ(alert.offset, 99172);
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"content-type", "application/json"}, {"caracal-ruleset", "card-risk"}};
  EXPECT_EQ(alert.headers, headers);
}

TEST_F(JsonAlertEncoderTest, PassesTheTraceContextOn) {
  event_.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const OutputRecord alert = Encode();
  ASSERT_EQ(alert.headers.size(), 3u);
  EXPECT_EQ(alert.headers[2].first, "traceparent");
  EXPECT_EQ(alert.headers[2].second, event_.traceparent);
  EXPECT_EQ(alert.value, kExample);
}

TEST_F(JsonAlertEncoderTest, IsReadByItsPublishedSchema) {
  const caracal::alert::v1::Alert alert = Parsed();
  EXPECT_EQ(alert.alert_id(), "a3191a5759617d815963f2cc38855ae8");
  EXPECT_EQ(alert.schema_version(), 1);
  EXPECT_EQ(alert.amount(), "4720.15");
  EXPECT_EQ(google::protobuf::util::TimeUtil::TimestampToMicroseconds(alert.event_time()),
            event_.transaction.event_time_us);
  EXPECT_FALSE(alert.has_time_source());
  EXPECT_FALSE(alert.has_state_truncated());
  ASSERT_EQ(alert.reasons_size(), 2);
  EXPECT_FALSE(alert.reasons(0).has_version());
  EXPECT_EQ(Values(alert.reasons(0).observed()).at("count"), 6);
  EXPECT_EQ(Values(alert.reasons(1).limit()).at("above"), "4000.00");
  EXPECT_EQ(alert.source().partition(), 3);
  EXPECT_EQ(alert.source().offset(), 99172);
}

TEST_F(JsonAlertEncoderTest, LeavesOutWhatTheTransactionDoesNotHave) {
  event_.transaction.id = {};
  event_.transaction.currency = {};
  event_.transaction.has_amount = false;
  const caracal::alert::v1::Alert alert = Parsed();
  EXPECT_FALSE(alert.has_transaction_id());
  EXPECT_FALSE(alert.has_currency());
  EXPECT_FALSE(alert.has_amount());
  EXPECT_NE(Json().find(R"("account":"1042","event_time":)"), std::string::npos);
}

TEST_F(JsonAlertEncoderTest, NamesTheTimeSourceUnlessItIsTheField) {
  event_.transaction.time_source = agents::TimeSource::kSourceCommit;
  EXPECT_EQ(Parsed().time_source(), "source_commit");
  event_.transaction.time_source = agents::TimeSource::kRecord;
  EXPECT_EQ(Parsed().time_source(), "record");
  EXPECT_NE(Json().find(R"(Z","time_source":"record","reasons":[)"), std::string::npos);
}

TEST_F(JsonAlertEncoderTest, SaysWhenStateWasTruncated) {
  judgement_.state_truncated = true;
  EXPECT_TRUE(Parsed().state_truncated());
  EXPECT_NE(Json().find(R"(,"state_truncated":true,"reasons":[)"), std::string::npos);
}

TEST_F(JsonAlertEncoderTest, NamesTheRulesWhoseAgentHadAnError) {
  EXPECT_EQ(Json().find("agent_errors"), std::string::npos);
  judgement_.failed = {0, 1};
  EXPECT_EQ(Parsed().agent_errors_size(), 2);
  EXPECT_EQ(Parsed().agent_errors(1), "big-ticket");
  EXPECT_NE(Json().find(R"(,"agent_errors":["card-burst","big-ticket"],"reasons":[)"),
            std::string::npos);
}

TEST_F(JsonAlertEncoderTest, SaysAtLeastInsideTheObservedOfASaturatedWindow) {
  judgement_.fired[0].verdict.flags = agents::kAtLeast;
  EXPECT_NE(Json().find(R"("observed":{"count":6,"window_s":60,"at_least":true},)"),
            std::string::npos);
  EXPECT_EQ(Values(Parsed().reasons(0).observed()).at("at_least"), true);
  EXPECT_FALSE(Values(Parsed().reasons(1).observed()).as_object().contains("at_least"));
}

TEST_F(JsonAlertEncoderTest, WritesEmptyObjectsForARuleThatShowsNothing) {
  rulesets_[0].rules[0].observed.clear();
  rulesets_[0].rules[0].limit_json.clear();
  EXPECT_NE(Json().find(R"("score":40,"observed":{},"limit":{}},)"), std::string::npos);
  judgement_.fired[0].verdict.flags = agents::kAtLeast;
  EXPECT_NE(Json().find(R"("observed":{"at_least":true},"limit":{}},)"), std::string::npos);
  Parsed();
}

TEST_F(JsonAlertEncoderTest, NamesARulesVersionUnlessItIsTheFirst) {
  rulesets_[0].rules[1].version = 7;
  EXPECT_NE(Json().find(R"({"rule":"big-ticket","version":7,"agent":"amount",)"),
            std::string::npos);
  EXPECT_EQ(Parsed().reasons(1).version(), 7);
}

TEST_F(JsonAlertEncoderTest, TakesTheSeverityOfTheJudgement) {
  EXPECT_EQ(Parsed().severity(), "high");
  judgement_.severity = agents::Severity::kCritical;
  EXPECT_EQ(Parsed().severity(), "critical");
}

TEST_F(JsonAlertEncoderTest, TakesTheRulesetTheJudgementNames) {
  agents::RulesetInfo shadow = CardRisk();
  shadow.name = "trial";
  shadow.mode = agents::Mode::kShadow;
  rulesets_.push_back(shadow);
  judgement_.ruleset = 1;
  const caracal::alert::v1::Alert alert = Parsed();
  EXPECT_EQ(alert.ruleset(), "trial");
  EXPECT_EQ(alert.mode(), "shadow");
  EXPECT_NE(alert.alert_id(), "a3191a5759617d815963f2cc38855ae8");
  EXPECT_EQ(Encode().sequence, 1u) << "alerts of one record keep the order of the rulesets";
}

TEST_F(JsonAlertEncoderTest, WritesMoneyInTheStreamsScale) {
  amount_scale_ = 0;
  EXPECT_EQ(Parsed().amount(), "472015");
  amount_scale_ = 3;
  EXPECT_EQ(Values(Parsed().reasons(1).observed()).at("amount"), "472.015");
  event_.transaction.amount = -agents::kMaxAmount;
  EXPECT_EQ(Parsed().amount(), "-1000000000000.000");
}

TEST_F(JsonAlertEncoderTest, KeepsTimesInsideWhatReadersCanParse) {
  event_.transaction.event_time_us = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Parsed().event_time().seconds(), 253'402'300'799);
  event_.transaction.event_time_us = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(Parsed().event_time().seconds(), -62'135'596'800);
  event_.transaction.event_time_us = -1;
  EXPECT_EQ(google::protobuf::util::TimeUtil::TimestampToMicroseconds(Parsed().event_time()), -1);
}

TEST_F(JsonAlertEncoderTest, RendersEveryKindOfObservedValue) {
  rulesets_[0].rules[0].observed = {{"speed_kmh", ValueKind::kReal, 0},
                                    {"gap_s", ValueKind::kMicros, 1},
                                    {"country", ValueKind::kCode, 2},
                                    {"zscore", ValueKind::kReal, 3}};
  auto& observed = judgement_.fired[0].verdict.observed;
  observed[0] = std::bit_cast<int64_t>(912.25);
  observed[1] = 1'500'000;
  observed[2] = 'F' | ('R' << 8);
  observed[3] = std::bit_cast<int64_t>(std::numeric_limits<double>::infinity());
  EXPECT_NE(
      Json().find(R"("observed":{"speed_kmh":912.250,"gap_s":1.5,"country":"FR","zscore":null},)"),
      std::string::npos);
  EXPECT_TRUE(Values(Parsed().reasons(0).observed()).at("zscore").is_null());
}

TEST_F(JsonAlertEncoderTest, EscapesTextFromRows) {
  event_.transaction.account = "a\"b\\c\n\x01";
  event_.transaction.id = "\xC2\x85 会社";
  const caracal::alert::v1::Alert alert = Parsed();
  EXPECT_EQ(alert.account(), event_.transaction.account);
  EXPECT_EQ(alert.transaction_id(), event_.transaction.id);
  EXPECT_EQ(Encode().key, event_.transaction.account) << "the Kafka key is not JSON";
}

TEST_F(JsonAlertEncoderTest, StaysValidJsonForAnyBytes) {
  const auto seed = static_cast<uint32_t>(testing::UnitTest::GetInstance()->random_seed());
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::minstd_rand random(seed + 1);
  for (int round = 0; round < 300; ++round) {
    std::string account(1 + random() % 40, '\0');
    for (char& c : account) c = static_cast<char>(random() % 256);
    event_.transaction.account = account;
    event_.transaction.id = account;
    boost::system::error_code error;
    const boost::json::value json = boost::json::parse(Json(), error);
    ASSERT_FALSE(error) << error.message() << "\n" << Json();
    ASSERT_EQ(json.at("account"), json.at("transaction_id"));
    ASSERT_EQ(json.at("score").as_int64(), 90);
  }
}

TEST_F(JsonAlertEncoderTest, StopsOnAJudgementOfAnUnknownRule) {
  judgement_.fired[0].rule = 9;
  EXPECT_DEATH(Encode(), "reason.rule < ruleset.rules.size");
  judgement_ = BothFired();
  judgement_.fired[0].verdict.reason = 2;
  EXPECT_DEATH(Encode(), "verdict.reason < rule.reasons.size");
  judgement_ = BothFired();
  judgement_.ruleset = 1;
  EXPECT_DEATH(Encode(), "judgement.ruleset < rulesets_.size");
}

}  // namespace
}  // namespace caracal::pipeline
