#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/generate/generated_record.h"
#include "pipeline/generate/generator_options.h"

namespace caracal::pipeline {

/// A row as read back from message bytes.
struct ParsedRow {
  int64_t id = 0;
  int64_t account = 0;
  int64_t amount = 0;
  std::string card_type;
  int64_t merchant = 0;
  int64_t event_time_us = 0;
  /// Only in the cards profile.
  std::string country;
  double latitude = 0;
  double longitude = 0;
  std::string device;
  std::string currency;
};

/// A message as read back from its bytes by a JSON parser that shares nothing with the renderer.
struct ParsedRecord {
  boost::json::object value;
  std::string op;
  std::optional<ParsedRow> before;
  std::optional<ParsedRow> after;
};

/// Parses the value; the test fails (gtest assertion) when it is no such message.
ParsedRecord ParseRecord(std::string_view value, const MessageOptions& options);

/// Minor units of an amount in the given form.
int64_t ParseAmount(const boost::json::value& amount, DecimalForm decimals);

/// Expects that `parsed` says what `row` says.
void ExpectSameRow(const ParsedRow& parsed, const Payment& row, LoadProfile profile);

}  // namespace caracal::pipeline
