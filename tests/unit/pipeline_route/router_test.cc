#include "pipeline/route/router.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace caracal::pipeline {
namespace {

TEST(RouterTest, SendsAKeyToOneWorkerInArrivalOrder) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  Router router(64, 4);
  auto storage = std::make_shared<EventStorage>();
  router.Begin(storage);
  for (int64_t offset = 0; offset < 5'000; ++offset) {
    Event event;
    event.offset = offset;
    event.key_hash = agents::HashKey(std::to_string(random() % 300), 7);
    router.Add(event);
  }
  std::map<uint64_t, uint32_t> worker_of;
  size_t total = 0;
  for (uint32_t worker = 0; worker < 4; ++worker) {
    const EventBatch batch = router.Take(worker);
    EXPECT_EQ(batch.storage, storage);
    EXPECT_FALSE(batch.events.empty());
    total += batch.events.size();
    int64_t last = -1;
    for (const Event& event : batch.events) {
      EXPECT_GT(event.offset, last);
      last = event.offset;
      const auto [it, inserted] = worker_of.emplace(event.key_hash.low, worker);
      EXPECT_EQ(it->second, worker);
      EXPECT_EQ(router.WorkerOf(agents::BucketOf(event.key_hash, 64)), worker);
    }
  }
  EXPECT_EQ(total, 5'000U);
  EXPECT_TRUE(router.Take(0).events.empty());
}

TEST(RouterTest, LetsGoOfTheStorageAtEnd) {
  Router router(64, 1);
  auto storage = std::make_shared<EventStorage>();
  router.Begin(storage);
  router.End();
  EXPECT_EQ(storage.use_count(), 1);
}

}  // namespace
}  // namespace caracal::pipeline
