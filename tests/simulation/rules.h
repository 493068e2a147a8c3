#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents/api/agent_registry.h"
#include "agents/api/ruleset.h"
#include "pipeline/decode/decode_options.h"
#include "pipeline/execute/worker.h"
#include "pipeline/snapshot/state_topics.h"

namespace caracal::pipeline::sim {

/// A set of rule files.
struct RuleFiles {
  std::string name;  ///< for traces
  std::vector<agents::RulesetSpec> rulesets;
  std::vector<RulesetText> texts;
};

/// The rules a member runs with: compiled, with their texts and their manifest. Immutable.
class Rules {
 public:
  static constexpr uint32_t kBuckets = 3;
  /// A budget that evicts keys all the time, and one that never does.
  enum class Budget : uint8_t { kTight, kWide };

  /// The registry must outlive this.
  Rules(const RuleFiles& files, const agents::AgentRegistry& registry, const DecodeOptions& decode,
        Budget budget);
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;

  const std::string& name() const { return name_; }
  const StreamPlan& plan() const { return plan_; }
  const StateTopics& state_topics() const { return state_topics_; }
  const RulesRecord& record() const { return state_topics_.rules.front(); }
  /// Identity of the rules (RulesHash).
  const std::string& hash() const { return record().hash; }
  /// The bucket of an image that was made by these rules; null when it is not taken as it is.
  std::shared_ptr<agents::BucketState> Read(std::string_view image) const;

 private:
  const std::string name_;
  StreamPlan plan_;
  StateTopics state_topics_;
};

/// Two rulesets of every built-in agent first, then what operators make of them: a rule added,
/// removed, with another limit (its state stays) or another window (it begins anew), another score,
/// a ruleset renamed.
std::vector<RuleFiles> MakeRuleFiles(const agents::AgentRegistry& registry);

}  // namespace caracal::pipeline::sim
