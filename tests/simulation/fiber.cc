#include "tests/simulation/fiber.h"

#include <utility>

#include "agents/api/check.h"
#include "tests/support/random_history.h"

#ifdef CARACAL_TEST_SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

namespace caracal::pipeline::sim {
namespace {

constexpr size_t kStackBytes = size_t{512} << 10;

thread_local Fiber* running = nullptr;

void StartSwitch([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
                 [[maybe_unused]] size_t size) {
#ifdef CARACAL_TEST_SANITIZED
  __sanitizer_start_switch_fiber(fake_stack, bottom, size);
#endif
}

void FinishSwitch([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** bottom,
                  [[maybe_unused]] size_t* size) {
#ifdef CARACAL_TEST_SANITIZED
  __sanitizer_finish_switch_fiber(fake_stack, bottom, size);
#endif
}

}  // namespace

Fiber::Fiber(std::function<void()> body)
    : body_(std::move(body)), stack_(std::make_unique_for_overwrite<std::byte[]>(kStackBytes)) {
  CHECK(getcontext(&own_) == 0);
  own_.uc_stack.ss_sp = stack_.get();
  own_.uc_stack.ss_size = kStackBytes;
  own_.uc_link = nullptr;
  makecontext(&own_, &Fiber::Main, 0);
}

Fiber::~Fiber() { CHECK(done_); }

void Fiber::Resume() {
  CHECK(running == nullptr && !done_);
  running = this;
  StartSwitch(&caller_fake_stack_, stack_.get(), kStackBytes);
  CHECK(swapcontext(&caller_, &own_) == 0);
  FinishSwitch(caller_fake_stack_, nullptr, nullptr);
  running = nullptr;
}

void Fiber::Yield() {
  CHECK(running != nullptr);
  running->SwitchOut(/*last=*/false);
}

void Fiber::SwitchOut(bool last) {
  StartSwitch(last ? nullptr : &own_fake_stack_, caller_bottom_, caller_size_);
  CHECK(swapcontext(&own_, &caller_) == 0);
  SwitchIn();
}

void Fiber::SwitchIn() { FinishSwitch(own_fake_stack_, &caller_bottom_, &caller_size_); }

void Fiber::Main() {
  Fiber& fiber = *running;
  fiber.SwitchIn();
  fiber.body_();
  fiber.body_ = nullptr;
  fiber.done_ = true;
  fiber.SwitchOut(/*last=*/true);
}

}  // namespace caracal::pipeline::sim
