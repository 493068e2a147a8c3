#include "pipeline/config/utf8.h"

#include <cstdint>

namespace caracal::pipeline {
namespace {

/// The shape of a multi-byte sequence: its length and the range of its second byte.
struct Sequence {
  size_t length = 0;  ///< 0 = no sequence starts with this byte
  uint8_t second_min = 0x80;
  uint8_t second_max = 0xBF;
};

Sequence SequenceOf(uint8_t lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return {2};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {3};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {4};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {};
}

}  // namespace

size_t ValidUtf8Prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<uint8_t>(text[at]);
    if (lead < 0x80) {
      ++at;
      continue;
    }
    const Sequence sequence = SequenceOf(lead);
    if (sequence.length == 0 || text.size() - at < sequence.length) return at;
    const auto second = static_cast<uint8_t>(text[at + 1]);
    if (second < sequence.second_min || second > sequence.second_max) return at;
    for (size_t i = 2; i < sequence.length; ++i) {
      if ((static_cast<uint8_t>(text[at + i]) & 0xC0) != 0x80) return at;
    }
    at += sequence.length;
  }
  return at;
}

}  // namespace caracal::pipeline
