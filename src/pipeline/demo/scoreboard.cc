#include "pipeline/demo/scoreboard.h"

#include <algorithm>

namespace caracal::pipeline {

EpisodeKind Scoreboard::KindOfRule(const std::string& rule) {
  if (rule == "burst") return EpisodeKind::kBurst;
  if (rule == "big-ticket") return EpisodeKind::kBigTicket;
  if (rule == "impossible-travel") return EpisodeKind::kTravel;
  return EpisodeKind::kNone;
}

void Scoreboard::NoteProduced(const EpisodeMark& mark, int64_t transaction_id, bool is_payment,
                              int64_t now_us) {
  MutexLock lock(&mutex_);
  score_.produced += 1;
  if (!is_payment || !mark.crossing) return;
  score_.kinds[static_cast<size_t>(mark.kind)].planted += 1;
  expected_.insert_or_assign(transaction_id, Expectation{mark.kind, false, now_us});
}

void Scoreboard::NoteAlert(const std::string& alert_id, int64_t transaction_id,
                           const std::vector<std::string>& rules, int64_t now_us) {
  MutexLock lock(&mutex_);
  if (!seen_.insert(alert_id).second) {
    score_.repeated_alerts += 1;
    return;
  }
  score_.alerts += 1;
  const auto it = expected_.find(transaction_id);
  for (const std::string& rule : rules) {
    score_.alerts_by_rule[rule] += 1;
    if (it == expected_.end() || it->second.kind != KindOfRule(rule)) {
      score_.false_alerts += 1;
      continue;
    }
    if (it->second.found) continue;
    it->second.found = true;
    score_.kinds[static_cast<size_t>(it->second.kind)].found += 1;
    if (latencies_us_.size() < kLatencySamples) {
      latencies_us_.push_back(now_us - it->second.produced_us);
    }
  }
}

ScoreSnapshot Scoreboard::Snapshot() const {
  MutexLock lock(&mutex_);
  ScoreSnapshot snapshot = score_;
  if (latencies_us_.empty()) return snapshot;
  std::vector<int64_t> sorted = latencies_us_;
  std::sort(sorted.begin(), sorted.end());
  snapshot.latency_p50_us = sorted[sorted.size() / 2];
  snapshot.latency_p99_us = sorted[std::min(sorted.size() - 1, sorted.size() * 99 / 100)];
  return snapshot;
}

}  // namespace caracal::pipeline
