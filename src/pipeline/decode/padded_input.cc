#include "pipeline/decode/padded_input.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

namespace caracal::pipeline {
namespace {

static_assert(PaddedInput::kPadding >= simdjson::SIMDJSON_PADDING);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kPageRule = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
constexpr bool kPageRule = false;
#else
constexpr bool kPageRule = true;
#endif
#else
constexpr bool kPageRule = true;
#endif

/// The smallest page size of the platforms we build for: larger pages are multiples of it.
constexpr uintptr_t kPageBytes = 4096;

bool PaddingIsInPageOf(const char* last) {
  const auto address = reinterpret_cast<uintptr_t>(last);
  return (address & (kPageBytes - 1)) + PaddedInput::kPadding < kPageBytes;
}

}  // namespace

const char* PaddedInput::Pad(std::string_view value, uint32_t slack) {
  const char* const end = value.data() + value.size();
  const bool readable =
      slack >= kPadding || (kPageRule && !value.empty() && PaddingIsInPageOf(end - 1));
  if (readable && *end != '}' && *end != ']') return value.data();
  const size_t needed = value.size() + kPadding;
  if (scratch_bytes_ < needed) {
    scratch_bytes_ = std::max(needed, 2 * scratch_bytes_);
    scratch_ = std::make_unique_for_overwrite<char[]>(scratch_bytes_);
  }
  std::memcpy(scratch_.get(), value.data(), value.size());
  std::memset(scratch_.get() + value.size(), ' ', kPadding);
  return scratch_.get();
}

}  // namespace caracal::pipeline
