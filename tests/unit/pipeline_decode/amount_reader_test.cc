#include "pipeline/decode/amount_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "pipeline/decode/json_tape.h"

namespace caracal::pipeline {
namespace {

ColumnSchema Decimal2() {
  ColumnSchema schema;
  schema.type = ColumnType::kDecimal;
  schema.scale = 2;
  return schema;
}

ColumnSchema Type(ColumnType type) {
  ColumnSchema schema;
  schema.type = type;
  return schema;
}

/// The amount in minor units, or the name of the reason.
std::string Read(const AmountReader& reader, const std::string& json, ColumnSchema schema = {}) {
  const std::string document = "[" + json + "]";
  JsonTape tape(8);
  EXPECT_EQ(tape.Parse(document, 0), JsonStatus::kOk) << json;
  const AmountTokens tokens = {tape.Token(1), tape.Token(tape.Find(1, "scale")),
                               tape.Token(tape.Find(1, "value"))};
  Arena arena;
  int64_t amount = 0;
  const auto problem = reader.Read(tokens, schema, arena, amount);
  if (!problem.has_value()) return std::to_string(amount);
  EXPECT_FALSE(problem->text.empty());
  return std::string(RejectReasonName(problem->reason));
}

const AmountReader kAuto(2, AmountEncoding::kAuto, std::nullopt);
const AmountReader kBase64(2, AmountEncoding::kBase64, 2);
const AmountReader kBase64NoScale(2, AmountEncoding::kBase64, std::nullopt);
const AmountReader kAutoWithScale(2, AmountEncoding::kAuto, 2);

TEST(AmountReaderTest, ReadsNumbersAsDecimalText) {
  for (const AmountReader* reader : {&kAuto, &kBase64, &kBase64NoScale}) {
    EXPECT_EQ(Read(*reader, "77.1"), "7710");
    EXPECT_EQ(Read(*reader, "0.0"), "0");
    EXPECT_EQ(Read(*reader, "-0.01"), "-1");
    EXPECT_EQ(Read(*reader, "9.999999999E7"), "9999999999");
    EXPECT_EQ(Read(*reader, "1.0E300"), "amount_out_of_range");
    EXPECT_EQ(Read(*reader, "0.1"), "10");
    // 0.1 + 0.2 as a double prints as this: not a whole number of cents.
    EXPECT_EQ(Read(*reader, "0.30000000000000004"), "amount_scale");
  }
  // decimal.format=NUMERIC: the schema says Decimal, the value is a number.
  EXPECT_EQ(Read(kAuto, "1.10", Decimal2()), "110");
  EXPECT_EQ(Read(kAuto, "12345678901234567890", Decimal2()), "amount_out_of_range");
}

TEST(AmountReaderTest, ReadsBase64WithTheSchemasScale) {
  for (const AmountReader* reader : {&kAuto, &kBase64NoScale, &kAutoWithScale}) {
    EXPECT_EQ(Read(*reader, "\"BOI=\"", Decimal2()), "1250");
    EXPECT_EQ(Read(*reader, "\"/fM=\"", Decimal2()), "-525");
    EXPECT_EQ(Read(*reader, "\"1234\"", Decimal2()), "-2658824");
    EXPECT_EQ(Read(*reader, R"("\/fM=")", Decimal2()), "-525");
  }
  EXPECT_EQ(Read(kAuto, "\"12.50\"", Decimal2()), "invalid_amount");
  ColumnSchema scale4 = Decimal2();
  scale4.scale = 4;
  EXPECT_EQ(Read(kAuto, "\"EtaH\"", scale4), "amount_scale");
}

TEST(AmountReaderTest, UsesTheConfiguredScaleWhereNoSchemaGivesOne) {
  EXPECT_EQ(Read(kBase64, "\"BOI=\""), "1250");
  EXPECT_EQ(Read(kAutoWithScale, "\"BOI=\""), "1250");
  EXPECT_EQ(Read(kAutoWithScale, "\"1234\""), "-2658824");
  EXPECT_EQ(Read(kBase64, "\"BOI=\"", Type(ColumnType::kDecimal)), "1250");
  EXPECT_EQ(Read(kBase64, "\"BOI=\"", Type(ColumnType::kBytes)), "1250");
  EXPECT_EQ(Read(AmountReader(2, AmountEncoding::kBase64, 3), "\"BOI=\""), "125");
}

TEST(AmountReaderTest, RefusesBase64WithoutAScale) {
  EXPECT_EQ(Read(kAuto, "\"BOI=\""), "amount_scale_unknown");
  EXPECT_EQ(Read(kBase64NoScale, "\"BOI=\""), "amount_scale_unknown");
  EXPECT_EQ(Read(kBase64NoScale, "\"1234\""), "amount_scale_unknown");
  EXPECT_EQ(Read(kAuto, "\"BOI=\"", Type(ColumnType::kDecimal)), "amount_scale_unknown");
  EXPECT_EQ(Read(kAuto, "\"BOI=\"", Type(ColumnType::kBytes)), "amount_scale_unknown");
  EXPECT_EQ(Read(kBase64NoScale, "\"12.5\""), "invalid_amount");
}

TEST(AmountReaderTest, ReadsDecimalText) {
  EXPECT_EQ(Read(kAuto, "\"12.50\""), "1250");
  EXPECT_EQ(Read(kAuto, "\"1234\""), "123400");
  EXPECT_EQ(Read(kAuto, "\"12.505\""), "amount_scale");
  EXPECT_EQ(Read(kAuto, "\"12.50\"", Type(ColumnType::kOther)), "1250");
  EXPECT_EQ(Read(kBase64, "\"12.50\"", Type(ColumnType::kOther)), "1250");
  EXPECT_EQ(Read(kAuto, R"("1\u0032.50")"), "1250");
  EXPECT_EQ(Read(kAuto, "\"abc\""), "invalid_amount");
  EXPECT_EQ(Read(kAuto, "\"\""), "invalid_amount");
  EXPECT_EQ(Read(kAuto, "\"BOI=\"", Type(ColumnType::kOther)), "invalid_amount");
  EXPECT_EQ(Read(kAuto, R"("\uD800")"), "invalid_amount");
}

TEST(AmountReaderTest, NamesWhatIsNotFinite) {
  for (const std::string json : {"\"NAN\"", "\"NaN\"", "\"Infinity\"", "\"-Infinity\"",
                                 "\"POSITIVE_INFINITY\"", "\"NEGATIVE_INFINITY\""}) {
    EXPECT_EQ(Read(kAuto, json), "amount_not_finite") << json;
  }
}

TEST(AmountReaderTest, ReadsVariableScaleDecimals) {
  for (const AmountReader* reader : {&kAuto, &kBase64}) {
    EXPECT_EQ(Read(*reader, R"({"scale":1,"value":"ZA=="})"), "1000");
    EXPECT_EQ(Read(*reader, R"({"value":"BOI=","scale":2})"), "1250");
    EXPECT_EQ(Read(*reader, R"({"scale":-1,"value":"AQ=="})"), "1000");
    EXPECT_EQ(Read(*reader, R"({"scale":4,"value":"EtaH"})"), "amount_scale");
    EXPECT_EQ(Read(*reader, R"({"scale":20,"value":"/w=="})"), "amount_scale");
  }
  EXPECT_EQ(Read(kAuto, R"({"scale":2,"value":"BOI="})", Type(ColumnType::kVariableScaleDecimal)),
            "1250");
  for (const std::string json :
       {"{}", R"({"scale":2})", R"({"value":"BOI="})", R"({"scale":"2","value":"BOI="})",
        R"({"scale":2,"value":12})", R"({"scale":2,"value":null})",
        R"({"scale":2.5,"value":"BOI="})", R"({"scale":2,"value":"12.5"})",
        R"({"scale":99999999999,"value":"BOI="})"}) {
    EXPECT_EQ(Read(kAuto, json), "invalid_amount") << json;
  }
}

TEST(AmountReaderTest, RefusesEverythingElse) {
  EXPECT_EQ(Read(kAuto, "null"), "missing_amount");
  EXPECT_EQ(Read(kAuto, "\"__debezium_unavailable_value\""), "missing_amount");
  EXPECT_EQ(Read(kAuto, "true"), "invalid_amount");
  EXPECT_EQ(Read(kAuto, "[1]"), "invalid_amount");
  EXPECT_EQ(Read(kAuto, "\"AQAAAAAAAAAAAAAAAAAAAAA=\"", Decimal2()), "amount_out_of_range");
}

}  // namespace
}  // namespace caracal::pipeline
