#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "agents/api/agent_registry.h"
#include "agents/api/ruleset.h"
#include "agents/api/transaction.h"
#include "agents/ruleset/bucket_state.h"
#include "agents/ruleset/compiled_rulesets.h"
#include "agents/ruleset/evaluator.h"

namespace caracal::agents {

inline constexpr uint64_t kTestSeed = 99;

/// A stream that maps the attributes merchant, country and currency, in this order.
StreamContext TestStreamContext();

/// A transaction that owns its texts.
struct TestEvent {
  std::string key;
  std::optional<std::string> merchant = std::nullopt;
  std::optional<std::string> country = std::nullopt;
  int64_t time_us = 0;
  std::optional<int64_t> amount = 0;
  std::optional<uint64_t> row = std::nullopt;
  bool raise = true;
};

/// Events as transactions; owns everything these point to.
class TestTransactions {
 public:
  explicit TestTransactions(std::vector<TestEvent> events);
  TestTransactions(const TestTransactions&) = delete;
  TestTransactions& operator=(const TestTransactions&) = delete;

  const Transaction& operator[](size_t index) const { return transactions_[index]; }
  size_t size() const { return transactions_.size(); }

 private:
  std::vector<TestEvent> events_;
  std::vector<std::array<std::string_view, 3>> attributes_;
  std::vector<Transaction> transactions_;
};

/// Compiles for the test stream with the test agents; fails the test on errors.
std::shared_ptr<const CompiledRulesets> CompileForTest(const std::vector<RulesetSpec>& specs);

/// A judgement as comparable text: "event/ruleset score [truncated] rule=observed ...".
std::string Describe(const Judgement& judgement);

/// Compiled rulesets, some buckets and an evaluator, and everything they have said so far.
class TestEngine {
 public:
  TestEngine(std::shared_ptr<const CompiledRulesets> rulesets, const BucketLimits& limits,
             size_t buckets = 1);

  /// Evaluates `events` in batches of `batch_size`; 0 = random sizes up to 200.
  void Evaluate(const std::vector<TestEvent>& events, size_t batch_size, std::mt19937& random);
  /// In one batch.
  void Evaluate(const std::vector<TestEvent>& events);

  /// Of all events so far, numbered through.
  const std::vector<std::string>& judgements() const { return judgements_; }
  const EvaluationCounts& counts() const { return counts_; }
  BucketState& bucket(size_t index) { return buckets_[index]; }
  std::vector<StateDigest> Digests() const;

 private:
  std::shared_ptr<const CompiledRulesets> rulesets_;
  std::vector<BucketState> buckets_;
  Evaluator evaluator_;
  EvaluationCounts counts_;
  std::vector<std::string> judgements_;
  uint32_t events_ = 0;
};

}  // namespace caracal::agents
