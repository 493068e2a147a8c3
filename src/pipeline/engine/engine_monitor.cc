#include "pipeline/engine/engine_monitor.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pipeline/config/json.h"
#include "pipeline/engine/build_info.h"
#include "pipeline/kafka/client_config.h"

namespace caracal::pipeline {
namespace {

Json Number(uint64_t value) { return Json(static_cast<int64_t>(value)); }

Json PartitionJson(const PartitionStatus& partition, int64_t high) {
  Json json = Json::MakeObject();
  json.Set("topic", partition.topic);
  json.Set("partition", static_cast<int64_t>(partition.partition));
  json.Set("next_offset", partition.next_offset);
  json.Set("committed_offset", partition.committed_offset);
  if (high >= 0) {
    json.Set("high_watermark", high);
    json.Set("lag_records", std::max<int64_t>(0, high - partition.next_offset));
  }
  std::string state = "live";
  if (partition.replaying) state = "replaying";
  if (partition.paused) state = "paused";
  json.Set("state", std::move(state));
  if (partition.replaying) {
    json.Set("replay_until", partition.replay_until);
    json.Set("replay_percent", partition.replay_percent);
    if (partition.replay_eta_seconds >= 0) {
      json.Set("replay_eta_seconds", partition.replay_eta_seconds);
    }
  }
  json.Set("epoch", Number(partition.epoch));
  json.Set("replay_debt", partition.replay_debt);
  json.Set("state_keys", partition.state_keys);
  json.Set("state_bytes", partition.state_bytes);
  json.Set("state_evictions", partition.state_evictions);
  json.Set("rules", partition.rules);
  json.Set("rules_since", partition.rules_since);
  if (partition.state_gap) json.Set("state_gap", true);
  return json;
}

Json RestoringJson(const PartitionLease& lease) {
  Json json = Json::MakeObject();
  json.Set("topic", lease.topic());
  json.Set("partition", static_cast<int64_t>(lease.partition()));
  json.Set("state", "restoring");
  const int percent = lease.restore_percent();
  if (percent >= 0) json.Set("restore_percent", static_cast<int64_t>(percent));
  const int64_t eta_seconds = lease.restore_eta_seconds();
  if (eta_seconds >= 0) json.Set("restore_eta_seconds", eta_seconds);
  return json;
}

Json StreamJson(const StreamProbe& probe, const std::string& topic) {
  Json json = Json::MakeObject();
  json.Set("topic", topic);
  json.Set("records_consumed", Number(probe.consumed.value()));
  json.Set("transactions_evaluated", Number(probe.evaluated.value()));
  Json skipped = Json::MakeObject();
  for (size_t r = 0; r < kSkipReasonCount; ++r) {
    skipped.Set(std::string(SkipReasonName(static_cast<SkipReason>(r))),
                Number(probe.skipped[r].value()));
  }
  json.Set("records_skipped", std::move(skipped));
  Json rejected = Json::MakeObject();
  for (size_t r = 0; r < kRejectReasonCount; ++r) {
    rejected.Set(std::string(RejectReasonName(static_cast<RejectReason>(r))),
                 Number(probe.rejected[r].value()));
  }
  json.Set("dead_letters", std::move(rejected));
  json.Set("records_replayed", Number(probe.replayed.value()));
  json.Set("state_keys", probe.state_keys.value());
  json.Set("state_bytes", probe.state_bytes.value());
  return json;
}

Json RulesetJson(const agents::RulesetInfo& ruleset, const RulesetProbe& probe,
                 const std::string& topic) {
  Json json = Json::MakeObject();
  json.Set("name", ruleset.name);
  json.Set("version", ruleset.version);
  json.Set("topic", topic);
  json.Set("mode", std::string(agents::ModeName(ruleset.mode)));
  uint64_t alerts = 0;
  for (const Counter& severity : probe.alerts) alerts += severity.value();
  json.Set("alerts", Number(alerts));
  Json rules = Json::MakeArray();
  for (size_t i = 0; i < ruleset.rules.size(); ++i) {
    Json rule = Json::MakeObject();
    rule.Set("id", ruleset.rules[i].id);
    rule.Set("agent", ruleset.rules[i].agent);
    rule.Set("mode", std::string(agents::ModeName(ruleset.rules[i].mode)));
    rule.Set("fired", Number(probe.rules[i].fired.value()));
    rules.Append(std::move(rule));
  }
  json.Set("rules", std::move(rules));
  return json;
}

Json PluginJson(const PluginProbe& plugin) {
  const PluginIdentity& identity = plugin.identity();
  Json json = Json::MakeObject();
  json.Set("agent", identity.agent);
  json.Set("version", identity.version);
  json.Set("abi", fmt::format("{}.{}", identity.abi_version >> 16, identity.abi_version & 0xFFFF));
  json.Set("licence", identity.licence);
  json.Set("path", identity.path);
  json.Set("sha256", identity.sha256);
  Json errors = Json::MakeObject();
  for (size_t i = 0; i < kPluginFaultCount; ++i) {
    const auto fault = static_cast<PluginFault>(i);
    errors.Set(std::string(PluginFaultName(fault)), Number(plugin.count(fault)));
  }
  json.Set("errors", std::move(errors));
  Json counters = Json::MakeObject();
  for (const auto& [name, value] : plugin.counters()) counters.Set(name, Number(value));
  json.Set("counters", std::move(counters));
  if (std::string last = plugin.last_error(); !last.empty()) {
    json.Set("last_error", std::move(last));
  }
  return json;
}

}  // namespace

EngineMonitor::EngineMonitor(Engine& engine, const MetricRegistry& metrics)
    : engine_(engine), metrics_(metrics), started_us_(engine.clock().MonotonicMicros()) {}

std::string EngineMonitor::StatusJson() {
  Json json = Json::MakeObject();
  json.Set("version", kVersion);
  json.Set("librdkafka", KafkaClientVersion());
  json.Set("uptime_seconds", (engine_.clock().MonotonicMicros() - started_us_) / 1'000'000);
  json.Set("group_id", engine_.options().source.group_id);
  json.Set("delivery",
           engine_.options().delivery == Delivery::kExactlyOnce ? "exactly_once" : "at_least_once");
  json.Set("workers", static_cast<int64_t>(engine_.options().worker_threads));
  json.Set("epochs_committed", Number(engine_.commit_probe().epochs_committed.value()));
  Json partitions = Json::MakeArray();
  for (const PartitionStatus& partition : engine_.ingest().Partitions()) {
    partitions.Append(PartitionJson(
        partition, engine_.source().HighWatermark(partition.topic, partition.partition)));
  }
  for (const LeasePtr& lease : engine_.source().Restoring()) {
    partitions.Append(RestoringJson(*lease));
  }
  json.Set("partitions", std::move(partitions));
  Json streams = Json::MakeArray();
  Json rulesets = Json::MakeArray();
  for (size_t i = 0; i < engine_.options().streams.size(); ++i) {
    const std::string& topic = engine_.options().source.topics[i].name;
    const StreamProbe& probe = *engine_.probe().streams[i];
    streams.Append(StreamJson(probe, topic));
    for (size_t r = 0; r < engine_.rulesets(i).size(); ++r) {
      rulesets.Append(RulesetJson(engine_.rulesets(i)[r], *probe.rulesets[r], topic));
    }
  }
  json.Set("streams", std::move(streams));
  json.Set("rulesets", std::move(rulesets));
  Json plugins = Json::MakeArray();
  for (const auto& plugin : engine_.options().plugins) plugins.Append(PluginJson(*plugin));
  json.Set("plugins", std::move(plugins));
  return json.DumpIndented() + "\n";
}

bool EngineMonitor::Turning() const {
  return engine_.clock().MonotonicMicros() - engine_.last_step_micros() < kStuckMicros;
}

HealthCheck EngineMonitor::MemoryCheck() const {
  const EngineOptions& options = engine_.options();
  HealthCheck check = {"state_memory", true, "no limit is set"};
  if (options.memory_limit == 0) return check;
  const int64_t budget = engine_.state_budget();
  check.ok = budget <= options.memory_limit;
  check.detail = fmt::format("state budgets of the assigned partitions {} bytes, limit {} bytes",
                             budget, options.memory_limit);
  return check;
}

Health EngineMonitor::Readiness() {
  Health health;
  const SourceProbe& source = engine_.source_probe();
  const int64_t assigned = source.assigned_partitions.value();
  const int64_t open = source.open_partitions.value();
  health.checks.push_back({"engine", engine_.running() && Turning(),
                           engine_.running() ? "the ingest loop runs" : "not started or stopping"});
  health.checks.push_back(
      {"group", source.member.value() > 0,
       source.member.value() > 0
           ? fmt::format("{} partitions assigned", assigned)
           : "no place in the group yet, or lost it: the log says when partitions come"});
  health.checks.push_back(
      {"partitions", open == assigned, fmt::format("{} of {} are open", open, assigned)});
  const int64_t paused = engine_.probe().paused_partitions.value();
  health.checks.push_back(
      {"reject_storm", paused == 0,
       fmt::format("{} of {} are paused{}", paused, open,
                   paused == 0 ? "" : ": the log says why, `caracal resume` lets them go on")});
  health.checks.push_back(MemoryCheck());
  health.ok = std::all_of(health.checks.begin(), health.checks.end(),
                          [](const HealthCheck& check) { return check.ok; });
  return health;
}

Health EngineMonitor::Liveness() {
  Health health;
  health.ok = !engine_.running() || Turning();
  health.checks.push_back({"ingest_loop", health.ok,
                           health.ok ? "turning" : "has not turned for 30 s: restart the process"});
  return health;
}

absl::Status EngineMonitor::Resume(std::string_view topic, int32_t partition) {
  return engine_.ingest().RequestResume(std::string(topic), partition);
}

}  // namespace caracal::pipeline
