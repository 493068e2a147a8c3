#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agents/api/agent_registry.h"
#include "pipeline/decode/decode_options.h"
#include "pipeline/execute/worker.h"
#include "pipeline/snapshot/state_topics.h"
#include "tests/simulation/ledger.h"
#include "tests/support/fake_source.h"
#include "tests/support/random_history.h"

namespace caracal::pipeline::sim {

using agents::testing::Random;

/// What all simulations share: one stream, its compiled rules of every built-in agent, and buckets
/// so small that rows are forgotten and keys evicted. Immutable.
class Model {
 public:
  static constexpr uint32_t kBuckets = 3;

  Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const DecodeOptions& decode() const { return decode_; }
  const StreamPlan& plan() const { return plan_; }
  const StateTopics& state_topics() const { return state_topics_; }
  /// Identity of the rules (RulesHash).
  const std::string& rules() const { return state_topics_.rules.front().hash; }
  /// The bucket of an image; null when it is refused.
  std::shared_ptr<agents::BucketState> Read(std::string_view image) const;

 private:
  agents::AgentRegistry registry_;
  DecodeOptions decode_;
  StreamPlan plan_;
  StateTopics state_topics_;
};

/// The logs of the source partitions, and which of their records were planted as unreadable.
struct Workload {
  std::vector<std::vector<FakeRecord>> logs;
  std::vector<std::set<int64_t>> poison;

  /// Payments of a few accounts in bursts, out of order, some of them twice; tombstones; poison.
  static Workload Make(int32_t partitions, Random& random);
};

/// Judges a whole log at once, on the thread of the caller, without epochs: what the pipeline has
/// to come to whatever happens to it.
Expected JudgeFresh(const Model& model, int32_t partition, const std::vector<FakeRecord>& log);

}  // namespace caracal::pipeline::sim
