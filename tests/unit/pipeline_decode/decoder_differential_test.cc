// Payments from a model, written in every shape a connector has, must come back as they were.

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/unit/pipeline_decode/payment_model.h"

namespace caracal::pipeline {
namespace {

constexpr int kPaymentsPerStream = 10;

std::vector<StreamShape> AllStreams() {
  std::vector<StreamShape> streams;
  for (const MessageShape shape : {MessageShape::kWrappedEnvelope, MessageShape::kBareEnvelope,
                                   MessageShape::kWrappedRow, MessageShape::kFlatRow}) {
    for (const DecimalMode decimals :
         {DecimalMode::kPrecise, DecimalMode::kString, DecimalMode::kDouble, DecimalMode::kExponent,
          DecimalMode::kVariableScale}) {
      for (const TimeMode times : {TimeMode::kMicros, TimeMode::kMillis, TimeMode::kNanos,
                                   TimeMode::kDays, TimeMode::kIso}) {
        streams.push_back({shape, decimals, times});
      }
    }
  }
  return streams;
}

std::string_view OptionalView(const std::optional<std::string>& text) {
  return text.has_value() ? std::string_view(*text) : std::string_view();
}

void ExpectPayment(const Decoded& decoded, const Payment& payment, const StreamShape& shape) {
  const ExpectedPayment expected = Expect(payment, shape);
  ASSERT_EQ(Summary(decoded.result), expected.outcome);
  if (!decoded.is_transaction()) return;
  const agents::Transaction& transaction = decoded.transaction();
  EXPECT_EQ(transaction.account, payment.account);
  EXPECT_EQ(transaction.key, payment.account);
  EXPECT_EQ(transaction.id, std::to_string(payment.id));
  EXPECT_EQ(transaction.amount, *payment.cents);
  EXPECT_EQ(transaction.event_time_us, expected.time_us);
  EXPECT_EQ(transaction.time_source, expected.time_source);
  ASSERT_EQ(transaction.attributes.size(), 2U);
  EXPECT_EQ(TextOrNull(transaction.attributes[0]), TextOrNull(OptionalView(payment.card)));
  const std::string merchant =
      payment.merchant.has_value() ? "'" + std::to_string(*payment.merchant) + "'" : "NULL";
  EXPECT_EQ(TextOrNull(transaction.attributes[1]), merchant);
  EXPECT_EQ(transaction.has_location, payment.location.has_value());
  EXPECT_EQ(transaction.location, payment.location.value_or(agents::Location{}));
  EXPECT_EQ(decoded.event.commit_time_ms, payment.commit_ms);
  EXPECT_EQ(decoded.event.has_row, payment.operation != 'u');
  EXPECT_EQ(decoded.event.action,
            payment.operation == 'r' ? EventAction::kWarm : EventAction::kEvaluate);
}

class DecoderDifferentialTest : public testing::TestWithParam<int> {};

/// Bits: whitespace, escapes, shuffled members.
INSTANTIATE_TEST_SUITE_P(Styles, DecoderDifferentialTest, testing::Range(0, 8));

TEST_P(DecoderDifferentialTest, ReadsBackWhatWasWritten) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const JsonWriter::Style style = {(GetParam() & 1) != 0, (GetParam() & 2) != 0,
                                   (GetParam() & 4) != 0};
  for (const StreamShape& shape : AllStreams()) {
    DecodeOptions options = OptionsFor(shape);
    Decoder decoder(options);
    options.max_layouts = 0;
    Decoder parsing_decoder(options);
    for (int i = 0; i < kPaymentsPerStream; ++i) {
      const Payment payment = MakePayment(random);
      const std::string value = JsonWriter(random, style).Write(Render(payment, shape, random));
      SCOPED_TRACE(value);
      const Decoded decoded = DecodeValue(decoder, value);
      ExpectPayment(decoded, payment, shape);
      EXPECT_EQ(Describe(decoded), Describe(DecodeValue(parsing_decoder, value)));
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace caracal::pipeline
