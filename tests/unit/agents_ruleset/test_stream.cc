#include "tests/unit/agents_ruleset/test_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "agents/api/check.h"
#include "agents/api/status_macros.h"
#include "tests/unit/agents_ruleset/test_agents.h"

namespace caracal::agents {
namespace {

std::string_view ViewOf(const std::optional<std::string>& text) {
  return text.has_value() ? std::string_view(*text) : std::string_view();
}

const AgentRegistry& TestRegistry() {
  static const AgentRegistry* const registry = [] {
    auto* filled = new AgentRegistry;
    RegisterTestAgents(*filled);
    return filled;
  }();
  return *registry;
}

}  // namespace

StreamContext TestStreamContext() {
  StreamContext stream;
  stream.topic = "bank.public.transactions";
  stream.attributes = AttributeSchema({"merchant", "country", "currency"});
  stream.currency = "EUR";
  return stream;
}

TestTransactions::TestTransactions(std::vector<TestEvent> events)
    : events_(std::move(events)), attributes_(events_.size()), transactions_(events_.size()) {
  for (size_t i = 0; i < events_.size(); ++i) {
    const TestEvent& event = events_[i];
    attributes_[i] = {ViewOf(event.merchant), ViewOf(event.country), "EUR"};
    Transaction& transaction = transactions_[i];
    transaction.key = transaction.account = event.key;
    transaction.attributes = attributes_[i];
    transaction.event_time_us = event.time_us;
    transaction.has_amount = event.amount.has_value();
    transaction.amount = event.amount.value_or(0);
  }
}

std::shared_ptr<const CompiledRulesets> CompileForTest(const std::vector<RulesetSpec>& specs) {
  auto compiled = CompiledRulesets::Compile(specs, TestRegistry(), TestStreamContext(),
                                            {.hash_seed = kTestSeed});
  EXPECT_TRUE(compiled.ok()) << MessageOf(compiled.status());
  CHECK(compiled.ok());
  return *compiled;
}

std::string Describe(const Judgement& judgement) {
  std::string text = std::to_string(judgement.event) + "/" + std::to_string(judgement.ruleset) +
                     " " + std::to_string(judgement.score);
  if (judgement.state_truncated) text += " truncated";
  for (const FiredRule& fired : judgement.fired) {
    text += " " + std::to_string(fired.rule) + "=" + std::to_string(fired.verdict.observed.front());
  }
  return text;
}

TestEngine::TestEngine(std::shared_ptr<const CompiledRulesets> rulesets, const BucketLimits& limits,
                       size_t buckets)
    : rulesets_(std::move(rulesets)), evaluator_(rulesets_), counts_(*rulesets_) {
  for (size_t i = 0; i < buckets; ++i) buckets_.emplace_back(rulesets_, limits);
}

void TestEngine::Evaluate(const std::vector<TestEvent>& events, size_t batch_size,
                          std::mt19937& random) {
  const TestTransactions transactions(events);
  std::vector<Judgement> judgements;
  for (size_t begin = 0; begin < events.size();) {
    const size_t wanted = batch_size != 0 ? batch_size : random() % 200 + 1;
    const size_t end = std::min(events.size(), begin + wanted);
    std::vector<EvaluationInput> inputs;
    for (size_t i = begin; i < end; ++i) {
      EvaluationInput input;
      input.transaction = &transactions[i];
      input.key_hash = HashKey(events[i].key, kTestSeed);
      input.bucket = &buckets_[BucketOf(input.key_hash, static_cast<uint32_t>(buckets_.size()))];
      input.has_row = events[i].row.has_value();
      input.row_tag = events[i].row.value_or(0);
      input.raise = events[i].raise;
      inputs.push_back(input);
    }
    evaluator_.Evaluate(inputs, judgements, counts_);
    for (Judgement& judgement : judgements) {
      judgement.event += events_ + static_cast<uint32_t>(begin);
      judgements_.push_back(Describe(judgement));
    }
    begin = end;
  }
  events_ += static_cast<uint32_t>(events.size());
}

void TestEngine::Evaluate(const std::vector<TestEvent>& events) {
  std::mt19937 unused;
  Evaluate(events, events.size(), unused);
}

std::vector<StateDigest> TestEngine::Digests() const {
  std::vector<StateDigest> digests;
  for (const BucketState& bucket : buckets_) digests.push_back(bucket.Digest());
  return digests;
}

}  // namespace caracal::agents
