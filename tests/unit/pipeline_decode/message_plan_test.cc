#include "pipeline/decode/message_plan.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/pipeline_decode/record_fixture.h"

namespace caracal::pipeline {
namespace {

/// A field of a Connect schema as the JsonConverter writes it.
std::string Field(const std::string& column, const std::string& type, const std::string& more) {
  return R"({"type":")" + type + R"(","optional":true)" + more + R"(,"field":")" + column + "\"}";
}

std::string StructOf(const std::string& fields, const std::string& name) {
  return R"({"type":"struct","fields":[)" + fields + R"(],"optional":true,"field":")" + name +
         "\"}";
}

class MessagePlanTest : public testing::Test {
 protected:
  const PlannedMessage& Plan(const std::string& json,
                             DecodeOptions options = TransactionOptions()) {
    json_ = json;
    const MessagePlanner planner(options);
    EXPECT_EQ(tape_.Parse(json_, 0), JsonStatus::kOk) << json;
    planner.Plan(tape_, {options.topic, ""}, message_);
    return message_;
  }
  std::string Slot(size_t slot) const {
    return std::string(tape_.Token(message_.slot_nodes[slot]).text);
  }

  std::string json_;
  JsonTape tape_{64};
  PlannedMessage message_;
};

TEST_F(MessagePlanTest, FindsTheRowAndItsColumns) {
  const PlannedMessage& message =
      Plan(R"({"before":{"id":1,"user_id":9},"after":{"id":2,"user_id":3,"amount":{"value":"AQ==",)"
           R"("scale":1}},"source":{"ts_ms":4,"db":"b","schema":"s","table":"t"},"op":"u"})");
  EXPECT_EQ(message.plan.kind, MessageKind::kEnvelope);
  EXPECT_EQ(message.plan.row_name, "after");
  EXPECT_TRUE(message.plan.has_row);
  EXPECT_TRUE(message.reusable);
  EXPECT_EQ(Slot(kIdSlot), "2");
  EXPECT_EQ(Slot(kAccountSlot), "3");
  EXPECT_EQ(Slot(kAmountScaleSlot), "1");
  EXPECT_EQ(Slot(kAmountValueSlot), "AQ==");
  EXPECT_EQ(Slot(kOperationSlot), "u");
  EXPECT_EQ(Slot(kSourceTimeSlot), "4");
  EXPECT_EQ(Slot(kSourceSchemaSlot), "s");
  EXPECT_EQ(Slot(kSourceTableSlot), "t");
  EXPECT_EQ(message.slot_nodes[kTimeSlot], JsonTape::kNone);
  EXPECT_EQ(message.slot_nodes[kKeySlot], JsonTape::kNone);
}

TEST_F(MessagePlanTest, TakesTheRowBeforeADelete) {
  Plan(R"({"before":{"id":1},"after":null,"source":{},"op":"d"})");
  EXPECT_EQ(message_.plan.row_name, "before");
  EXPECT_EQ(Slot(kIdSlot), "1");
  Plan(R"({"before":{"id":1},"after":null,"source":{},"op":"c"})");
  EXPECT_FALSE(message_.plan.has_row);
}

TEST_F(MessagePlanTest, ReadsTheSchemaOfTheMappedColumns) {
  const std::string columns =
      Field("amount", "bytes",
            R"(,"name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"3"})") +
      "," +
      Field("created_at", "int64", R"(,"name":"io.debezium.time.MicroTimestamp","default":0)");
  const std::string other = Field("amount", "string", "");
  const std::string schema = R"({"type":"struct","fields":[)" + StructOf(other, "before") + "," +
                             StructOf(columns, "after") + R"(],"name":"bank.Envelope"})";
  const auto wrapped = [&](const std::string& op) {
    return R"({"schema":)" + schema + R"(,"payload":{"before":{"amount":"1"},)" +
           R"("after":{"amount":"AQ=="},"source":null,"op":")" + op + "\"}}";
  };
  Plan(wrapped("c"));
  EXPECT_EQ(message_.plan.amount.type, ColumnType::kDecimal);
  EXPECT_EQ(message_.plan.amount.scale, 3);
  EXPECT_EQ(message_.plan.time.type, ColumnType::kMicroseconds);
  EXPECT_TRUE(message_.plan.time.zero_default);
  EXPECT_EQ(message_.plan.latitude.type, ColumnType::kUndescribed);
  Plan(wrapped("d"));
  EXPECT_EQ(message_.plan.amount.type, ColumnType::kOther);
  EXPECT_EQ(message_.plan.time.type, ColumnType::kUndescribed);
}

TEST_F(MessagePlanTest, ReadsTheSchemaOfAFlatRow) {
  const std::string schema =
      R"({"type":"struct","fields":[)" +
      Field("created_at", "string", R"(,"name":"io.debezium.time.ZonedTimestamp")") + "]}";
  Plan(R"({"schema":)" + schema + R"(,"payload":{"created_at":"2026-01-02T00:00:00Z"}})");
  EXPECT_EQ(message_.plan.kind, MessageKind::kFlatRow);
  EXPECT_EQ(message_.plan.time.type, ColumnType::kIsoTime);
}

