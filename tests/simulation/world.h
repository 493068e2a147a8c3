#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/simulation/expected.h"
#include "tests/simulation/group.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/model.h"
#include "tests/simulation/transactions.h"
#include "tests/support/manual_clock.h"

namespace caracal::pipeline::sim {

/// A protection that a negative control takes away.
enum class Mutation : uint8_t {
  kNone,
  kAssumeNotCommitted,  ///< an unknown outcome is taken for "not committed"
  kAssumeCommitted,     ///< ... for "committed"
  kKeepLeases,          ///< leases do not lapse: work of lost partitions is sealed and sent
  kNoFencing,           ///< the group takes offsets from members of old generations
  kKeepProducer,        ///< no new producer after a commit that was repeated
  kAckBeforeCommit,     ///< an epoch counts as committed when it is submitted
  kCopiesAhead,         ///< a restore takes copies beyond the committed offset
  kForgetChanges,       ///< a restore takes a whole copy for what it is with its changes
  kTakeParts,  ///< a restore takes a set of chunks that is not complete for an empty bucket
  // With changes of rules.
  kCarryNothing,  ///< copies of earlier rules are taken, and nothing of what is in them
  kActivateLate,  ///< other rules are recorded with the first epoch they have judged
  kNoTexts,       ///< the texts of rules are not written
};

struct SimulationOptions {
  uint64_t seed = 1;
  Mutation mutation = Mutation::kNone;
  bool trace = false;
};

/// How likely things go wrong, in percent of the requests.
struct Faults {
  int64_t request_lost = 0;
  int64_t reply_lost = 0;
  int64_t request_late = 0;
  int64_t produce_failed = 0;
  int64_t slow = 0;
};

/// The compacted topic that copies of buckets are written to.
class StateTopic {
 public:
  struct Entry {
    int64_t offset = 0;
    std::string key;
    std::optional<std::string> value;  ///< nullopt = a tombstone
  };

  explicit StateTopic(int32_t partitions) : logs_(static_cast<size_t>(partitions)) {}

  void Append(int32_t partition, std::string key, std::optional<std::string> value);
  int64_t HighWatermark(int32_t partition) const { return LogOf(partition).next; }
  /// The first entry at or after `offset`; null = none.
  const Entry* Read(int32_t partition, int64_t offset) const;
  /// The last value of a key; null = none.
  const std::string* Find(int32_t partition, const std::string& key) const;
  /// Keeps the last value of every key up to some point, and perhaps not even tombstones.
  void Compact(int32_t partition, Random& random);

 private:
  struct Log {
    std::vector<Entry> entries;
    int64_t next = 0;
  };
  const Log& LogOf(int32_t partition) const { return logs_[static_cast<size_t>(partition)]; }

  std::vector<Log> logs_;
};

/// Requests that arrive when their sender no longer waits for them.
class Network {
 public:
  void Later(int64_t due_us, std::function<void()> request) {
    requests_.emplace(due_us, std::move(request));
  }
  void Deliver(int64_t now_us);
  void DeliverAll() { Deliver(INT64_MAX); }

 private:
  std::multimap<int64_t, std::function<void()>> requests_;
};

/// Everything outside the members: the cluster, the clock, the faults, and what must come out.
struct World {
  World(const Model& shared, const SimulationOptions& simulation_options);

  int64_t now_us() const { return clock.MonotonicMicros(); }
  /// The first failure counts.
  void Fail(std::string text);
  void Trace(std::string_view who, std::string_view text) const;
  bool Mutated(Mutation mutation) const { return options.mutation == mutation; }
  /// The rules of a member that starts: mostly those rolled out last, at times those of an operator
  /// who forgot an instance.
  const Rules& RulesOfNext();
  /// Other rules are rolled out: what starts from now on will have them.
  void RollOut();
  /// Every text that an alert was ever found to name is still there.
  void CheckTexts();

  const Model& model;
  const SimulationOptions options;
  Random random;
  ManualClock clock;
  const bool exactly_once;
  /// In a third of the runs.
  const bool changes_rules;
  const int32_t partitions;
  const Workload workload;
  Judgements judgements;
  std::string failure;
  Ledger ledger;
  Group group;
  Transactions transactions;
  StateTopic state;
  Network network;
  Faults faults;
  /// Copies of changes handed over, and buckets restored from some.
  uint64_t copies = 0;
  uint64_t changes_saved = 0;
  uint64_t changes_restored = 0;
  /// States of rules taken over from copies that earlier rules had made.
  uint64_t slices_carried = 0;
  /// Rules that were rolled out, the newest last, and those of all processes alive, by hash.
  std::vector<const Rules*> rolled_out;
  std::multiset<std::string> running;
  /// How far the logs have been written, by partition.
  std::vector<int64_t> log_ends;

 private:
  LedgerWorld WorldOfLedger();
  bool HasText(int32_t partition, const std::string& version);
  bool HasRules(int32_t partition, const std::string& rules);

  std::set<std::pair<int32_t, std::string>> texts_seen_;  ///< by partition: versions
};

}  // namespace caracal::pipeline::sim
