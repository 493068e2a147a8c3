#include "pipeline/types/epoch_share.h"

#include <numeric>

namespace caracal::pipeline {

void StreamCounts::Add(const StreamCounts& other) {
  consumed += other.consumed;
  consumed_bytes += other.consumed_bytes;
  evaluated += other.evaluated;
  warmed += other.warmed;
  replayed += other.replayed;
  time_from_source_commit += other.time_from_source_commit;
  time_from_record += other.time_from_record;
  full_parses += other.full_parses;
  for (size_t i = 0; i < skipped.size(); ++i) skipped[i] += other.skipped[i];
  for (size_t i = 0; i < rejected.size(); ++i) rejected[i] += other.rejected[i];
}

bool StreamCounts::Conserved() const {
  const uint64_t outcomes = std::accumulate(skipped.begin(), skipped.end(), evaluated);
  return consumed == std::accumulate(rejected.begin(), rejected.end(), outcomes);
}

void RuleCounts::Add(const RuleCounts& other) {
  evaluations += other.evaluations;
  fired += other.fired;
  late += other.late;
  inactive += other.inactive;
  at_least += other.at_least;
  errors += other.errors;
}

}  // namespace caracal::pipeline
