#include "pipeline/base/spsc_ring.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <thread>

namespace caracal::pipeline {
namespace {

TEST(SpscRingTest, IsFifoAndBounded) {
  SpscRing<std::unique_ptr<int>> ring(4);
  for (int i = 0; i < 4; ++i) {
    auto message = std::make_unique<int>(i);
    ASSERT_TRUE(ring.TryPush(message));
  }
  auto refused = std::make_unique<int>(4);
  EXPECT_FALSE(ring.TryPush(refused));
  ASSERT_NE(refused, nullptr) << "a refused message stays with the producer";
  EXPECT_EQ(ring.size(), 4U);
  std::unique_ptr<int> popped;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(ring.TryPop(popped));
    EXPECT_EQ(*popped, i);
  }
  EXPECT_FALSE(ring.TryPop(popped));
  EXPECT_TRUE(ring.TryPush(refused));
}

TEST(SpscRingTest, ReleasesWhatItHoldsWhenDestroyed) {
  auto shared = std::make_shared<int>(1);
  {
    SpscRing<std::shared_ptr<int>> ring(8);
    std::shared_ptr<int> copy = shared;
    ASSERT_TRUE(ring.TryPush(copy));
    EXPECT_EQ(shared.use_count(), 2);
  }
  EXPECT_EQ(shared.use_count(), 1);
}

// Two threads, random bursts and waits; run under ThreadSanitizer too.
TEST(SpscRingTest, CarriesEveryMessageInOrderBetweenThreads) {
  constexpr uint64_t kMessages = 200'000;
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  SpscRing<uint64_t> ring(16);
  std::thread producer([&ring, seed] {
    std::mt19937 random(seed);
    for (uint64_t i = 0; i < kMessages;) {
      const uint64_t burst = random() % 40;
      for (uint64_t b = 0; b < burst && i < kMessages;) {
        uint64_t message = i;
        if (ring.TryPush(message)) {
          ++i;
          ++b;
        } else {
          std::this_thread::yield();
        }
      }
    }
  });
  uint64_t expected = 0;
  uint64_t message = 0;
  while (expected < kMessages) {
    if (!ring.TryPop(message)) {
      ring.WaitNotEmpty();
      continue;
    }
    ASSERT_EQ(message, expected);
    ++expected;
  }
  producer.join();
  EXPECT_FALSE(ring.TryPop(message));
}

}  // namespace
}  // namespace caracal::pipeline
