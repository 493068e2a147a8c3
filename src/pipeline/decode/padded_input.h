#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace caracal::pipeline {

/// Gives a parser that reads whole vectors the readable bytes it needs behind a value, with a copy
/// only where it must.
///
/// A Kafka value lies in the middle of a fetch buffer and has no padding of its own. It is used in
/// place when the source vouches for enough bytes behind it, or when these bytes lie in the same
/// memory page as its last byte (a page is readable or not as a whole); else it is copied to a
/// scratch buffer. Sanitizers watch single bytes, not pages: there the page rule is off. What is
/// behind the value never changes a result: a value followed by a bracket, which simdjson could
/// take for its own, is copied too.
///
/// One thread. The scratch buffer grows to the longest value copied and is reused.
class PaddedInput {
 public:
  /// Bytes that must be readable behind the value.
  static constexpr size_t kPadding = 64;

  /// `value`, or a copy of it, with kPadding readable bytes behind it, until the next call.
  /// `slack` = bytes behind the value that the caller knows to be readable.
  const char* Pad(std::string_view value, uint32_t slack);

 private:
  std::unique_ptr<char[]> scratch_;
  size_t scratch_bytes_ = 0;
};

}  // namespace caracal::pipeline
