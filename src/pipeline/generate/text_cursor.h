#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace caracal::pipeline {

/// Writes text into a buffer that the caller made large enough: no bounds are checked, no
/// allocation happens. Used to patch values into pre-rendered messages.
///
/// IMPORTANT: Buffer Lifetime. The cursor points into the caller's buffer and must not outlive it.
class TextCursor {
 public:
  /// The most bytes one PutInteger, PutDecimal, PutJavaDouble, PutBase64Decimal or PutTimestamp
  /// writes.
  static constexpr size_t kMaxNumberBytes = 32;

  explicit TextCursor(char* begin) : at_(begin) {}

  char* position() const { return at_; }
  void Put(char c) { *at_++ = c; }
  void Put(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  /// -17, 0, 42.
  void PutInteger(int64_t value);
  /// `value` in exactly `digits` decimal digits, zero-padded; value < 10^digits, digits <= 20.
  void PutDigits(uint64_t value, int digits);
  /// `unscaled` x 10^-scale in plain digits, scale in [0, 18]: 1250, 2 is 12.50.
  void PutDecimal(int64_t unscaled, int scale);
  /// `unscaled` x 10^-scale as Java's Double.toString writes it: 77.1, 0.0, 9.999999999E7. At most
  /// 15 significant digits, scale in [0, 18].
  void PutJavaDouble(int64_t unscaled, int scale);
  /// Base64 of the shortest big-endian two's complement form: 1250 is BOI=. What Kafka Connect
  /// writes for a Decimal.
  void PutBase64Decimal(int64_t unscaled);
  /// 2026-01-02 03:04:05.678901 for microseconds since 1970, UTC; years 0000 to 9999.
  void PutTimestamp(int64_t micros);
  /// `value` in 8 lower-case hex digits.
  void PutHex32(uint32_t value);
  /// The most bytes PutJsonEscaped writes per byte of text.
  static constexpr size_t kJsonEscapeFactor = 6;
  /// The inside of a JSON string: quotes, backslashes and control characters are escaped, other
  /// bytes pass through. Needs one byte of room more than it writes.
  void PutJsonEscaped(std::string_view text);

 private:
  char* at_;
};

/// `text` is well-formed UTF-8 (no overlong forms, no surrogates, at most U+10FFFF).
bool IsUtf8(std::string_view text);

}  // namespace caracal::pipeline
