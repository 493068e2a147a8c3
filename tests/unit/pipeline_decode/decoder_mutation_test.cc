// Broken messages: never a crash, always an outcome, and the same one with and without remembered
// layouts; a strict DOM parser is the judge of what is JSON at all.

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>
#include <string>
#include <vector>

#include "tests/unit/pipeline_decode/payment_model.h"

namespace caracal::pipeline {
namespace {

constexpr int kMutantsPerStream = 120;

std::string RandomBytes(std::mt19937_64& random, size_t size) {
  constexpr std::string_view kTelling =
      "{}[]:,\"\\0123456789-+.eEtrufalsn \t\n\x00\x1f\x7f\x80\xC3";
  std::string bytes;
  for (size_t i = 0; i < size; ++i) {
    bytes +=
        random() % 4 ? kTelling[random() % kTelling.size()] : static_cast<char>(random() % 256);
  }
  return bytes;
}

std::string Mutate(std::string value, std::mt19937_64& random) {
  const int changes = 1 + static_cast<int>(random() % 3);
  for (int i = 0; i < changes && !value.empty(); ++i) {
    const size_t at = random() % value.size();
    const size_t size = std::min<size_t>(1 + random() % 8, value.size() - at);
    switch (random() % 6) {
      case 0:
        value.resize(at);
        break;
      case 1:
        value.erase(at, size);
        break;
      case 2:
        value.insert(at, RandomBytes(random, size));
        break;
      case 3:
        value.replace(at, 1, RandomBytes(random, 1));
        break;
      case 4:
        value.insert(at, value.substr(random() % value.size(), 40));
        break;
      default:
        value.replace(at, size, RandomBytes(random, size));
        break;
    }
  }
  return value;
}

/// nullopt where the DOM parser cannot tell: it refuses numbers that its types do not hold and half
/// surrogate pairs, which are JSON.
std::optional<bool> IsJson(const std::string& value) {
  simdjson::dom::parser parser;
  const auto error = parser.parse(value).error();
  const bool may_be_half_pair =
      value.find("\\ud") != std::string::npos || value.find("\\uD") != std::string::npos;
  if (error == simdjson::NUMBER_ERROR) return std::nullopt;
  if (error == simdjson::STRING_ERROR && may_be_half_pair) return std::nullopt;
  return error == simdjson::SUCCESS;
}

bool IsMalformed(const DecodeResult& result) {
  return result.outcome == DecodeOutcome::kReject &&
         (result.reject_reason == RejectReason::kMalformedJson ||
          result.reject_reason == RejectReason::kInvalidUtf8);
}

class DecoderMutationTest : public testing::TestWithParam<MessageShape> {};

INSTANTIATE_TEST_SUITE_P(Shapes, DecoderMutationTest,
                         testing::Values(MessageShape::kWrappedEnvelope,
                                         MessageShape::kBareEnvelope, MessageShape::kWrappedRow,
                                         MessageShape::kFlatRow));

TEST_P(DecoderMutationTest, BrokenMessagesHaveOneOutcome) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (const DecimalMode decimals : {DecimalMode::kPrecise, DecimalMode::kString,
                                     DecimalMode::kDouble, DecimalMode::kVariableScale}) {
    const StreamShape shape = {GetParam(), decimals, TimeMode::kMicros};
    DecodeOptions options = OptionsFor(shape);
    Decoder decoder(options);
    options.max_layouts = 0;
    Decoder parsing_decoder(options);
    for (int i = 0; i < kMutantsPerStream; ++i) {
      const std::string valid =
          JsonWriter(random, {}).Write(Render(MakePayment(random), shape, random));
      ASSERT_FALSE(IsMalformed(DecodeValue(decoder, valid).result));
      const std::string value = Mutate(valid, random);
      SCOPED_TRACE(testing::PrintToString(value));
      const Decoded decoded = DecodeValue(decoder, value);
      ASSERT_EQ(Describe(decoded), Describe(DecodeValue(parsing_decoder, value)));
      const bool is_framed = !value.empty() && value.front() == '\0';
      if (const auto is_json = IsJson(value); is_json.has_value() && !is_framed) {
        ASSERT_EQ(!IsMalformed(decoded.result), *is_json);
      }
    }
  }
}

TEST(DecoderGarbageTest, GarbageIsRejected) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  Decoder decoder(TransactionOptions());
  for (int i = 0; i < 3000; ++i) {
    const std::string value = RandomBytes(random, random() % 200);
    SCOPED_TRACE(testing::PrintToString(value));
    const Decoded decoded = DecodeValue(decoder, value);
    ASSERT_NE(decoded.result.outcome, DecodeOutcome::kTransaction);
    const bool is_framed = !value.empty() && value.front() == '\0';
    if (const auto is_json = IsJson(value); is_json.has_value() && !is_framed) {
      ASSERT_EQ(!IsMalformed(decoded.result), *is_json);
    }
  }
}

}  // namespace
}  // namespace caracal::pipeline
