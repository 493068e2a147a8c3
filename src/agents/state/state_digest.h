#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace caracal::agents {

/// 128-bit digest of some state. Equal states have equal digests on every host; different ones
/// differ but for a chance of 2^-128. Not cryptographic.
struct StateDigest {
  uint64_t low = 0;
  uint64_t high = 0;

  /// Order for maps and sorted lists only.
  friend auto operator<=>(const StateDigest&, const StateDigest&) = default;
};

/// Digests a sequence of fields: XXH3-128 over their bytes, numbers little-endian. Bytes of
/// variable length must be preceded by their length, as AddText does. One thread at a time.
class StateDigester {
 public:
  StateDigester();
  StateDigester(const StateDigester&) = delete;
  StateDigester& operator=(const StateDigester&) = delete;
  ~StateDigester();

  void AddNumber(uint64_t number);
  void AddBytes(std::span<const std::byte> bytes);
  /// The length of `text`, then its bytes.
  void AddText(std::string_view text);
  /// Of everything added so far.
  StateDigest Digest() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace caracal::agents
