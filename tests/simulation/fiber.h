#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>
#include <memory>

namespace caracal::pipeline::sim {

/// Runs a function that can stop in the middle and go on later, on the caller's thread: how code
/// that blocks (a commit, a restore, a snapshot) takes part in a simulation without threads.
///
/// One thread. The function must have ended before the fiber is destroyed (CHECK): what is to be
/// given up must be told so and resumed until it returns.
class Fiber {
 public:
  explicit Fiber(std::function<void()> body);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Runs the function until it yields or returns. Not from another fiber.
  void Resume();
  bool done() const { return done_; }

  /// Back to whoever resumed the running fiber.
  static void Yield();

 private:
  static void Main();
  void SwitchIn();
  void SwitchOut(bool last);

  std::function<void()> body_;
  std::unique_ptr<std::byte[]> stack_;
  ucontext_t own_ = {};
  ucontext_t caller_ = {};
  bool done_ = false;
  // AddressSanitizer is told of every change of stacks.
  void* own_fake_stack_ = nullptr;
  void* caller_fake_stack_ = nullptr;
  const void* caller_bottom_ = nullptr;
  size_t caller_size_ = 0;
};

}  // namespace caracal::pipeline::sim
