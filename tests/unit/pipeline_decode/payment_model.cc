#include "tests/unit/pipeline_decode/payment_model.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace caracal::pipeline {
namespace {

constexpr int64_t kMaxAheadUs = 300'000'000;
constexpr int64_t kDayUs = 86'400'000'000;

int64_t FloorTo(int64_t value, int64_t unit) {
  const int64_t rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

/// Plain decimal text of `units` * 10^-scale.
std::string DecimalText(int64_t units, int scale) {
  std::string digits = std::to_string(units < 0 ? -units : units);
  while (static_cast<int>(digits.size()) <= scale) digits.insert(0, "0");
  digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  return (units < 0 ? "-" : "") + digits;
}

/// Base64 of the shortest two's complement, as java.math.BigInteger.toByteArray gives it.
std::string Base64(int64_t value) {
  std::string bytes;
  int width = 8;
  while (width > 1 && (value >> (8 * width - 9)) == (value < 0 ? -1 : 0)) --width;
  for (int i = width - 1; i >= 0; --i) bytes += static_cast<char>((value >> (8 * i)) & 0xFF);
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t size = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < size ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j)
      text += j <= size ? kAlphabet[(group >> (18 - 6 * j)) & 63] : '=';
  }
  return text;
}

/// Civil date of a day number, by counting: slow, and nothing like the code under test.
std::string DateText(int64_t day) {
  int64_t year = 1970;
  const auto is_leap = [](int64_t y) { return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0); };
  while (day < 0) day += is_leap(--year) ? 366 : 365;
  while (day >= (is_leap(year) ? 366 : 365)) day -= is_leap(year++) ? 366 : 365;
  std::array<int64_t, 12> lengths = {
      31, is_leap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  size_t month = 0;
  while (day >= lengths[month]) day -= lengths[month++];
  return fmt::format("{:04}-{:02}-{:02}", year, month + 1, day + 1);
}

std::string IsoText(int64_t micros, std::mt19937_64& random) {
  // Any offset names the same instant.
  constexpr std::array<int64_t, 4> kOffsets = {0, 3 * 3600, -4 * 3600 - 1800, 5 * 3600 + 2700};
  const int64_t offset = kOffsets[random() % kOffsets.size()];
  const int64_t local = micros + offset * 1'000'000;
  const int64_t day = FloorTo(local, kDayUs) / kDayUs;
  const int64_t rest = local - day * kDayUs;
  const int64_t second = rest / 1'000'000;
  std::string text = fmt::format("{}T{:02}:{:02}:{:02}.{:06}", DateText(day), second / 3600,
                                 second / 60 % 60, second % 60, rest % 1'000'000);
  if (offset == 0) return text + "Z";
  const int64_t distance = offset < 0 ? -offset : offset;
  return text +
         fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', distance / 3600, distance / 60 % 60);
}

JsonValue RenderAmount(const Payment& payment, DecimalMode mode, std::mt19937_64& random) {
  if (!payment.cents.has_value()) return JsonValue::Raw("null");
  const int64_t cents = *payment.cents;
  switch (mode) {
    case DecimalMode::kPrecise:
      return JsonValue::String(Base64(cents));
    case DecimalMode::kString:
      return JsonValue::String(DecimalText(cents, 2));
    case DecimalMode::kDouble:
      return JsonValue::Raw(DecimalText(cents, 2));
    case DecimalMode::kExponent: {
      const int shift = static_cast<int>(random() % 12);
      return JsonValue::Raw(DecimalText(cents, 2 + shift) + fmt::format("E{}", shift));
    }
    case DecimalMode::kVariableScale: {
      const int more = static_cast<int>(random() % 4);
      int64_t value = cents;
      for (int i = 0; i < more; ++i) value *= 10;
      return JsonValue::Object(
          {{"scale", JsonValue::Number(2 + more)}, {"value", JsonValue::String(Base64(value))}});
    }
  }
  return JsonValue::Raw("null");
}

JsonValue RenderTime(const Payment& payment, TimeMode mode, std::mt19937_64& random) {
  const bool zero = payment.time_kind == Payment::Time::kZero;
  const int64_t micros = zero ? 0 : payment.time_us;
  if (payment.time_kind == Payment::Time::kNull) return JsonValue::Raw("null");
  if (payment.time_kind == Payment::Time::kInfinite) {
    if (mode == TimeMode::kIso) return JsonValue::String(random() % 2 ? "infinity" : "-infinity");
    return JsonValue::Number(random() % 2 ? INT64_MAX : INT64_MIN);
  }
  switch (mode) {
    case TimeMode::kMicros:
      return JsonValue::Number(micros);
    case TimeMode::kMillis:
      return JsonValue::Number(FloorTo(micros, 1000) / 1000);
    case TimeMode::kNanos:
      return JsonValue::Number(micros * 1000 +
                               (micros == 0 ? 0 : static_cast<int64_t>(random() % 1000)));
    case TimeMode::kDays:
      return JsonValue::Number(FloorTo(micros, kDayUs) / kDayUs);
    case TimeMode::kIso:
      return JsonValue::String(zero ? "1970-01-01T00:00:00Z" : IsoText(micros, random));
  }
  return JsonValue::Raw("null");
}

