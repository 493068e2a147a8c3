#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agents/ruleset/bucket_state.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/event_mask.h"
#include "agents/ruleset/mini_batch.h"

namespace caracal::agents {

/// Finds or makes the state records of a mini-batch: one per event and distinct rule key. Three
/// passes (index lines, records, look-ups), so that the memory latency of its events overlaps; with
/// other mini-batches judged in between, it overlaps with their work too.
///
/// Look-ups run in log order and stop before an event that needs an eviction while records of
/// earlier events are held: those must be judged first. Where the runs are cut shows in no result.
/// One thread; part of an Evaluator.
class RecordResolver {
 public:
  explicit RecordResolver(const CompiledRulesets& rulesets);

  /// First pass: builds the keys that are wanted and starts to load their index lines.
  void PrefetchIndexes(MiniBatch& batch);
  /// Second pass: starts to load the records.
  void PrefetchRecords(const MiniBatch& batch) const;
  /// Third pass: finds or makes the records of the events in `active` from `begin` on, in order,
  /// and notes their event times. Returns the end of the run: the size of the batch, or the event
  /// it stopped before. Records and marks of the run's events are valid until the next call.
  size_t Resolve(const MiniBatch& batch, EventMask active, size_t begin);

  std::byte* record(size_t group, size_t event) const { return groups_[group].records[event]; }
  /// Events of the run whose record is marked truncated.
  EventMask truncated(size_t group) const { return groups_[group].truncated; }

 private:
  struct Group {
    const RuleKey* key = nullptr;
    size_t bytes_per_key = 0;
    EventMask truncated = 0;
    std::array<KeyTable::Handle, kMiniBatchEvents> handles;
    std::array<std::byte*, kMiniBatchEvents> records;
  };

  /// False = the event needs an eviction and `may_evict` is not set.
  bool ResolveEvent(const MiniBatch& batch, size_t event, bool may_evict);
  bool MakeRoom(const MiniBatch& batch, size_t event, bool may_evict) const;
  size_t BytesMissing(const MiniBatch& batch, size_t event) const;
  void TakePointers(const MiniBatch& batch, EventMask run);

  const CompiledRulesets& rulesets_;
  std::vector<Group> groups_;
  std::string key_text_;
};

}  // namespace caracal::agents
