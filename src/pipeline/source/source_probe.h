#pragma once

#include "pipeline/base/cell.h"

namespace caracal::pipeline {

/// What is counted while partitions are restored. Written by the restore thread.
struct RestorerProbe {
  Counter activations;     ///< of other rules than those recorded
  Counter rule_conflicts;  ///< partitions taken back from a member with other rules
};

/// What the source counts. Written by the ingest thread, but for `restorer`.
struct SourceProbe {
  Counter assigned;           ///< partitions assigned
  Counter revoked;            ///< partitions revoked
  Counter lost;               ///< partitions lost: fenced or timed out
  Counter discarded_records;  ///< not owned, not open, or below the next expected offset
  Counter state_gaps;         ///< partitions opened with incomplete state
  Counter client_errors;      ///< errors the client reported and goes on from
  DurationHistogram
      rebalance_callback;  ///< how long the group's thread of this client waits for us
  Gauge member;  ///< 1 from an assignment on, 0 when partitions were lost or the group was left
  Gauge assigned_partitions;
  Gauge open_partitions;
  RestorerProbe restorer;
};

}  // namespace caracal::pipeline
