#include "bench/spin_agent.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agents/api/check.h"

namespace caracal::agents {
namespace {

/// `steps` multiplications that wait for each other.
uint64_t Spin(uint64_t value, uint64_t steps) {
  for (uint64_t i = 0; i < steps; ++i) {
    value = value * 0x5851F42D4C957F2D + 0x14057B7EF767814F;
    __asm__ volatile("" : "+r"(value));
  }
  return value;
}

/// The best of several tries: the machine may be busy.
double StepsPerNano() {
  constexpr uint64_t kSteps = 2'000'000;
  double best = 0;
  volatile uint64_t sink = 1;
  for (int i = 0; i < 9; ++i) {
    const auto start = std::chrono::steady_clock::now();
    sink = Spin(sink, kSteps);
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
    best = std::max(best, static_cast<double>(kSteps) / time.count());
  }
  CHECK(best > 0);
  return best;
}

class SpinAgent final : public Agent {
 public:
  explicit SpinAgent(uint64_t steps) : steps_(steps) {}
  void Process(std::span<const Transaction* const> /*events*/, std::span<std::byte* const> states,
               std::span<Verdict> /*verdicts*/) override {
    for (std::byte* const state : states) {
      uint64_t& value = *reinterpret_cast<uint64_t*>(state);
      value = Spin(value + 1, steps_);
    }
  }

 private:
  const uint64_t steps_;
};

class SpinRule final : public BoundRule {
 public:
  explicit SpinRule(uint64_t steps) : steps_(steps) {}
  StateSpec state() const override { return {sizeof(uint64_t), alignof(uint64_t), 1}; }
  std::string layout_fingerprint() const override { return ""; }
  std::vector<ObservedField> observed() const override { return {}; }
  std::string limit_json() const override { return "{}"; }
  std::unique_ptr<Agent> NewAgent() const override { return std::make_unique<SpinAgent>(steps_); }

 private:
  const uint64_t steps_;
};

class SpinFactory final : public AgentFactory {
 public:
  explicit SpinFactory(uint64_t steps) : steps_(steps) {
    info_.name = "spin";
    info_.description = "Computes.";
    info_.reasons = {{"never", "it raises nothing"}};
  }
  const AgentInfo& info() const override { return info_; }
  absl::StatusOr<std::unique_ptr<BoundRule>> Bind(const Parameters& /*parameters*/,
                                                  const StreamContext& /*stream*/) const override {
    return std::make_unique<SpinRule>(steps_);
  }

 private:
  AgentInfo info_;
  const uint64_t steps_;
};

}  // namespace

std::unique_ptr<AgentFactory> MakeSpinFactory(std::chrono::nanoseconds per_event) {
  static const double kStepsPerNano = StepsPerNano();
  return std::make_unique<SpinFactory>(
      static_cast<uint64_t>(kStepsPerNano * static_cast<double>(per_event.count())));
}

}  // namespace caracal::agents
