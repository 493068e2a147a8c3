#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "agents/api/agent_registry.h"
#include "pipeline/decode/decode_options.h"
#include "tests/simulation/rules.h"
#include "tests/support/fake_source.h"
#include "tests/support/random_history.h"

namespace caracal::pipeline::sim {

using agents::testing::Random;

/// What all simulations share: one stream and the rules that its members may run with. Immutable.
class Model {
 public:
  static constexpr uint32_t kBuckets = Rules::kBuckets;

  Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const DecodeOptions& decode() const { return decode_; }
  /// For runs in which they never change: buckets so small that rows are forgotten and keys
  /// evicted.
  const Rules& tight() const { return *tight_; }
  /// For runs in which they change: the first ones first. No key is evicted, because where that
  /// happens while rules change, a rebuilt state need not be the one that was carried over.
  const std::vector<std::unique_ptr<const Rules>>& versions() const { return versions_; }

 private:
  agents::AgentRegistry registry_;
  DecodeOptions decode_;
  std::unique_ptr<const Rules> tight_;
  std::vector<std::unique_ptr<const Rules>> versions_;
};

/// The logs of the source partitions, and which of their records were planted as unreadable.
struct Workload {
  std::vector<std::vector<FakeRecord>> logs;
  std::vector<std::set<int64_t>> poison;

  /// Payments of a few accounts in bursts, out of order, some of them twice; tombstones; poison.
  static Workload Make(int32_t partitions, Random& random);
};

}  // namespace caracal::pipeline::sim