JsonValue Nullable(const std::optional<int64_t>& value) {
  return value.has_value() ? JsonValue::Number(*value) : JsonValue::Raw("null");
}

JsonValue RenderDegrees(const std::optional<agents::Location>& location, bool latitude,
                        std::mt19937_64& random) {
  if (!location.has_value()) return JsonValue::Raw("null");
  const std::string text =
      DecimalText(latitude ? location->latitude_udeg : location->longitude_udeg, 6);
  return random() % 2 ? JsonValue::Raw(text) : JsonValue::String(text);
}

using Members = JsonValue::Members;

Members RenderRow(const Payment& payment, const StreamShape& shape, std::mt19937_64& random) {
  return {
      {"id", JsonValue::Number(payment.id)},
      {"user_id", payment.account_is_number ? JsonValue::Raw(payment.account)
                                            : JsonValue::String(payment.account)},
      {"amount", RenderAmount(payment, shape.decimals, random)},
      {"card_type",
       payment.card.has_value() ? JsonValue::String(*payment.card) : JsonValue::Raw("null")},
      {"merchant_id", Nullable(payment.merchant)},
      {"created_at", RenderTime(payment, shape.times, random)},
      {"lat", RenderDegrees(payment.location, true, random)},
      {"lon", RenderDegrees(payment.location, false, random)},
      {"note", JsonValue::String("}\"],:{")},
      {"tags",
       JsonValue::Array({JsonValue::Number(1), JsonValue::Object({}), JsonValue::Array({})})},
  };
}

JsonValue FieldSchema(const std::string& column, const std::string& type, const std::string& name,
                      Members more = {}) {
  Members members = {{"type", JsonValue::String(type)}, {"optional", JsonValue::Raw("true")}};
  if (!name.empty()) members.emplace_back("name", JsonValue::String(name));
  for (auto& member : more) members.push_back(std::move(member));
  members.emplace_back("field", JsonValue::String(column));
  return JsonValue::Object(std::move(members));
}

JsonValue AmountSchema(DecimalMode mode) {
  switch (mode) {
    case DecimalMode::kPrecise:
      return FieldSchema("amount", "bytes", "org.apache.kafka.connect.data.Decimal",
                         {{"parameters", JsonValue::Object({{"scale", JsonValue::String("2")}})}});
    case DecimalMode::kString:
      return FieldSchema("amount", "string", "");
    case DecimalMode::kDouble:
    case DecimalMode::kExponent:
      return FieldSchema("amount", "double", "");
    case DecimalMode::kVariableScale:
      return FieldSchema("amount", "struct", "io.debezium.data.VariableScaleDecimal");
  }
  return {};
}

JsonValue TimeSchema(const Payment& payment, TimeMode mode) {
  constexpr std::array<const char*, 5> kNames = {
      "io.debezium.time.MicroTimestamp", "io.debezium.time.Timestamp",
      "io.debezium.time.NanoTimestamp", "io.debezium.time.Date", "io.debezium.time.ZonedTimestamp"};
  Members more;
  if (payment.zero_default) {
    more.emplace_back("default", mode == TimeMode::kIso ? JsonValue::String("1970-01-01T00:00:00Z")
                                                        : JsonValue::Raw("0"));
  }
  return FieldSchema("created_at", mode == TimeMode::kIso ? "string" : "int64",
                     kNames[static_cast<size_t>(mode)], std::move(more));
}

JsonValue StructSchema(JsonValue amount, JsonValue time) {
  return JsonValue::Array({FieldSchema("id", "int32", ""), FieldSchema("user_id", "int32", ""),
                           std::move(amount), std::move(time)});
}

JsonValue Wrap(JsonValue payload, const Payment& payment, const StreamShape& shape) {
  JsonValue row = StructSchema(AmountSchema(shape.decimals), TimeSchema(payment, shape.times));
  JsonValue fields = row;
  if (shape.IsEnvelope()) {
    fields = JsonValue::Array({FieldSchema("before", "struct", "v", {{"fields", row}}),
                               FieldSchema("after", "struct", "v", {{"fields", row}})});
  }
  return JsonValue::Object(
      {{"schema", JsonValue::Object({{"type", JsonValue::String("struct")}, {"fields", fields}})},
       {"payload", std::move(payload)}});
}

std::string RandomCard(std::mt19937_64& random) {
  constexpr std::array<const char*, 6> kCards = {
      "visa", "mastercard", "utf8 \"é\" \\ 漢\ttab", "", "😀", "a longer text than sixteen bytes"};
  if (random() % 8) return kCards[random() % kCards.size()];
  // Long, with a digit somewhere: in the middle of what else is the same in every message.
  std::string text(150 + random() % 3, 'x');
  text[random() % text.size()] = static_cast<char>('0' + random() % 10);
  return text;
}

}  // namespace

