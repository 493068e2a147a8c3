#include "pipeline/conformance/conformance_run.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

using agents::Transaction;
using agents::Verdict;

/// The states of all keys, each in memory of its own.
class KeyStates {
 public:
  KeyStates(const agents::StateSpec& spec, GuardedMemory::Edge edge) : spec_(spec), edge_(edge) {
    if (spec.size == 0) return;
    for (size_t key = 0; key < HostileEvents::kKeys; ++key) states_.push_back(NewState());
  }

  /// Null for a stateless rule.
  std::byte* of(size_t key) const { return states_.empty() ? nullptr : states_[key].data(); }

  /// Whoever kept a pointer to a state holds one to nothing now.
  void Move() {
    for (GuardedMemory& state : states_) {
      GuardedMemory moved = NewState();
      std::memcpy(moved.data(), state.data(), state.size());
      state = std::move(moved);
    }
  }

  bool AreIntact() const {
    return std::all_of(states_.begin(), states_.end(),
                       [](const GuardedMemory& state) { return state.IsIntact(); });
  }

  std::vector<std::vector<std::byte>> Copy() const {
    std::vector<std::vector<std::byte>> copies;
    for (const GuardedMemory& state : states_) {
      copies.emplace_back(state.data(), state.data() + state.size());
    }
    return copies;
  }

 private:
  GuardedMemory NewState() const { return {spec_.size, std::max<size_t>(1, spec_.align), edge_}; }

  const agents::StateSpec spec_;
  const GuardedMemory::Edge edge_;
  std::vector<GuardedMemory> states_;
};

/// The agents that take turns.
class Instances {
 public:
  Instances(const agents::BoundRule& rule, size_t count) : rule_(rule), agents_(count) { Renew(); }

  agents::Agent& operator[](size_t turn) { return *agents_[turn % agents_.size()]; }
  void Renew() {
    for (auto& agent : agents_) {
      agent.reset();
      agent = rule_.NewAgent();
    }
  }

 private:
  const agents::BoundRule& rule_;
  std::vector<std::unique_ptr<agents::Agent>> agents_;
};

/// What earlier rules are said to have observed on all events: there or not, by the event alone.
std::vector<agents::Feature> FeaturesOf(const agents::BoundRule& rule, size_t events) {
  const size_t count = rule.features().size();
  std::vector<agents::Feature> features(events * count);
  for (size_t i = 0; i < features.size(); ++i) {
    const size_t event = i / count;
    if (event % 3 != 0) features[i] = {static_cast<int64_t>(event * 7 % 1'000), 1};
  }
  return features;
}

std::string FieldsOf(const Verdict& verdict) {
  return fmt::format("fired {}, reason {}, flags {:#x}, observed {} {} {} {} {} {}", verdict.fired,
                     verdict.reason, verdict.flags, verdict.observed[0], verdict.observed[1],
                     verdict.observed[2], verdict.observed[3], verdict.observed[4],
                     verdict.observed[5]);
}

}  // namespace

Transcript Run(const agents::BoundRule& rule, const HostileEvents& events, const RunPlan& plan,
               CheckProgress& progress) {
  const std::span<const Transaction* const> all = events.events();
  Transcript transcript;
  transcript.verdicts.resize(all.size());
  KeyStates states(rule.state(), plan.edge);
  Instances agents(rule, plan.instances);
  const std::vector<agents::Feature> features = FeaturesOf(rule, all.size());
  const size_t width = rule.features().size();
  size_t batch = 0;
  for (size_t begin = 0; begin < all.size(); ++batch) {
    if (plan.restart_every != 0 && batch != 0 && batch % plan.restart_every == 0) {
      states.Move();
      agents.Renew();
    }
    const size_t count = std::min(plan.batches[batch % plan.batches.size()], all.size() - begin);
    std::vector<std::byte*> batch_states;
    for (size_t i = 0; i < count; ++i) batch_states.push_back(states.of(events.key(begin + i)));
    progress.first_event = begin;
    progress.events = count;
    agents[batch].ProcessWithFeatures(all.subspan(begin, count), batch_states,
                                      std::span(features).subspan(begin * width, count * width),
                                      std::span(transcript.verdicts).subspan(begin, count));
    progress.events = 0;
    if (const absl::Status status = agents[batch].status(); !status.ok()) {
      transcript.problem =
          fmt::format("events {} to {}: {}", begin, begin + count - 1, agents::MessageOf(status));
      return transcript;
    }
    if (!states.AreIntact()) {
      transcript.problem = fmt::format("events {} to {}: it wrote next to a state of {} bytes",
                                       begin, begin + count - 1, rule.state().size);
      return transcript;
    }
    begin += count;
  }
  transcript.states = states.Copy();
  return transcript;
}

int64_t TimeOf(const agents::BoundRule& rule, const HostileEvents& events, size_t batch) {
  const std::span<const Transaction* const> all = events.events();
  const KeyStates states(rule.state(), GuardedMemory::Edge::kEnd);
  std::vector<std::byte*> event_states;
  for (size_t i = 0; i < all.size(); ++i) event_states.push_back(states.of(events.key(i)));
  const std::vector<agents::Feature> features = FeaturesOf(rule, all.size());
  const size_t width = rule.features().size();
  std::vector<Verdict> verdicts(all.size());
  const std::unique_ptr<agents::Agent> agent = rule.NewAgent();
  const auto start = std::chrono::steady_clock::now();
  for (size_t begin = 0; begin < all.size(); begin += batch) {
    const size_t count = std::min(batch, all.size() - begin);
    agent->ProcessWithFeatures(all.subspan(begin, count),
                               std::span(event_states).subspan(begin, count),
                               std::span(features).subspan(begin * width, count * width),
                               std::span(verdicts).subspan(begin, count));
  }
  const auto took = std::chrono::steady_clock::now() - start;
  return agent->status().ok() ? std::chrono::nanoseconds(took).count() : 0;
}

std::string DifferenceOf(const Transcript& expected, const Transcript& found,
                         const HostileEvents& events) {
  if (!found.problem.empty()) return found.problem;
  for (size_t i = 0; i < expected.verdicts.size(); ++i) {
    const Verdict& first = expected.verdicts[i];
    const Verdict& second = found.verdicts[i];
    if (std::memcmp(&first, &second, sizeof(first)) == 0) continue;
    return fmt::format("event {} (of key {}) was judged in two ways: {}, then {}", i, events.key(i),
                       FieldsOf(first), FieldsOf(second));
  }
  for (size_t key = 0; key < expected.states.size(); ++key) {
    if (expected.states[key] == found.states[key]) continue;
    return fmt::format("all verdicts are the same, but the state of key {} is another one", key);
  }
  return "";
}

}  // namespace caracal::pipeline
