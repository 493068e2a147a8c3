#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace caracal::agents {

static_assert(std::endian::native == std::endian::little,
              "records and saved numbers are host bytes: they would not be portable");

/// Writes `number` to the sizeof(Number) bytes at `to`, least significant byte first.
template <typename Number>
void StoreLittleEndian(Number number, char* to) {
  static_assert(std::is_integral_v<Number>);
  std::memcpy(to, &number, sizeof(number));
}

/// The number in the sizeof(Number) bytes at `from`, least significant byte first.
template <typename Number>
Number LoadLittleEndian(const char* from) {
  static_assert(std::is_integral_v<Number>);
  Number number;
  std::memcpy(&number, from, sizeof(number));
  return number;
}

/// Appends `number` to `out`, least significant byte first.
template <typename Number>
void AppendLittleEndian(Number number, std::string& out) {
  char bytes[sizeof(number)];
  StoreLittleEndian(number, bytes);
  out.append(bytes, sizeof(bytes));
}

/// Reads numbers and pieces off the front of bytes that nobody has checked: every read says whether
/// there was enough, and takes nothing otherwise.
///
/// A value; one thread. Owns nothing: the bytes must outlive it and the pieces it hands out.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : left_(bytes) {}

  template <typename Number>
  [[nodiscard]] bool Read(Number& number) {
    if (left_.size() < sizeof(number)) return false;
    number = LoadLittleEndian<Number>(left_.data());
    left_.remove_prefix(sizeof(number));
    return true;
  }
  [[nodiscard]] bool Read(uint64_t size, std::string_view& piece) {
    if (left_.size() < size) return false;
    piece = left_.substr(0, size);
    left_.remove_prefix(size);
    return true;
  }
  /// Bytes not read yet.
  size_t left() const { return left_.size(); }

 private:
  std::string_view left_;  // of the caller
};

}  // namespace caracal::agents
