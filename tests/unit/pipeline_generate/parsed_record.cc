#include "tests/unit/pipeline_generate/parsed_record.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json/src.hpp>
#include <cmath>

namespace caracal::pipeline {
namespace {

std::string Text(const boost::json::object& object, const char* name) {
  return std::string(object.at(name).as_string());
}

int64_t FromBase64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<uint32_t>(kDigits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count);
  }
  int64_t value = static_cast<signed char>(bytes.at(0));
  for (const char c : std::string_view(bytes).substr(1)) {
    value = value * 256 + static_cast<unsigned char>(c);
  }
  return value;
}

ParsedRow ParseRow(const boost::json::object& row, DecimalForm decimals) {
  ParsedRow parsed;
  parsed.id = row.at("id").as_int64();
  parsed.account = row.at("user_id").as_int64();
  parsed.amount = ParseAmount(row.at("amount"), decimals);
  parsed.card_type = Text(row, "card_type");
  parsed.merchant = row.at("merchant_id").as_int64();
  parsed.event_time_us = row.at("created_at").as_int64();
  if (!row.contains("country")) return parsed;
  parsed.country = Text(row, "country");
  parsed.latitude = row.at("latitude").to_number<double>();
  parsed.longitude = row.at("longitude").to_number<double>();
  parsed.device = Text(row, "device");
  parsed.currency = Text(row, "currency");
  return parsed;
}

std::optional<ParsedRow> ParseOptionalRow(const boost::json::value& row, DecimalForm decimals) {
  if (row.is_null()) return std::nullopt;
  return ParseRow(row.as_object(), decimals);
}

}  // namespace

int64_t ParseAmount(const boost::json::value& amount, DecimalForm decimals) {
  switch (decimals) {
    case DecimalForm::kBase64:
      return FromBase64(std::string_view(amount.as_string()));
    case DecimalForm::kDouble:
      return std::llround(amount.as_double() * 100);
    case DecimalForm::kString:
      break;
  }
  std::string digits(amount.as_string());
  const size_t point = digits.find('.');
  EXPECT_EQ(point, digits.size() - 3) << digits;
  digits.erase(point, 1);
  return std::stoll(digits);
}

ParsedRecord ParseRecord(std::string_view value, const MessageOptions& options) {
  ParsedRecord record;
  boost::json::value parsed = boost::json::parse(boost::json::string_view(value));
  if (options.shape == MessageShape::kWrapped) {
    EXPECT_EQ(parsed.at("schema").at("type").as_string(), "struct");
    parsed = boost::json::value(parsed.at("payload"));
  }
  record.value = parsed.as_object();
  if (options.shape == MessageShape::kFlat) {
    record.op = Text(record.value, "__op");
    record.after = ParseRow(record.value, options.decimals);
    return record;
  }
  record.op = Text(record.value, "op");
  record.before = ParseOptionalRow(record.value.at("before"), options.decimals);
  record.after = ParseOptionalRow(record.value.at("after"), options.decimals);
  return record;
}

void ExpectSameRow(const ParsedRow& parsed, const Payment& row, LoadProfile profile) {
  EXPECT_EQ(parsed.id, row.id);
  EXPECT_EQ(parsed.account, row.account);
  EXPECT_EQ(parsed.amount, row.amount);
  EXPECT_EQ(parsed.card_type, row.card_type);
  EXPECT_EQ(parsed.merchant, row.merchant);
  EXPECT_EQ(parsed.event_time_us, row.event_time_us);
  if (profile == LoadProfile::kReference) {
    EXPECT_EQ(parsed.country, "");
    return;
  }
  EXPECT_EQ(parsed.country, row.country);
  EXPECT_NEAR(parsed.latitude, row.location.latitude_udeg * 1e-6, 1e-9);
  EXPECT_NEAR(parsed.longitude, row.location.longitude_udeg * 1e-6, 1e-9);
  EXPECT_EQ(parsed.device, fmt::format("dev-{:08x}", row.device));
  EXPECT_EQ(parsed.currency, "EUR");
}

}  // namespace caracal::pipeline
