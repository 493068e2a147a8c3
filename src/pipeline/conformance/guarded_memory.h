#pragma once

#include <cstddef>
#include <cstdint>

namespace caracal::pipeline {

/// Memory between two pages that nobody may touch: whoever reads or writes beyond it is stopped by
/// the machine. It lies so that its end touches the upper page, or its beginning the lower one; for
/// what alignment leaves between the end and the page, see IsIntact.
///
/// Zeroed. One thread. A machine that gives no memory ends the process (CHECK).
class GuardedMemory {
 public:
  enum class Edge : uint8_t { kEnd, kBeginning };

  /// `align` is a power of two up to a page.
  GuardedMemory(size_t size, size_t align, Edge edge);
  GuardedMemory(GuardedMemory&& other) noexcept;
  GuardedMemory& operator=(GuardedMemory&& other) noexcept;
  ~GuardedMemory();

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  /// From now on it can only be read.
  void Protect();
  /// Nothing was written in the 64 bytes next to it, where no page stops that.
  bool IsIntact() const;

 private:
  void Release();

  std::byte* mapping_ = nullptr;
  size_t pages_ = 0;  ///< bytes of the pages between the two
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace caracal::pipeline
