#pragma once

#include <cstdint>
#include <string>

namespace caracal::pipeline {

enum class FractionDigits : uint8_t { kMillis = 3, kMicros = 6 };

/// Appends the UTC time `unix_micros` (microseconds since 1970, may be negative) as RFC 3339 text
/// with a fixed number of digits: 2026-03-04T11:02:07.512000Z. Finer digits are cut off, not
/// rounded. RFC 3339 has years of four digits: times outside 0001-01-01 .. 9999-12-31 give the
/// nearest end of that range, so that every reader can parse the text.
void AppendRfc3339(int64_t unix_micros, FractionDigits digits, std::string& out);

}  // namespace caracal::pipeline
