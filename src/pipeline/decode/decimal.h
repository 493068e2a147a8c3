#pragma once

#include <cstdint>
#include <string_view>

namespace caracal::pipeline {

/// An exact decimal number: (-1)^negative * digits * 10^-scale. Never a double.
struct Decimal {
  unsigned __int128 digits = 0;
  int64_t scale = 0;
  bool negative = false;
  /// Non-zero digits beyond the ones kept follow: the number is not exactly representable here.
  bool truncated = false;
};

enum class DecimalStatus : uint8_t {
  kOk,
  kInvalid,    ///< not a number
  kNotFinite,  ///< NaN or an infinity, by any of the names Debezium and Java use
  kTooLong,    ///< base64 of more than 16 bytes
};

/// Reads `[+-](d{1,}[.d*]|.d{1,})[(e|E)[+-]d{1,}]`: JSON numbers, BigDecimal.toString and
/// toPlainString. Keeps 38 digits; an exponent is limited to +-10^9, far beyond every bound here.
[[nodiscard]] DecimalStatus ParseDecimal(std::string_view text, Decimal& decimal);

/// What nearly all amounts and coordinates look like, read at once: `-?d{1,}[.d*]` of at most 18
/// digits, in units of 10^-scale; scale in 0..15. False says nothing: ask ParseDecimal.
/// ParseShortExact takes at most `scale` digits after the point; ParseShortRounded takes more and
/// rounds half a unit away from zero.
[[nodiscard]] bool ParseShortExact(std::string_view text, int scale, int64_t& units);
[[nodiscard]] bool ParseShortRounded(std::string_view text, int scale, int64_t& units);

/// Reads base64 (RFC 4648 section 4, padded, canonical) of a big-endian two's complement integer of
/// 1..16 bytes, as Kafka Connect writes its Decimal. `scale` = digits after the point, may be
/// negative.
[[nodiscard]] DecimalStatus ParseBase64Decimal(std::string_view text, int32_t scale,
                                               Decimal& decimal);

/// The same of at most 6 bytes, which nearly all amounts are. False says nothing.
[[nodiscard]] bool ParseShortBase64(std::string_view text, int64_t& number);

/// The text could be what ParseBase64Decimal reads.
bool LooksLikeBase64(std::string_view text);

enum class MinorUnitsStatus : uint8_t {
  kOk,
  kInexact,     ///< non-zero digits below the minor unit
  kOutOfRange,  ///< |amount| > 10^15 minor units; takes precedence over kInexact
};

/// The exact amount in units of 10^-scale; scale in 0..15.
[[nodiscard]] MinorUnitsStatus ToMinorUnits(const Decimal& decimal, int scale, int64_t& amount);

/// The number in units of 10^-scale, half a unit rounded away from zero; false when its magnitude
/// is above `limit` after rounding. scale in 0..15, limit <= 10^15.
[[nodiscard]] bool RoundToScale(const Decimal& decimal, int scale, int64_t limit, int64_t& value);

}  // namespace caracal::pipeline
