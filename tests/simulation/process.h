#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/simulation/fiber.h"
#include "tests/simulation/world.h"

namespace caracal::pipeline::sim {

/// One process of the simulated group: its tasks (what would be threads), and its way to the
/// cluster. A process that is dead has no effect any more, whatever its tasks still do; what it had
/// sent may yet arrive.
class Process {
 public:
  Process(World& shared_world, std::string process_name, const Rules& its_rules)
      : world(shared_world), name(std::move(process_name)), rules(its_rules) {
    world.running.insert(rules.hash());
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  World& world;
  const std::string name;
  const Rules& rules;
  /// Of every partition it has opened: what the activations it rests on give.
  std::map<LeasePtr, const Expected*> opened;

  bool dead() const { return dead_; }
  void Trace(std::string_view text) const { world.Trace(name, text); }

  /// Runs `body` as a task; it must return soon once dead().
  void Start(std::function<void()> body);
  /// Lets one task that can go on do so; false = there is none.
  bool ResumeOne();
  /// From now on nothing of it has an effect; its tasks are run to their end.
  void Kill();

  // On a task.
  /// Until `ready`, or dead.
  void Await(std::function<bool()> ready);
  void Wait(int64_t micros);
  /// A little while, in which the others go on.
  void Delay();
  /// A request to the cluster and its reply. nullopt = no reply: it was executed, or not, or will
  /// be.
  template <typename Request>
  auto Call(Request request) -> std::optional<std::invoke_result_t<Request>>;

 private:
  struct Task {
    std::unique_ptr<Fiber> fiber;
    std::function<bool()> ready;
  };

  static constexpr int64_t kReplyTimeoutMicros = 400'000;
  static constexpr int64_t kLateMicrosMax = 1'500'000;

  std::vector<Task> tasks_;
  Task* running_ = nullptr;
  bool dead_ = false;
};

template <typename Request>
auto Process::Call(Request request) -> std::optional<std::invoke_result_t<Request>> {
  Delay();
  if (dead_) return std::nullopt;
  const int64_t luck = world.random.Below(100);
  const Faults& faults = world.faults;
  if (luck < faults.request_lost) {
    Trace("request lost");
  } else if (luck < faults.request_lost + faults.reply_lost) {
    Trace("reply lost");
    static_cast<void>(request());
  } else if (luck < faults.request_lost + faults.reply_lost + faults.request_late) {
    Trace("request late");
    world.network.Later(world.now_us() + world.random.Below(kLateMicrosMax),
                        [request]() mutable { static_cast<void>(request()); });
  } else {
    auto reply = request();
    Delay();
    if (dead_) return std::nullopt;
    return reply;
  }
  Wait(world.random.Below(kReplyTimeoutMicros));
  return std::nullopt;
}

}  // namespace caracal::pipeline::sim
