#include "pipeline/emit/value_text.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <string_view>

#include "agents/api/check.h"
#include "pipeline/base/digits.h"
#include "pipeline/base/json_string.h"

namespace caracal::pipeline {
namespace {

constexpr std::array<uint64_t, kMaxAmountScale + 1> PowersOfTen() {
  std::array<uint64_t, kMaxAmountScale + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}

constexpr auto kPowersOfTen = PowersOfTen();

/// Well defined for INT64_MIN too.
uint64_t Magnitude(int64_t value) {
  const auto bits = static_cast<uint64_t>(value);
  return value < 0 ? ~bits + 1 : bits;
}

}  // namespace

void AppendDecimal(int64_t minor_units, int scale, std::string& out) {
  DCHECK(scale >= 0 && scale <= kMaxAmountScale);
  const uint64_t magnitude = Magnitude(minor_units);
  const uint64_t unit = kPowersOfTen[static_cast<size_t>(scale)];
  if (minor_units < 0) out += '-';
  AppendPadded(magnitude / unit, 1, out);
  if (scale == 0) return;
  out += '.';
  AppendPadded(magnitude % unit, static_cast<size_t>(scale), out);
}

void AppendSeconds(int64_t micros, std::string& out) {
  AppendDecimal(micros, 6, out);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
}

void AppendReal(double value, std::string& out) {
  if (std::isfinite(value)) {
    out += fmt::format("{:.3f}", value);
  } else {
    out += "null";
  }
}

void AppendCode(int64_t code, std::string& out) {
  std::array<char, sizeof(code)> bytes;
  size_t length = 0;
  for (auto rest = static_cast<uint64_t>(code); (rest & 0xFF) != 0; rest >>= 8) {
    bytes[length++] = static_cast<char>(rest & 0xFF);
  }
  AppendJsonString({bytes.data(), length}, out);
}

void AppendObserved(agents::ValueKind kind, int64_t value, int amount_scale, std::string& out) {
  switch (kind) {
    case agents::ValueKind::kInteger:
      AppendInteger(value, out);
      return;
    case agents::ValueKind::kMoney:
      out += '"';
      AppendDecimal(value, amount_scale, out);
      out += '"';
      return;
    case agents::ValueKind::kMicros:
      AppendSeconds(value, out);
      return;
    case agents::ValueKind::kReal:
      AppendReal(std::bit_cast<double>(value), out);
      return;
    case agents::ValueKind::kCode:
      AppendCode(value, out);
      return;
    case agents::ValueKind::kConstant:
      break;
  }
  CHECK(kind != agents::ValueKind::kConstant);
}

}  // namespace caracal::pipeline
