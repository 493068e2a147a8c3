#include "pipeline/conformance/conformance.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "agents/api/agent.h"
#include "agents/api/status_macros.h"
#include "pipeline/config/parameter_text.h"
#include "pipeline/conformance/conformance_run.h"
#include "pipeline/conformance/hostile_events.h"
#include "pipeline/conformance/isolated_check.h"
#include "pipeline/plugins/plugin_loader.h"
#include "pipeline/ports/clock.h"

namespace caracal::pipeline {
namespace {

constexpr std::array<size_t, 4> kTimedBatches = {1, 8, 32, 256};
constexpr size_t kTimedRuns = 5;

/// What a clock gives whose times do not matter: errors are counted, durations are not looked at.
class StandingClock final : public Clock {
 public:
  int64_t MonotonicMicros() const override { return 0; }
  int64_t WallMillis() const override { return 0; }
};

/// A check that runs beside the reference run.
struct Variation {
  std::string_view name;
  RunPlan plan;
};

std::vector<Variation> Variations() {
  std::vector<Variation> variations(4);
  variations[0].name = "same_twice";
  variations[1] = {"other_batches", {}};
  variations[1].plan.batches = {1, 256, 7, 1, 33, 2, 100};
  variations[2] = {"several_instances", {}};
  variations[2].plan.instances = 3;
  variations[3] = {"saved_and_restored", {}};
  variations[3].plan.restart_every = 50;
  return variations;
}

/// One run of the kit over one plugin.
class Examination {
 public:
  explicit Examination(const ConformanceRequest& request) : request_(request) {}

  ConformanceReport Run() && {
    if (!Load() || !MakeRule()) return std::move(report_);
    events_ = std::make_unique<HostileEvents>(request_.events, request_.seed);
    if (!JudgeHostileEvents()) return std::move(report_);
    CheckBounds();
    for (const Variation& variation : Variations()) Compare(variation);
    if (report_.passed()) TakeTimes();
    return std::move(report_);
  }

 private:
  using Body = std::function<std::string(CheckProgress&)>;

  /// Adds a check; false = it has a finding.
  bool Add(std::string_view name, std::string finding) {
    report_.checks.push_back({std::string(name), std::move(finding)});
    return report_.checks.back().finding.empty();
  }

  /// Runs `body` in a process of its own; it returns a finding or nothing.
  bool AddIsolated(std::string_view name, const Body& body) {
    CheckOutcome outcome = RunIsolated(body, std::chrono::seconds(request_.timeout_s));
    return Add(name, outcome.death.empty() ? std::move(outcome.text) : "it " + outcome.death);
  }

  bool Load();
  bool MakeRule();
  bool JudgeHostileEvents();
  void CheckBounds();
  void Compare(const Variation& variation);
  void TakeTimes();
  absl::StatusOr<std::unique_ptr<agents::BoundRule>> Bind() const;

