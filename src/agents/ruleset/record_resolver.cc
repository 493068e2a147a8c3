#include "agents/ruleset/record_resolver.h"

#include <bit>

namespace caracal::agents {

RecordResolver::RecordResolver(const CompiledRulesets& rulesets)
    : rulesets_(rulesets), groups_(rulesets.layout().groups.size()) {
  for (size_t g = 0; g < groups_.size(); ++g) {
    const KeyGroup& group = rulesets.layout().groups[g];
    groups_[g].key = &group.key;
    groups_[g].bytes_per_key = KeyTable::BytesPerKey(group.record);
  }
}

void RecordResolver::PrefetchIndexes(MiniBatch& batch) {
  for (size_t g = 0; g < groups_.size(); ++g) {
    MiniBatch::GroupKeys& group = batch.groups[g];
    ForEachEvent(group.wanted, [&](size_t event) {
      const EvaluationInput& input = batch.inputs[event];
      group.keys[event] =
          groups_[g].key->Of(*input.transaction, input.key_hash, rulesets_.hash_seed(), key_text_);
      input.bucket->table(g).PrefetchIndex(group.keys[event]);
    });
  }
}

void RecordResolver::PrefetchRecords(const MiniBatch& batch) const {
  for (size_t g = 0; g < groups_.size(); ++g) {
    const MiniBatch::GroupKeys& group = batch.groups[g];
    ForEachEvent(group.wanted, [&](size_t event) {
      batch.inputs[event].bucket->table(g).PrefetchRecord(group.keys[event]);
    });
  }
}

size_t RecordResolver::Resolve(const MiniBatch& batch, EventMask active, size_t begin) {
  for (Group& group : groups_) group.truncated = 0;
  EventMask run = 0;
  size_t end = batch.inputs.size();
  for (EventMask left = active & EventRange(begin, end); left != 0; left &= left - 1) {
    const auto event = static_cast<size_t>(std::countr_zero(left));
    if (!ResolveEvent(batch, event, /*may_evict=*/run == 0)) {
      end = event;
      break;
    }
    run |= EventBit(event);
  }
  TakePointers(batch, run);
  return end;
}

bool RecordResolver::ResolveEvent(const MiniBatch& batch, size_t event, bool may_evict) {
  const EvaluationInput& input = batch.inputs[event];
  BucketState& bucket = *input.bucket;
  if (!bucket.HasRoomFor(rulesets_.event_bytes_max()) && !MakeRoom(batch, event, may_evict)) {
    return false;
  }
  for (size_t g = 0; g < groups_.size(); ++g) {
    if ((batch.groups[g].wanted & EventBit(event)) == 0) continue;
    Group& group = groups_[g];
    KeyTable& table = bucket.table(g);
    const KeyTable::Handle handle = bucket.FindOrInsert(g, batch.groups[g].keys[event]);
    table.Touch(handle, input.transaction->event_time_us);
    if (table.truncated(handle)) group.truncated |= EventBit(event);
    group.handles[event] = handle;
  }
  return true;
}

bool RecordResolver::MakeRoom(const MiniBatch& batch, size_t event, bool may_evict) const {
  BucketState& bucket = *batch.inputs[event].bucket;
  // An eviction may take one of the event's own keys, so what is missing is asked again.
  while (!bucket.HasRoomFor(BytesMissing(batch, event))) {
    if (!may_evict) return false;
    bucket.EvictOldest();
  }
  return true;
}

size_t RecordResolver::BytesMissing(const MiniBatch& batch, size_t event) const {
  size_t bytes = 0;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const MiniBatch::GroupKeys& group = batch.groups[g];
    if ((group.wanted & EventBit(event)) == 0) continue;
    const KeyTable& table = batch.inputs[event].bucket->table(g);
    bytes += table.Find(group.keys[event]) != KeyTable::kNone ? 0 : groups_[g].bytes_per_key;
  }
  return bytes;
}

void RecordResolver::TakePointers(const MiniBatch& batch, EventMask run) {
  // After all insertions of the run: they may have moved records, but not changed handles.
  for (size_t g = 0; g < groups_.size(); ++g) {
    Group& group = groups_[g];
    ForEachEvent(batch.groups[g].wanted & run, [&](size_t event) {
      group.records[event] = batch.inputs[event].bucket->table(g).record(group.handles[event]);
    });
  }
}

}  // namespace caracal::agents
