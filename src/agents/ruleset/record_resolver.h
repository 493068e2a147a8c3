#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "agents/ruleset/bucket_state.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/evaluation_input.h"
#include "agents/ruleset/event_mask.h"

namespace caracal::agents {

/// Finds or makes the state records of a mini-batch: one per event and distinct rule key. Three
/// passes (index lines, records, look-ups), so that the memory latency of up to kMiniBatchEvents
/// events overlaps.
///
/// Look-ups run in log order and stop before an event that needs an eviction while records of
/// earlier events are held: those must be judged first. Where the runs are cut shows in no result.
/// One thread; part of an Evaluator.
class RecordResolver {
 public:
  explicit RecordResolver(const CompiledRulesets& rulesets);

  /// Says which events of the mini-batch need a record of `group`.
  void Want(size_t group, EventMask events) { groups_[group].wanted |= events; }
  /// Forgets what the last mini-batch wanted.
  void Clear();

  /// First pass: builds the keys and starts to load their index lines.
  void PrefetchIndexes(std::span<const EvaluationInput> batch);
  /// Second pass: starts to load the records.
  void PrefetchRecords(std::span<const EvaluationInput> batch);
  /// Third pass: finds or makes the records of the events in `active` from `begin` on, in order,
  /// and notes their event times. Returns the end of the run: the size of the batch, or the event
  /// it stopped before. Records and marks of the run's events are valid until the next call.
  size_t Resolve(std::span<const EvaluationInput> batch, EventMask active, size_t begin);

  std::byte* record(size_t group, size_t event) const { return groups_[group].records[event]; }
  /// Events of the run whose record is marked truncated.
  EventMask truncated(size_t group) const { return groups_[group].truncated; }

 private:
  struct Group {
    const RuleKey* key = nullptr;
    size_t bytes_per_key = 0;
    EventMask wanted = 0;
    EventMask truncated = 0;
    std::array<TableKey, kMiniBatchEvents> keys;
    std::array<KeyTable::Handle, kMiniBatchEvents> handles;
    std::array<std::byte*, kMiniBatchEvents> records;
  };

  /// False = the event needs an eviction and `may_evict` is not set.
  bool ResolveEvent(const EvaluationInput& input, size_t event, bool may_evict);
  bool MakeRoom(BucketState& bucket, size_t event, bool may_evict);
  size_t BytesMissing(BucketState& bucket, size_t event) const;
  void TakePointers(std::span<const EvaluationInput> batch, EventMask run);

  const CompiledRulesets& rulesets_;
  std::vector<Group> groups_;
  std::string key_text_;
};

}  // namespace caracal::agents
