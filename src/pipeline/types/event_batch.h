#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "agents/api/transaction.h"
#include "agents/state/key_hash.h"
#include "pipeline/types/arena.h"
#include "pipeline/types/partition_lease.h"
#include "pipeline/types/record_batch.h"
#include "pipeline/types/record_outcome.h"

namespace caracal::pipeline {

/// A transaction on its way through the engine: what agents judge, and what the engine must know to
/// route, de-duplicate and report it.
struct Event {
  agents::Transaction transaction;
  /// Kept alive by the batch.
  PartitionLease* lease = nullptr;
  int64_t offset = 0;
  /// Hash of transaction.key: bucket and table position.
  agents::KeyHash key_hash;
  /// Tag of the row's identity (table, id); meaningful only when has_row.
  uint64_t row_tag = 0;
  /// W3C trace context of the record; empty when it has none.
  std::string_view traceparent;
  /// `source.ts_ms` of the record in milliseconds; -1 = unknown. For latency metrics only.
  int64_t commit_time_ms = -1;
  bool has_row = false;
  EventAction action = EventAction::kEvaluate;
  /// Below the committed offset: rebuilds state, is counted apart, emits nothing.
  bool replayed = false;
};

/// Owns the bytes that events point into: the raw records and what decoding added to them.
struct EventStorage {
  std::shared_ptr<const RecordBatch> records;
  Arena arena;
  /// Leases of the records, so that Event::lease stays valid.
  std::vector<LeasePtr> leases;
};

/// Decoded events for one worker, in arrival order per partition. The storage is shared by all
/// batches decoded from the same records; the last one to go releases it.
struct EventBatch {
  std::vector<Event> events;
  std::shared_ptr<const EventStorage> storage;
};

}  // namespace caracal::pipeline
