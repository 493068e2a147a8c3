#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agents/api/agent_registry.h"
#include "agents/api/ruleset.h"
#include "pipeline/commit/commit_thread.h"
#include "pipeline/commit/epoch_coordinator.h"
#include "pipeline/decode/decode_options.h"
#include "pipeline/engine/engine_options.h"
#include "pipeline/engine/engine_probe.h"
#include "pipeline/engine/ingest.h"
#include "pipeline/execute/worker_pool.h"
#include "tests/support/fake_committer.h"
#include "tests/support/fake_source.h"
#include "tests/support/manual_clock.h"

namespace caracal::pipeline {

struct HarnessOptions {
  uint32_t worker_threads = 0;
  uint32_t buckets = 8;
  size_t batch_records = 16;
  bool pause_on_storm = true;
  EpochOptions epochs = {};
  agents::BucketLimits limits = {};
};

/// The real engine between a fake log and a fake committer: decode, route, workers, epochs. Streams
/// are flat JSON rows {"id","user_id","amount","created_at","merchant","country",...} unless
/// `decode` says else.
class EngineHarness {
 public:
  EngineHarness(const std::vector<agents::RulesetSpec>& rulesets, HarnessOptions options = {},
                DecodeOptions decode = DefaultDecode());
  /// The engine that the composition root would build from `options`, without its Kafka clients.
  /// CHECKs that the rules compile and fit their budget.
  explicit EngineHarness(EngineOptions options, size_t batch_records = 16);
  ~EngineHarness();

  static DecodeOptions DefaultDecode();
  static agents::StreamContext ContextOf(const DecodeOptions& decode);

  FakeSource& source() { return source_; }
  FakeCommitter& committer() { return committer_; }
  const FakeCommitter& committer() const { return committer_; }
  ManualClock& clock() { return clock_; }
  Ingest& ingest() { return *ingest_; }
  const StreamProbe& stream_probe(size_t stream = 0) const { return *probe_.streams[stream]; }
  const EngineProbe& probe() const { return probe_; }
  const agents::CompiledRulesets& rulesets(size_t stream = 0) const { return *rulesets_[stream]; }

  /// The group gives this member a partition it has never committed: the stream's `start` acts on
  /// the log as it is. Returns where it starts.
  StartPosition AssignFresh(int32_t partition, uint16_t stream = 0);

  absl::Status Step() { return ingest_->Step(); }
  /// Steps until every record of the open partitions is judged and committed; returns the first
  /// error.
  absl::Status RunUntilIdle();

  /// Everything committed so far, as "partition/offset key=.. value" lines by epoch order, alerts
  /// only.
  std::vector<std::string> CommittedAlerts() const;
  std::vector<std::string> CommittedDeadLetters() const;
  /// The last committed offset per partition; -1 = none.
  int64_t CommittedOffset(int32_t partition) const;
  std::vector<agents::StateDigest> BucketDigests(const LeasePtr& lease) const {
    return workers_->BucketDigests(*lease);
  }

 private:
  StreamPlan PlanOf(const StreamOptions& stream, const agents::AgentRegistry& registry) const;
  int64_t OffsetOf(const StartPoint& point, int32_t partition, uint16_t stream) const;

  EngineOptions options_;
  FakeSource source_;
  FakeCommitter committer_;
  ManualClock clock_;
  EngineProbe probe_;
  std::vector<std::shared_ptr<const agents::CompiledRulesets>> rulesets_;  ///< by stream index
  std::unique_ptr<CommitThread> commits_;
  std::unique_ptr<WorkerPool> workers_;
  std::unique_ptr<EpochCoordinator> epochs_;
  std::unique_ptr<Ingest> ingest_;
};

/// A velocity rule: more than `max_count` within `window_us`, alerting by itself.
agents::RulesetSpec VelocityRuleset(int64_t max_count, int64_t window_us);

}  // namespace caracal::pipeline
