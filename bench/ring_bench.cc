// What it costs to hand something over through SpscRing: the ring of the workers, with 64 places
// for batches of events, as WorkerPool uses it.
//
// BM_PushPop: both ends on one thread, a message at a time: the instructions of a push and a pop
// where nothing is shared. BM_HandOff: producer and consumer on a thread each, batches of 1, 64 or
// 1,024 events (SourceOptions::batch_records) that are moved in and out; a consumer that finds the
// ring empty parks, a producer that finds it full yields. The time is that of the clock from the
// first push to the last pop, so where there are fewer processors than threads that want to run,
// that of switching between them; the processor time is that of both threads. Making the batches is
// not part of either.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "agents/api/check.h"
#include "pipeline/base/spsc_ring.h"
#include "pipeline/execute/worker.h"

namespace caracal::pipeline {
namespace {

constexpr size_t kCapacity = 64;  // WorkerPoolOptions::ring_capacity
constexpr size_t kMessages = 4096;
/// Of all batches of a pass together.
constexpr size_t kEventsMax = size_t{1} << 18;

std::vector<WorkerMessage> MakeBatches(size_t batches, size_t events) {
  std::vector<WorkerMessage> messages(batches);
  for (WorkerMessage& message : messages) {
    message = EventBatch{std::vector<Event>(events), std::make_shared<EventStorage>()};
  }
  return messages;
}

void BM_PushPop(benchmark::State& state) {
  SpscRing<uint64_t> ring(kCapacity);
  uint64_t number = 0;
  uint64_t popped = 0;
  for (auto _ : state) {
    ++number;
    CHECK(ring.TryPush(number));
    CHECK(ring.TryPop(popped));
  }
  CHECK(popped == number);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PushPop);

void BM_PushPopBatch(benchmark::State& state) {
  SpscRing<WorkerMessage> ring(kCapacity);
  WorkerMessage message = std::move(MakeBatches(1, 1).front());
  for (auto _ : state) {
    CHECK(ring.TryPush(message));
    CHECK(ring.TryPop(message));
  }
  CHECK(std::get<EventBatch>(message).events.size() == 1);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PushPopBatch);

/// Hands the messages to a thread that is waiting for them and gives them back; returns seconds.
double HandOff(std::vector<WorkerMessage>& messages) {
  SpscRing<WorkerMessage> ring(kCapacity);
  std::vector<WorkerMessage> taken(messages.size());
  std::thread consumer([&] {
    for (WorkerMessage& message : taken) {
      while (!ring.TryPop(message)) ring.WaitNotEmpty();
    }
  });
  const auto start = std::chrono::steady_clock::now();
  for (WorkerMessage& message : messages) {
    while (!ring.TryPush(message)) std::this_thread::yield();
  }
  consumer.join();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  messages = std::move(taken);
  return seconds.count();
}

void BM_HandOff(benchmark::State& state) {
  const auto events = static_cast<size_t>(state.range(0));
  const size_t batches = std::min(kMessages, kEventsMax / events);
  std::vector<WorkerMessage> messages = MakeBatches(batches, events);
  for (auto _ : state) state.SetIterationTime(HandOff(messages));
  size_t handed_over = 0;
  for (const WorkerMessage& message : messages) {
    handed_over += std::get<EventBatch>(message).events.size();
  }
  CHECK(handed_over == batches * events);
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(handed_over));
}
BENCHMARK(BM_HandOff)
    ->ArgName("batch")
    ->Arg(1)
    ->Arg(64)
    ->Arg(1024)
    ->UseManualTime()
    ->MeasureProcessCPUTime();

}  // namespace
}  // namespace caracal::pipeline

BENCHMARK_MAIN();
