// Decodes the messages of an input with one decoder that remembers layouts and with one that does
// not: never a crash, the same outcome and event both times, and JSON is what a DOM parser says.
//
// Input: one byte that picks the stream's options, then messages separated by 0x1E.

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agents/api/check.h"
#include "tests/unit/pipeline_decode/record_fixture.h"

namespace caracal::pipeline {
namespace {

constexpr char kSeparator = '\x1e';
constexpr size_t kMaxMessages = 8;

DecodeOptions OptionsOf(uint8_t choice) {
  DecodeOptions options = TransactionOptions();
  options.fields.latitude = "lat";
  options.fields.longitude = "lon";
  options.format = static_cast<StreamFormat>(choice % 3);
  choice /= 3;
  options.time_unit = static_cast<TimeUnit>(choice % 6);
  choice /= 6;
  if (choice % 2 == 1) options.amount_source_scale = 2;
  choice /= 2;
  if (choice % 2 == 1) {
    options.operations = {OperationPolicy::kEvaluate, OperationPolicy::kEvaluate,
                          OperationPolicy::kEvaluate, OperationPolicy::kEvaluate};
  }
  options.max_depth = 32;
  return options;
}

/// Whether a strict parser accepts the value; -1 where it cannot tell (numbers its types do not
/// hold, half surrogate pairs, deep nesting).
int IsJson(std::string_view value) {
  simdjson::dom::parser parser;
  switch (parser.parse(value.data(), value.size()).error()) {
    case simdjson::SUCCESS:
      return 1;
    case simdjson::NUMBER_ERROR:
    case simdjson::STRING_ERROR:
    case simdjson::DEPTH_ERROR:
      return -1;
    default:
      return 0;
  }
}

bool IsMalformed(const DecodeResult& result) {
  return result.outcome == DecodeOutcome::kReject &&
         (result.reject_reason == RejectReason::kMalformedJson ||
          result.reject_reason == RejectReason::kInvalidUtf8);
}

void CheckMessage(Decoder& decoder, Decoder& parsing_decoder, std::string_view message) {
  const Decoded decoded = DecodeValue(decoder, std::string(message));
  const Decoded parsed = DecodeValue(parsing_decoder, std::string(message));
  CHECK(Describe(decoded) == Describe(parsed));
  if (decoded.result.outcome == DecodeOutcome::kReject) CHECK(!decoded.result.detail.empty());
  const bool is_framed = !message.empty() && message.front() == '\0';
  const int is_json = IsJson(message);
  if (is_framed || is_json < 0) return;
  if (decoded.result.outcome == DecodeOutcome::kReject &&
      decoded.result.reject_reason == RejectReason::kTooDeep) {
    return;
  }
  CHECK(IsMalformed(decoded.result) == (is_json == 0));
}

}  // namespace
}  // namespace caracal::pipeline

namespace caracal::pipeline {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  DecodeOptions options = OptionsOf(data[0]);
  Decoder decoder(options);
  options.max_layouts = 0;
  Decoder parsing_decoder(options);
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (size_t i = 0; i < kMaxMessages; ++i) {
    const size_t end = std::min(input.find(kSeparator), input.size());
    CheckMessage(decoder, parsing_decoder, input.substr(0, end));
    if (end == input.size()) break;
    input.remove_prefix(end + 1);
  }
  return 0;
}

}  // namespace caracal::pipeline
