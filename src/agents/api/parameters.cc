#include "agents/api/parameters.h"

#include <array>
#include <limits>

#include <fmt/format.h>

#include "absl/status/status.h"
#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "agents/api/transaction.h"

namespace caracal::agents {
namespace {

struct DurationUnit {
  std::string_view name;
  int64_t micros;
};

// Largest first: the order in which FormatDuration tries them.
constexpr std::array<DurationUnit, 6> kDurationUnits = {{{"d", 86'400'000'000},
                                                         {"h", 3'600'000'000},
                                                         {"m", 60'000'000},
                                                         {"s", 1'000'000},
                                                         {"ms", 1'000},
                                                         {"us", 1}}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

absl::Status NotADuration(std::string_view text) {
  return absl::InvalidArgumentError(fmt::format(
      "'{}' is not a duration: write a number and a unit, like 500ms, 60s, 1h30m or 7d", text));
}

}  // namespace

absl::StatusOr<Decimal> ParseDecimal(std::string_view text) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  Decimal result;
  int digits = 0;
  bool point = false;
  for (const char c : rest) {
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (!IsDigit(c)) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is not a decimal number like 12.50", text));
    }
    if (result.unscaled != 0 || c != '0') {
      if (result.unscaled >= 100'000'000'000'000'000) {
        return absl::InvalidArgumentError(
            fmt::format("'{}' has more than 18 significant digits", text));
      }
    }
    result.unscaled = result.unscaled * 10 + (c - '0');
    result.scale += point ? 1 : 0;
    ++digits;
  }
  if (digits == 0 || result.scale > 18) {
    return absl::InvalidArgumentError(fmt::format("'{}' is not a decimal number like 12.50", text));
  }
  if (negative) result.unscaled = -result.unscaled;
  return result;
}

std::string FormatDecimal(const Decimal& value) {
  const bool negative = value.unscaled < 0;
  std::string digits = fmt::to_string(negative ? 0 - static_cast<uint64_t>(value.unscaled)
                                               : static_cast<uint64_t>(value.unscaled));
  if (value.scale > 0) {
    const auto scale = static_cast<size_t>(value.scale);
    if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
    digits.insert(digits.size() - scale, 1, '.');
  }
  return negative ? "-" + digits : digits;
}

absl::StatusOr<int64_t> ToMinorUnits(const Decimal& value, int scale) {
  __int128 units = value.unscaled;
  for (int s = value.scale; s < scale; ++s) {
    units *= 10;
    if (units > kMaxAmount || units < -kMaxAmount) break;
  }
  for (int s = value.scale; s > scale; --s) {
    if (units % 10 != 0) {
      return absl::InvalidArgumentError(
          fmt::format("{} has more than {} digits after the point, the stream's amount_scale",
                      FormatDecimal(value), scale));
    }
    units /= 10;
  }
  if (units > kMaxAmount || units < -kMaxAmount) {
    return absl::InvalidArgumentError(
        fmt::format("{} is beyond 10^15 minor units", FormatDecimal(value)));
  }
  return static_cast<int64_t>(units);
}

double ToDouble(const Decimal& value) {
  double unit = 1.0;  // exact up to 10^22
  for (int i = 0; i < value.scale; ++i) unit *= 10.0;
  return static_cast<double>(value.unscaled) / unit;
}

absl::StatusOr<int64_t> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  if (rest.empty()) return NotADuration(text);
  __int128 total = 0;
  while (!rest.empty()) {
    int64_t number = 0;
    size_t digits = 0;
    while (digits < rest.size() && IsDigit(rest[digits])) {
      if (digits >= 18) return NotADuration(text);
      number = number * 10 + (rest[digits++] - '0');
    }
    size_t letters = digits;
    while (letters < rest.size() && !IsDigit(rest[letters])) ++letters;
    const std::string_view unit = rest.substr(digits, letters - digits);
    const DurationUnit* found = nullptr;
    for (const DurationUnit& candidate : kDurationUnits) {
      if (candidate.name == unit) found = &candidate;
    }
    if (digits == 0 || found == nullptr) return NotADuration(text);
    total += static_cast<__int128>(number) * found->micros;
    if (total > std::numeric_limits<int64_t>::max() / 4) {
      return absl::InvalidArgumentError(fmt::format("'{}' is longer than a duration can be", text));
    }
    rest.remove_prefix(letters);
  }
  return static_cast<int64_t>(total);
}

std::string FormatDuration(int64_t micros) {
  if (micros == 0) return "0s";
  for (const DurationUnit& unit : kDurationUnits) {
    if (micros % unit.micros == 0) return fmt::format("{}{}", micros / unit.micros, unit.name);
  }
  return fmt::format("{}us", micros);
}

const ParameterValue& Parameters::Get(std::string_view name) const {
  const auto it = values_.find(name);
  CHECK(it != values_.end());
  return it->second;
}

bool Parameters::Bool(std::string_view name) const { return std::get<bool>(Get(name)); }
int64_t Parameters::Integer(std::string_view name) const { return std::get<int64_t>(Get(name)); }
const Decimal& Parameters::DecimalValue(std::string_view name) const {
  return std::get<Decimal>(Get(name));
}
int64_t Parameters::DurationMicros(std::string_view name) const {
  return std::get<int64_t>(Get(name));
}
const std::string& Parameters::Text(std::string_view name) const {
  return std::get<std::string>(Get(name));
}
const std::vector<std::string>& Parameters::TextList(std::string_view name) const {
  return std::get<std::vector<std::string>>(Get(name));
}
const Parameters& Parameters::Object(std::string_view name) const {
  return *std::get<std::shared_ptr<const Parameters>>(Get(name));
}

absl::StatusOr<int64_t> Parameters::Money(std::string_view name, int scale) const {
  absl::StatusOr<int64_t> units = ToMinorUnits(DecimalValue(name), scale);
  if (!units.ok()) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", name, MessageOf(units.status())));
  }
  return units;
}

}  // namespace caracal::agents
