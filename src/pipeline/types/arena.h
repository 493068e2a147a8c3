#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace caracal::pipeline {

/// Bump allocator for what decoding makes (unescaped strings, canonical numbers, attribute arrays).
/// Everything lives until the arena is destroyed. One thread at a time.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Uninitialised bytes; align is a power of two, at most alignof(std::max_align_t).
  [[gnu::always_inline]] char* Allocate(size_t bytes, size_t align = 1) {
    size_t start = (used_ + align - 1) & ~(align - 1);
    if (start + bytes > capacity_) [[unlikely]] {
      Grow(bytes);
      start = 0;
    }
    used_ = start + bytes;
    return current_ + start;
  }
  std::string_view Copy(std::string_view text) {
    char* to = Allocate(text.size());
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }
  /// `count` value-initialised views, to be filled by the caller.
  std::span<std::string_view> AllocateViews(size_t count) {
    auto* views = reinterpret_cast<std::string_view*>(
        Allocate(count * sizeof(std::string_view), alignof(std::string_view)));
    for (size_t i = 0; i < count; ++i) new (views + i) std::string_view();
    return {views, count};
  }

 private:
  static constexpr size_t kBlockBytes = size_t{64} * 1024;

  void Grow(size_t bytes) {
    capacity_ = bytes > kBlockBytes ? bytes : kBlockBytes;
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
    current_ = blocks_.back().get();
    used_ = 0;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* current_ = nullptr;
  size_t used_ = 0;
  size_t capacity_ = 0;
};

}  // namespace caracal::pipeline
