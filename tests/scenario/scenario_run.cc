#include "tests/scenario/scenario_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "agents/api/status_macros.h"
#include "tests/support/engine_harness.h"

namespace caracal::pipeline {
namespace {

/// (stream, partition) → index of the record at each offset.
using Positions = std::map<std::pair<uint16_t, int32_t>, std::vector<size_t>>;

Positions Fill(const std::vector<ScenarioRecord>& records, FakeSource& source) {
  Positions positions;
  for (size_t i = 0; i < records.size(); ++i) {
    const ScenarioRecord& record = records[i];
    source.Append(record.partition, record.record, record.stream);
    positions[{record.stream, record.partition}].push_back(i);
  }
  return positions;
}

/// Epochs mix partitions by when their records were read: that is put aside.
void SortByPartition(const std::vector<ScenarioRecord>& records,
                     std::vector<ScenarioOutput>& outputs) {
  const auto partition = [&records](const ScenarioOutput& output) {
    return std::pair(records[output.record].stream, records[output.record].partition);
  };
  std::stable_sort(outputs.begin(), outputs.end(),
                   [&](const auto& a, const auto& b) { return partition(a) < partition(b); });
}

void CollectOutputs(const EngineHarness& engine, const Positions& positions,
                    ScenarioOutcome& outcome) {
  for (const SealedEpoch& epoch : engine.committer().epochs()) {
    for (const OutputRecord& output : epoch.outputs) {
      const std::pair<uint16_t, int32_t> partition = {output.lease->stream(),
                                                      output.lease->partition()};
      const size_t record = positions.at(partition).at(static_cast<size_t>(output.offset));
      auto& list = output.kind == OutputKind::kAlert ? outcome.alerts : outcome.dead_letters;
      list.push_back(
          {record, output.key, output.null_key, output.value, output.null_value, output.headers});
    }
  }
}

void CountRules(const RulesetProbe& probe, const agents::RulesetSpec& ruleset,
                std::map<std::string, int64_t>& counts) {
  for (size_t i = 0; i < ruleset.rules.size(); ++i) {
    const std::string name = fmt::format("rules.{}/{}.", ruleset.name, ruleset.rules[i].id);
    const RuleProbe& rule = probe.rules[i];
    counts[name + "evaluations"] += static_cast<int64_t>(rule.evaluations.value());
    counts[name + "fired"] += static_cast<int64_t>(rule.fired.value());
    counts[name + "late"] += static_cast<int64_t>(rule.late.value());
    counts[name + "inactive"] += static_cast<int64_t>(rule.inactive.value());
    counts[name + "at_least"] += static_cast<int64_t>(rule.at_least.value());
  }
}

/// Adds the counts of one stream; Internal when its records are not all accounted for.
absl::Status CountStream(const StreamProbe& probe, const StreamOptions& stream, int64_t records,
                         std::map<std::string, int64_t>& counts) {
  uint64_t ended = probe.evaluated.value();
  for (size_t i = 0; i < kSkipReasonCount; ++i) {
    ended += probe.skipped[i].value();
    const std::string name = fmt::format("skips.{}", SkipReasonName(static_cast<SkipReason>(i)));
    counts[name] += static_cast<int64_t>(probe.skipped[i].value());
  }
  for (const Counter& rejected : probe.rejected) ended += rejected.value();
  counts["warmed"] += static_cast<int64_t>(probe.warmed.value());
  counts["key_mismatches"] += static_cast<int64_t>(probe.key_mismatches.value());
  for (size_t i = 0; i < stream.rulesets.size(); ++i) {
    CountRules(*probe.rulesets[i], stream.rulesets[i], counts);
  }
  if (probe.consumed.value() == ended && static_cast<int64_t>(ended) == records) {
    return absl::OkStatus();
  }
  return absl::InternalError(
      fmt::format("of {} records of '{}' {} were consumed and {} evaluated, skipped or rejected",
                  records, stream.decode.topic, probe.consumed.value(), ended));
}

}  // namespace

absl::StatusOr<ScenarioOutcome> RunScenario(const Scenario& scenario, RunShape shape) {
  EngineOptions options = scenario.options;
  options.worker_threads = shape.worker_threads;
  EngineHarness engine(std::move(options), shape.batch_records);
  const Positions positions = Fill(scenario.records, engine.source());
  std::vector<int64_t> expected(scenario.options.streams.size());
  for (const auto& [partition, records] : positions) {
    const auto [stream, number] = partition;
    const StartPosition start = engine.AssignFresh(number, stream);
    expected[stream] += static_cast<int64_t>(records.size()) - start.committed;
  }
  RETURN_IF_ERROR(engine.RunUntilIdle());
  ScenarioOutcome outcome;
  CollectOutputs(engine, positions, outcome);
  SortByPartition(scenario.records, outcome.alerts);
  SortByPartition(scenario.records, outcome.dead_letters);
  for (size_t i = 0; i < expected.size(); ++i) {
    RETURN_IF_ERROR(CountStream(engine.stream_probe(i), scenario.options.streams[i], expected[i],
                                outcome.counts));
  }
  return outcome;
}

}  // namespace caracal::pipeline
