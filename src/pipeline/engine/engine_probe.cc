#include "pipeline/engine/engine_probe.h"

namespace caracal::pipeline {

void RuleProbe::Add(const RuleCounts& counts) {
  evaluations.Add(counts.evaluations);
  fired.Add(counts.fired);
  late.Add(counts.late);
  inactive.Add(counts.inactive);
  at_least.Add(counts.at_least);
  errors.Add(counts.errors);
}

void RulesetProbe::Add(const RulesetCounts& counts) {
  for (size_t i = 0; i < alerts.size(); ++i) alerts[i].Add(counts.alerts[i]);
  for (size_t i = 0; i < rules.size(); ++i) rules[i].Add(counts.rules[i]);
}

void StreamProbe::Add(const StreamCounts& counts) {
  consumed.Add(counts.consumed);
  consumed_bytes.Add(counts.consumed_bytes);
  evaluated.Add(counts.evaluated);
  warmed.Add(counts.warmed);
  replayed.Add(counts.replayed);
  time_from_source_commit.Add(counts.time_from_source_commit);
  time_from_record.Add(counts.time_from_record);
  full_parses.Add(counts.full_parses);
  for (size_t i = 0; i < skipped.size(); ++i) skipped[i].Add(counts.skipped[i]);
  for (size_t i = 0; i < rejected.size(); ++i) rejected[i].Add(counts.rejected[i]);
}

EngineProbe::EngineProbe(size_t stream_count) {
  for (size_t i = 0; i < stream_count; ++i) streams.push_back(std::make_unique<StreamProbe>());
}

}  // namespace caracal::pipeline
