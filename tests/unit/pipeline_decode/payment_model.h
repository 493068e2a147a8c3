#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/pipeline_decode/json_writer.h"
#include "tests/unit/pipeline_decode/record_fixture.h"

namespace caracal::pipeline {

/// How a connector writes messages; every combination is a stream of its own.
enum class MessageShape { kWrappedEnvelope, kBareEnvelope, kWrappedRow, kFlatRow };
enum class DecimalMode { kPrecise, kString, kDouble, kExponent, kVariableScale };
enum class TimeMode { kMicros, kMillis, kNanos, kDays, kIso };

struct StreamShape {
  MessageShape shape = MessageShape::kBareEnvelope;
  DecimalMode decimals = DecimalMode::kString;
  TimeMode times = TimeMode::kMicros;
  bool HasSchema() const {
    return shape == MessageShape::kWrappedEnvelope || shape == MessageShape::kWrappedRow;
  }
  bool IsEnvelope() const {
    return shape == MessageShape::kWrappedEnvelope || shape == MessageShape::kBareEnvelope;
  }
};

/// A payment row as it is, before anyone writes it down.
struct Payment {
  enum class Time { kValue, kNull, kZero, kInfinite };

  char operation = 'c';
  int64_t id = 0;
  std::string account;
  bool account_is_number = true;
  std::optional<int64_t> cents;
  Time time_kind = Time::kValue;
  int64_t time_us = 0;
  std::optional<std::string> card;
  std::optional<int64_t> merchant;
  std::optional<agents::Location> location;
  int64_t commit_ms = 0;
  /// The time column's schema default is 0; without it a zero is a real time.
  bool zero_default = true;
};

Payment MakePayment(std::mt19937_64& random);

/// The message of a payment in the shape of the stream.
JsonValue Render(const Payment& payment, const StreamShape& shape, std::mt19937_64& random);

/// The options a stream of that shape needs to be read at all.
DecodeOptions OptionsFor(const StreamShape& shape);

/// What decoding must give: worked out from the payment, not from the message.
struct ExpectedPayment {
  std::string outcome = "transaction";
  int64_t time_us = 0;
  agents::TimeSource time_source = agents::TimeSource::kField;
};
ExpectedPayment Expect(const Payment& payment, const StreamShape& shape);

}  // namespace caracal::pipeline