Payment MakePayment(std::mt19937_64& random) {
  Payment payment;
  payment.operation = "ccccru"[random() % 6];
  payment.id = static_cast<int64_t>(random() % 1'000'000'000);
  payment.account_is_number = random() % 2 == 0;
  payment.account = std::to_string(random() % 1'000'000);
  if (!payment.account_is_number && random() % 2) payment.account = "DE-" + payment.account + "/é";
  if (random() % 20) {
    payment.cents = static_cast<int64_t>(random() % (uint64_t{1} << (1 + random() % 33)));
    if (random() % 4 == 0) payment.cents = -*payment.cents;
  }
  payment.commit_ms = 1'700'000'000'000 + static_cast<int64_t>(random() % 100'000'000'000);
  // From 1990 up to ten minutes after the commit.
  const int64_t first = 631'152'000'000'000;
  const int64_t last = payment.commit_ms * 1000 + 2 * kMaxAheadUs;
  payment.time_us = random() % 2 ? first + static_cast<int64_t>(random() % (last - first))
                                 : last - static_cast<int64_t>(random() % (4 * kMaxAheadUs));
  const uint64_t kind = random() % 20;
  if (kind == 0) payment.time_kind = Payment::Time::kNull;
  if (kind == 1) payment.time_kind = Payment::Time::kZero;
  if (kind == 2) payment.time_kind = Payment::Time::kInfinite;
  if (random() % 5) payment.card = RandomCard(random);
  if (random() % 5) payment.merchant = static_cast<int64_t>(random() % 10'000);
  if (random() % 3) {
    payment.location = agents::Location{static_cast<int32_t>(random() % 180'000'001) - 90'000'000,
                                        static_cast<int32_t>(random() % 360'000'001) - 180'000'000};
  }
  payment.zero_default = random() % 4 != 0;
  return payment;
}

JsonValue Render(const Payment& payment, const StreamShape& shape, std::mt19937_64& random) {
  Members row = RenderRow(payment, shape, random);
  const std::string operation(1, payment.operation);
  JsonValue payload;
  if (shape.IsEnvelope()) {
    JsonValue source = JsonValue::Object({{"version", JsonValue::String("3.7.0.Final")},
                                          {"ts_ms", JsonValue::Number(payment.commit_ms)},
                                          {"sequence", JsonValue::String("[null,\"26722280\"]")},
                                          {"schema", JsonValue::String("public")},
                                          {"table", JsonValue::String("transactions")},
                                          {"lsn", JsonValue::Number(payment.id * 7)}});
    payload = JsonValue::Object({{"before", JsonValue::Raw("null")},
                                 {"after", JsonValue::Object(std::move(row))},
                                 {"source", std::move(source)},
                                 {"op", JsonValue::String(operation)},
                                 {"ts_ms", JsonValue::Number(payment.commit_ms + 80)}});
  } else {
    row.emplace_back("__op", JsonValue::String(operation));
    row.emplace_back("__source_ts_ms", JsonValue::Number(payment.commit_ms));
    row.emplace_back("__deleted", JsonValue::String("false"));
    payload = JsonValue::Object(std::move(row));
  }
  return shape.HasSchema() ? Wrap(std::move(payload), payment, shape) : payload;
}

DecodeOptions OptionsFor(const StreamShape& shape) {
  DecodeOptions options = TransactionOptions();
  options.fields.latitude = "lat";
  options.fields.longitude = "lon";
  options.operations.update = OperationPolicy::kEvaluate;
  if (shape.HasSchema()) return options;
  if (shape.decimals == DecimalMode::kPrecise) options.amount_source_scale = 2;
  constexpr std::array<TimeUnit, 5> kUnits = {TimeUnit::kMicroseconds, TimeUnit::kMilliseconds,
                                              TimeUnit::kNanoseconds, TimeUnit::kDays,
                                              TimeUnit::kIso};
  options.time_unit = kUnits[static_cast<size_t>(shape.times)];
  return options;
}

ExpectedPayment Expect(const Payment& payment, const StreamShape& shape) {
  ExpectedPayment expected;
  if (!payment.cents.has_value()) {
    expected.outcome = "reject:missing_amount";
    return expected;
  }
  int64_t unit = 1;
  if (shape.times == TimeMode::kMillis) unit = 1000;
  if (shape.times == TimeMode::kDays) unit = kDayUs;
  const bool zero = payment.time_kind == Payment::Time::kZero;
  const int64_t read = zero ? 0 : FloorTo(payment.time_us, unit);
  const bool zero_is_null = !shape.HasSchema() || payment.zero_default;
  const bool usable = payment.time_kind == Payment::Time::kValue
                          ? read <= payment.commit_ms * 1000 + kMaxAheadUs
                          : zero && !zero_is_null;
  expected.time_us = usable ? read : payment.commit_ms * 1000;
  if (!usable) expected.time_source = agents::TimeSource::kSourceCommit;
  return expected;
}

}  // namespace caracal::pipeline
