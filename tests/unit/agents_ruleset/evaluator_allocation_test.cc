// A binary of its own: it replaces operator new to count allocations.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "agents/ruleset/evaluator.h"
#include "tests/unit/agents_ruleset/test_agents.h"
#include "tests/unit/agents_ruleset/test_stream.h"

namespace {

std::atomic<uint64_t> allocations{0};

// Not inlined: the compiler would take new and free for a mismatched pair.
[[gnu::noinline]] void Release(void* memory) { std::free(memory); }

[[gnu::noinline]] void* Allocate(size_t bytes, size_t align) {
  ++allocations;
  void* memory = std::aligned_alloc(align, (bytes + align - 1) / align * align);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) { return Allocate(bytes, alignof(std::max_align_t)); }
void* operator new(size_t bytes, std::align_val_t align) {
  return Allocate(bytes, static_cast<size_t>(align));
}
void operator delete(void* memory) noexcept { Release(memory); }
void operator delete(void* memory, size_t) noexcept { Release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Release(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { Release(memory); }

namespace caracal::agents {
namespace {

TEST(EvaluatorAllocationTest, SteadyStateAllocatesNothing) {
  RuleSpec keyed = CountRule("keyed", 1, -5);  // fires always, alerts never
  keyed.key_suffix = {"merchant"};
  RuleSpec filtered = CountRule("filtered", 1, -5);
  filtered.filters = {{"country", {"FR"}}};
  const auto rulesets =
      CompileForTest({Ruleset("x", 0, {CountRule("plain", 1, 0), keyed, filtered})});
  BucketState bucket(rulesets, {});
  Evaluator evaluator(rulesets);
  EvaluationCounts counts(*rulesets);
  std::vector<TestEvent> events;
  for (int i = 0; i < 200; ++i) {
    events.push_back({.key = "account " + std::to_string(i % 50),
                      .merchant = "a merchant whose name is long " + std::to_string(i % 3),
                      .country = i % 2 == 0 ? "FR" : "DE"});
  }
  const TestTransactions transactions(events);
  std::vector<EvaluationInput> inputs(events.size());
  for (size_t i = 0; i < events.size(); ++i) {
    inputs[i] = {&transactions[i], &bucket, HashKey(events[i].key, kTestSeed), 0, true, true};
  }
  std::vector<Judgement> judgements;
  uint64_t row = 0;
  const auto evaluate = [&] {
    for (EvaluationInput& input : inputs) input.row_tag = ++row;
    evaluator.Evaluate(inputs, judgements, counts);
  };
  for (int i = 0; i < 100; ++i) evaluate();  // fills the row filter and the scratch
  const uint64_t before = allocations;
  ASSERT_GT(before, 0U);
  for (int i = 0; i < 100; ++i) evaluate();
  EXPECT_EQ(allocations - before, 0U);
  EXPECT_EQ(counts.evaluated, 40'000U);
  EXPECT_EQ(counts.rulesets[0].rules[1].fired, 40'000U);
}

}  // namespace
}  // namespace caracal::agents
