#pragma once

#include <atomic>
#include <string_view>

namespace caracal::pipeline {

/// Writes lines to a file descriptor (a terminal, a pipe, a file) that may stop taking them. It
/// waits for a slow reader as long as it takes, until Abandon() is called: then it gives up within
/// kPollMillis, so that a full pipe cannot keep a process from ending.
///
/// Does not own the descriptor and does not change its flags. WriteLine: one thread. Abandon: any.
class DescriptorWriter {
 public:
  static constexpr int kPollMillis = 50;

  explicit DescriptorWriter(int fd) : fd_(fd) {}

  /// Writes `line` and a newline. False: abandoned, or the descriptor has failed; a part of the
  /// line may have been written.
  [[nodiscard]] bool WriteLine(std::string_view line);

  /// Makes this and every later WriteLine return false instead of waiting.
  void Abandon() { abandoned_.store(true, std::memory_order_relaxed); }

 private:
  bool WaitUntilWritable() const;
  bool Write(std::string_view bytes) const;

  const int fd_;
  std::atomic<bool> abandoned_{false};
};

}  // namespace caracal::pipeline
