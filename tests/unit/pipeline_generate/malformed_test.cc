#include "pipeline/generate/malformed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>
#include <string>

#include "pipeline/generate/record_renderer.h"
#include "pipeline/generate/text_cursor.h"

namespace caracal::pipeline {
namespace {

/// A depth limit far above the message's own, and far below kTooDeep's.
constexpr size_t kParserDepth = 512;

struct Form {
  MessageShape shape;
  DecimalForm decimals;
};

class MalformedTest : public testing::TestWithParam<Form> {
 protected:
  std::string Spoil(MalformedKind kind) {
    MessageOptions options;
    options.shape = GetParam().shape;
    options.decimals = GetParam().decimals;
    RecordRenderer renderer(LoadProfile::kCards, options);
    Payment row;
    row.id = 7;
    row.account = 42;
    row.amount = 1250;
    row.card_type = "VISA";
    row.country = "DE";
    row.merchant = 3;
    Change change;
    change.commit_us = 1'767'603'600'000'000;
    change.sent_ns = 1'767'603'600'000'000'000;
    const std::string value(renderer.RenderValue(change, nullptr, &row));
    return MakeMalformed(kind, options.decimals, value, renderer.payload_offset());
  }

  static bool Parses(const std::string& value) {
    boost::json::parse_options options;
    options.max_depth = kParserDepth;
    boost::json::error_code error;
    boost::json::parse(value, error, {}, options);
    return !error;
  }

  // The row of a value that parses.
  static boost::json::object Row(const std::string& value) {
    boost::json::value parsed = boost::json::parse(value);
    if (GetParam().shape == MessageShape::kWrapped) {
      parsed = boost::json::value(parsed.at("payload"));
    }
    if (GetParam().shape != MessageShape::kFlat) {
      parsed = boost::json::value(parsed.at("after"));
    }
    return parsed.as_object();
  }
};

TEST_P(MalformedTest, BreaksTheJson) {
  for (const MalformedKind kind :
       {MalformedKind::kTruncated, MalformedKind::kTrailingBytes, MalformedKind::kNotJson,
        MalformedKind::kEmpty, MalformedKind::kTooDeep}) {
    EXPECT_FALSE(Parses(Spoil(kind))) << MalformedKindName(kind);
  }
  EXPECT_EQ(Spoil(MalformedKind::kEmpty), "");
  EXPECT_GT(Spoil(MalformedKind::kTooDeep).size(), 4000u);
}

TEST_P(MalformedTest, BreaksTheEncoding) {
  EXPECT_FALSE(IsUtf8(Spoil(MalformedKind::kInvalidUtf8)));
}

TEST_P(MalformedTest, LosesTheObject) {
  EXPECT_TRUE(boost::json::parse(Spoil(MalformedKind::kNotAnObject)).is_array());
}

TEST_P(MalformedTest, SpoilsOneFieldOfTheRow) {
  EXPECT_FALSE(Row(Spoil(MalformedKind::kNoAmountField)).contains("amount"));
  EXPECT_EQ(Row(Spoil(MalformedKind::kNoAmountField)).size() + 1,
            Row(Spoil(MalformedKind::kNullAmount)).size());
  EXPECT_TRUE(Row(Spoil(MalformedKind::kNullAccount)).at("user_id").is_null());
  EXPECT_TRUE(Row(Spoil(MalformedKind::kNullAmount)).at("amount").is_null());
  EXPECT_EQ(Row(Spoil(MalformedKind::kTextAmount)).at("amount").as_string(), "twelve?");
  EXPECT_TRUE(Row(Spoil(MalformedKind::kBooleanAmount)).at("amount").is_bool());
  EXPECT_EQ(Row(Spoil(MalformedKind::kBooleanAmount)).at("id").as_int64(), 7);
}

TEST_P(MalformedTest, LeavesNumbersThatCannotBeAmounts) {
  const bool number = GetParam().decimals == DecimalForm::kDouble;
  const boost::json::value huge = Row(Spoil(MalformedKind::kHugeAmount)).at("amount");
  switch (GetParam().decimals) {
    case DecimalForm::kBase64:
      EXPECT_EQ(huge.as_string(), "N4Lazp2QAAA=") << "4 x 10^18 minor units";
      return;
    case DecimalForm::kDouble:
      EXPECT_EQ(huge.as_double(), 4e16);
      break;
    case DecimalForm::kString:
      EXPECT_EQ(huge.as_string(), "40000000000000000.00");
      break;
  }
  EXPECT_EQ(Row(Spoil(MalformedKind::kNanAmount)).at("amount").as_string(), number ? "NaN" : "NAN");
  const boost::json::value fraction = Row(Spoil(MalformedKind::kFractionalAmount)).at("amount");
  EXPECT_EQ(number ? boost::json::serialize(fraction) : std::string(fraction.as_string()),
            number ? "1.2345E1" : "12.345");
}

TEST_P(MalformedTest, NeverBreaksALine) {
  for (const MalformedKind kind : MalformedKinds(GetParam().decimals)) {
    EXPECT_EQ(Spoil(kind).find('\n'), std::string::npos) << MalformedKindName(kind);
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, MalformedTest,
                         testing::Values(Form{MessageShape::kBare, DecimalForm::kString},
                                         Form{MessageShape::kBare, DecimalForm::kBase64},
                                         Form{MessageShape::kFlat, DecimalForm::kDouble},
                                         Form{MessageShape::kWrapped, DecimalForm::kBase64},
                                         Form{MessageShape::kWrapped, DecimalForm::kDouble}));

TEST(MalformedKindsTest, HaveNamesAndReasonsOfTheirOwn) {
  std::set<std::string_view> names;
  for (const MalformedKind kind : MalformedKinds(DecimalForm::kString)) {
    EXPECT_NE(kind, MalformedKind::kNone);
    EXPECT_TRUE(names.insert(MalformedKindName(kind)).second) << MalformedKindName(kind);
    EXPECT_FALSE(RejectReasonName(ExpectedRejectReason(kind)).empty());
  }
  EXPECT_EQ(names.size(), 15u);
  EXPECT_EQ(MalformedKindName(MalformedKind::kHugeAmount), "huge_amount");
  EXPECT_EQ(ExpectedRejectReason(MalformedKind::kHugeAmount), RejectReason::kAmountOutOfRange);
  EXPECT_EQ(MalformedKindName(MalformedKind::kTruncated), "truncated");
}

TEST(MalformedKindsTest, LeaveOutWhatBase64CannotExpress) {
  const auto kinds = MalformedKinds(DecimalForm::kBase64);
  EXPECT_EQ(kinds.size(), 13u);
  for (const MalformedKind kind : {MalformedKind::kNanAmount, MalformedKind::kFractionalAmount}) {
    EXPECT_EQ(std::find(kinds.begin(), kinds.end(), kind), kinds.end());
  }
}

}  // namespace
}  // namespace caracal::pipeline
