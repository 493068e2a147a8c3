#include "pipeline/base/utf8.h"

#include <cstdint>

namespace caracal::pipeline {
namespace {

bool InRange(unsigned char byte, unsigned char low, unsigned char high) {
  return byte >= low && byte <= high;
}

/// What may follow a lead byte: how many bytes, and the bounds of the first of them (the others are
/// always 80..BF). Table 3-7 of the Unicode standard.
struct Continuation {
  uint8_t bytes;
  unsigned char first_low;
  unsigned char first_high;
};

Continuation ContinuationOf(unsigned char lead) {
  if (InRange(lead, 0xC2, 0xDF)) return {1, 0x80, 0xBF};
  if (lead == 0xE0) return {2, 0xA0, 0xBF};
  if (lead == 0xED) return {2, 0x80, 0x9F};
  if (InRange(lead, 0xE1, 0xEF)) return {2, 0x80, 0xBF};
  if (lead == 0xF0) return {3, 0x90, 0xBF};
  if (InRange(lead, 0xF1, 0xF3)) return {3, 0x80, 0xBF};
  if (lead == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

bool IsControl(std::string_view code_point) {
  const auto first = static_cast<unsigned char>(code_point[0]);
  if (code_point.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(code_point[1]) < 0xA0;
}

}  // namespace

size_t Utf8Length(std::string_view text) {
  if (text.empty()) return 0;
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const Continuation expected = ContinuationOf(lead);
  if (expected.bytes == 0 || text.size() <= expected.bytes) return 0;
  if (!InRange(static_cast<unsigned char>(text[1]), expected.first_low, expected.first_high)) {
    return 0;
  }
  for (size_t i = 2; i <= expected.bytes; ++i) {
    if (!InRange(static_cast<unsigned char>(text[i]), 0x80, 0xBF)) return 0;
  }
  return size_t{expected.bytes} + 1;
}

size_t ValidUtf8Prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return at;
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    valid.append(length == 0 ? kReplacementCharacter : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return valid;
}

std::string PrintableLine(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    const std::string_view next = length == 0 ? kReplacementCharacter : text.substr(0, length);
    line.append(IsControl(next) ? " " : next);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return line;
}

}  // namespace caracal::pipeline