TEST_F(MessagePlanTest, KnowsTheSemanticTypes) {
  const std::vector<std::pair<std::string, ColumnType>> types = {
      {"io.debezium.time.Date", ColumnType::kDays},
      {"org.apache.kafka.connect.data.Date", ColumnType::kDays},
      {"io.debezium.time.Timestamp", ColumnType::kMilliseconds},
      {"org.apache.kafka.connect.data.Timestamp", ColumnType::kMilliseconds},
      {"io.debezium.time.MicroTimestamp", ColumnType::kMicroseconds},
      {"io.debezium.time.NanoTimestamp", ColumnType::kNanoseconds},
      {"io.debezium.time.ZonedTimestamp", ColumnType::kIsoTime},
      {"io.debezium.time.IsoTimestamp", ColumnType::kIsoTime},
      {"io.debezium.time.IsoDate", ColumnType::kIsoTime},
      {"io.debezium.time.MicroTime", ColumnType::kTimeOfDay},
      {"io.debezium.time.ZonedTime", ColumnType::kTimeOfDay},
      {"io.debezium.data.VariableScaleDecimal", ColumnType::kVariableScaleDecimal},
      {"org.apache.kafka.connect.data.Decimal", ColumnType::kDecimal},
      {"io.debezium.data.Uuid", ColumnType::kOther},
  };
  for (const auto& [name, type] : types) {
    const std::string schema = R"({"type":"struct","fields":[)" +
                               Field("created_at", "int64", R"(,"name":")" + name + "\"") + "]}";
    Plan(R"({"schema":)" + schema + R"(,"payload":{"created_at":1}})");
    EXPECT_EQ(message_.plan.time.type, type) << name;
  }
}

TEST_F(MessagePlanTest, ReadsScalesAndDefaults) {
  const auto plan = [&](const std::string& more) -> const MessagePlan& {
    const std::string decimal = R"(,"name":"org.apache.kafka.connect.data.Decimal")";
    const std::string schema = R"({"fields":[)" + Field("amount", "bytes", decimal + more) + "," +
                               Field("created_at", "int64", more) + "]}";
    return Plan(R"({"schema":)" + schema + R"(,"payload":{"amount":"AQ=="}})").plan;
  };
  EXPECT_EQ(plan(R"(,"parameters":{"scale":"2"})").amount.scale, 2);
  EXPECT_EQ(plan(R"(,"parameters":{"scale":"-2"})").amount.scale, -2);
  EXPECT_EQ(plan(R"(,"parameters":{"scale":2})").amount.scale, 2);
  for (const std::string bad :
       {"", R"(,"parameters":{})", R"(,"parameters":{"scale":"two"})",
        R"(,"parameters":{"scale":"2x"})", R"(,"parameters":{"scale":""})",
        R"(,"parameters":{"scale":"99999999999"})", R"(,"parameters":[])"}) {
    EXPECT_EQ(plan(bad).amount.scale, std::nullopt) << bad;
  }
  EXPECT_TRUE(plan(R"(,"default":0)").time.zero_default);
  EXPECT_TRUE(plan(R"(,"default":"1970-01-01T00:00:00.000000Z")").time.zero_default);
  EXPECT_FALSE(plan(R"(,"default":1)").time.zero_default);
  EXPECT_FALSE(plan(R"(,"default":null)").time.zero_default);
  EXPECT_FALSE(plan("").time.zero_default);
}

TEST_F(MessagePlanTest, MakesNothingOfAnOddSchema) {
  for (const std::string schema :
       {"null", "7", "[]", "{}", R"({"fields":null})", R"({"fields":{}})", R"({"fields":[1,null]})",
        R"({"fields":[{"field":"after"}]})", R"({"fields":[{"field":"after","fields":7}]})"}) {
    Plan(R"({"schema":)" + schema +
         R"(,"payload":{"op":"c","source":{},"after":{"amount":"AQ=="}}})");
    EXPECT_EQ(message_.plan.kind, MessageKind::kEnvelope) << schema;
    EXPECT_EQ(message_.plan.amount.type, ColumnType::kUndescribed) << schema;
  }
}

TEST_F(MessagePlanTest, IsReusableOnlyWhereTheLayoutDecides) {
  EXPECT_TRUE(Plan(R"({"user_id":1})").reusable);
  EXPECT_TRUE(Plan(R"({"user_id":1,"ts_ms":2})").reusable);
  EXPECT_FALSE(Plan(R"({"ts_ms":2})").reusable);
  EXPECT_FALSE(
      Plan(R"({"status":"x","id":1,"event_count":1,"data_collections":1,"user_id":1})").reusable);
  EXPECT_FALSE(Plan("null").reusable);
  EXPECT_FALSE(Plan("[]").reusable);
}

}  // namespace
}  // namespace caracal::pipeline
