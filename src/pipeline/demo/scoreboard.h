#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "pipeline/base/mutex.h"
#include "pipeline/generate/payment.h"

namespace caracal::pipeline {

/// Planted against found, of one kind of fraud.
struct KindScore {
  uint64_t planted = 0;
  uint64_t found = 0;
};

struct ScoreSnapshot {
  /// Indexed by EpisodeKind; kNone is unused.
  std::array<KindScore, 4> kinds = {};
  /// Alerts of a rule on a payment that was not planted for it.
  uint64_t false_alerts = 0;
  /// Alerts whose alert_id had come before (at_least_once).
  uint64_t repeated_alerts = 0;
  uint64_t alerts = 0;
  std::map<std::string, uint64_t> alerts_by_rule;
  uint64_t produced = 0;
  /// Produced to alert read, microseconds; -1 = none yet.
  int64_t latency_p50_us = -1;
  int64_t latency_p99_us = -1;
};

/// Keeps the ground truth of what was produced and what the alerts topic says, and compares the
/// two. Any thread.
class Scoreboard {
 public:
  /// The rule that finds each kind.
  static EpisodeKind KindOfRule(const std::string& rule);

  /// A payment is about to be produced; `crossing` = it must raise an alert of its kind.
  void NoteProduced(const EpisodeMark& mark, int64_t transaction_id, bool is_payment,
                    int64_t now_us);
  /// An alert was read from the alerts topic: its id and the rules that fired.
  void NoteAlert(const std::string& alert_id, int64_t transaction_id,
                 const std::vector<std::string>& rules, int64_t now_us);
  ScoreSnapshot Snapshot() const;

 private:
  struct Expectation {
    EpisodeKind kind = EpisodeKind::kNone;
    bool found = false;
    int64_t produced_us = 0;
  };
  static constexpr size_t kLatencySamples = 1 << 16;

  mutable Mutex mutex_;
  /// By transaction id.
  std::unordered_map<int64_t, Expectation> expected_ ABSL_GUARDED_BY(mutex_);
  std::unordered_set<std::string> seen_ ABSL_GUARDED_BY(mutex_);
  std::vector<int64_t> latencies_us_ ABSL_GUARDED_BY(mutex_);
  ScoreSnapshot score_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace caracal::pipeline
