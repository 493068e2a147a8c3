#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>

/// Numbers as decimal digits where a format string would cost more than the number: on the alert
/// path.
namespace caracal::pipeline {

/// Appends `value`: -42.
inline void AppendInteger(int64_t value, std::string& out) {
  const fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

/// Appends `value` with leading zeros to at least `width` digits: (42, 4) is 0042.
inline void AppendPadded(uint64_t value, size_t width, std::string& out) {
  const fmt::format_int digits(value);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out.append(digits.data(), digits.size());
}

}  // namespace caracal::pipeline
