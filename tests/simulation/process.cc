#include "tests/simulation/process.h"

#include <algorithm>
#include <utility>

namespace caracal::pipeline::sim {

void Process::Start(std::function<void()> body) {
  tasks_.push_back({std::make_unique<Fiber>(std::move(body)), nullptr});
}

bool Process::ResumeOne() {
  std::vector<Task*> ready;
  for (Task& task : tasks_) {
    if (task.fiber->done()) continue;
    if (dead_ || task.ready == nullptr || task.ready()) ready.push_back(&task);
  }
  if (ready.empty()) return false;
  running_ = world.random.Pick(ready);
  running_->fiber->Resume();
  running_ = nullptr;
  return true;
}

void Process::Kill() {
  dead_ = true;
  world.running.erase(world.running.find(rules.hash()));
  while (ResumeOne()) {
  }
}

void Process::Await(std::function<bool()> ready) {
  if (dead_) return;
  running_->ready = std::move(ready);
  Fiber::Yield();
}

void Process::Wait(int64_t micros) {
  const int64_t until = world.now_us() + micros;
  Await([this, until] { return world.now_us() >= until; });
}

void Process::Delay() {
  const bool slow = world.random.Percent(world.faults.slow);
  Wait(world.random.Below(slow ? 300'000 : 1'500));
}

}  // namespace caracal::pipeline::sim