  const ConformanceRequest request_;
  ConformanceReport report_;
  std::shared_ptr<PluginProbe> probe_ = std::make_shared<PluginProbe>();
  std::unique_ptr<agents::AgentFactory> agent_;
  agents::Parameters parameters_;
  std::unique_ptr<agents::BoundRule> rule_;
  std::unique_ptr<HostileEvents> events_;
};

bool Examination::Load() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::canonical(request_.path, error);
  if (error) return Add("load", fmt::format("'{}': {}", request_.path, error.message()));
  PluginRequest plugin;
  plugin.path = path.string();
  plugin.directories = {path.parent_path().string()};
  plugin.skip_errors = true;
  plugin.probe = probe_;
  PluginRefusal refusal;
  const PluginLoader loader("", std::make_shared<StandingClock>());
  // What crashes while it is loaded must not take this process with it.
  const auto load = [&](CheckProgress&) -> std::string {
    if (loader.Load(plugin, refusal) != nullptr) return "";
    return fmt::format("{}: {}", InfoOf(refusal.code).name, refusal.message);
  };
  if (!AddIsolated("load", load)) return false;
  agent_ = loader.Load(plugin, refusal);
  if (agent_ == nullptr) {
    report_.checks.back().finding = "it was loaded once, and refused the second time";
    return false;
  }
  report_.plugin = probe_->identity();
  return true;
}

absl::StatusOr<std::unique_ptr<agents::BoundRule>> Examination::Bind() const {
  agents::StreamContext stream = HostileEvents::Stream();
  for (const std::string& name : request_.features) {
    stream.features.push_back({name, agents::ValueKind::kInteger, 0});
  }
  return agent_->Bind(parameters_, stream);
}

bool Examination::MakeRule() {
  absl::StatusOr<agents::Parameters> parameters =
      ParametersFromText(request_.parameters, agent_->info());
  if (!parameters.ok()) return Add("parameters", agents::MessageOf(parameters.status()));
  parameters_ = *std::move(parameters);
  const bool made = AddIsolated("parameters", [this](CheckProgress&) -> std::string {
    const auto first = Bind();
    if (!first.ok()) return agents::MessageOf(first.status());
    const auto second = Bind();
    if (!second.ok()) {
      return "it refuses parameters that it took before: " + agents::MessageOf(second.status());
    }
    const bool same = (*first)->state().size == (*second)->state().size &&
                      (*first)->layout_fingerprint() == (*second)->layout_fingerprint() &&
                      (*first)->features() == (*second)->features();
    return same ? "" : "describe says other things of the same rule the second time";
  });
  if (!made) return false;
  auto rule = Bind();
  if (!rule.ok()) {
    report_.checks.back().finding = agents::MessageOf(rule.status());
    return false;
  }
  rule_ = *std::move(rule);
  return true;
}

bool Examination::JudgeHostileEvents() {
  const Body judge = [this](CheckProgress& progress) -> std::string {
    const Transcript transcript = pipeline::Run(*rule_, *events_, {}, progress);
    if (!transcript.problem.empty()) return transcript.problem;
    if (probe_->count(PluginFault::kBadVerdict) > 0) return probe_->last_error();
    return fmt::format("#{}", probe_->count(PluginFault::kEventError));
  };
  const CheckOutcome outcome = RunIsolated(judge, std::chrono::seconds(request_.timeout_s));
  if (!outcome.death.empty()) return Add("hostile_events", "it " + outcome.death);
  if (!outcome.text.starts_with('#')) return Add("hostile_events", outcome.text);
  const std::string_view count = std::string_view(outcome.text).substr(1);
  std::from_chars(count.data(), count.data() + count.size(), report_.event_errors);
  return Add("hostile_events", "");
}

void Examination::CheckBounds() {
  AddIsolated("state_bounds", [this](CheckProgress& progress) {
    RunPlan plan;
    plan.edge = GuardedMemory::Edge::kBeginning;
    return pipeline::Run(*rule_, *events_, plan, progress).problem;
  });
}

void Examination::Compare(const Variation& variation) {
  AddIsolated(variation.name, [&](CheckProgress& progress) {
    const Transcript expected = pipeline::Run(*rule_, *events_, {}, progress);
    const Transcript found = pipeline::Run(*rule_, *events_, variation.plan, progress);
    return expected.problem.empty() ? DifferenceOf(expected, found, *events_) : expected.problem;
  });
}

void Examination::TakeTimes() {
  for (const size_t batch : kTimedBatches) {
    const Body time = [&](CheckProgress&) {
      std::array<int64_t, kTimedRuns> runs;
      for (int64_t& nanos : runs) nanos = TimeOf(*rule_, *events_, batch);
      std::sort(runs.begin(), runs.end());
      return fmt::to_string(runs[kTimedRuns / 2]);
    };
    const CheckOutcome outcome = RunIsolated(time, std::chrono::seconds(request_.timeout_s));
    int64_t nanos = 0;
    std::from_chars(outcome.text.data(), outcome.text.data() + outcome.text.size(), nanos);
    if (nanos == 0) continue;
    report_.timings.push_back(
        {batch, static_cast<double>(nanos) / static_cast<double>(request_.events)});
  }
}

}  // namespace

bool ConformanceReport::passed() const {
  return std::all_of(checks.begin(), checks.end(),
                     [](const ConformanceCheck& check) { return check.finding.empty(); });
}

ConformanceReport CheckPlugin(const ConformanceRequest& request) {
  return Examination(request).Run();
}

}  // namespace caracal::pipeline
