#include "agents/state/event_window.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "agents/api/transaction.h"
#include "tests/support/random_history.h"

namespace caracal::agents {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();

// One key's record.
class Key {
 public:
  explicit Key(const EventWindowOptions& options)
      : window_(options), record_((window_.state_size() + 7) / sizeof(uint64_t)) {}

  WindowTotals Add(const WindowEvent& event) {
    return window_.Add(reinterpret_cast<std::byte*>(record_.data()), event);
  }
  WindowTotals Add(int64_t time_us) { return Add({time_us, 0, 0}); }
  const std::vector<uint64_t>& record() const { return record_; }

 private:
  EventWindow window_;
  std::vector<uint64_t> record_;
};

TEST(EventWindowTest, HoldsBothEndsOfTheWindow) {
  for (const int64_t window_us : {60 * kSecond, 7200 * kSecond}) {
    Key key({window_us, 8});
    key.Add(0);
    EXPECT_EQ(key.Add(window_us).count, 2U) << window_us;
    EXPECT_EQ(key.Add(window_us + 1).count, 2U) << "the event at 0 has left";
    EXPECT_EQ(key.Add(1).count, 3U) << "exactly W old is not late";
    const WindowTotals late = key.Add(0);
    EXPECT_TRUE(late.late);
    EXPECT_EQ(late.count, 3U) << "a late event changes nothing";
  }
}

TEST(EventWindowTest, KeepsTheNewestAndDropsTheFirstSeenOfEqualTimes) {
  EventWindowOptions options{10, 2};
  options.sums_amounts = true;
  Key key(options);
  key.Add({5, 1, 0});
  key.Add({5, 10, 0});
  EXPECT_EQ(key.Add({5, 100, 0}).sum, 110);
  EXPECT_EQ(key.Add({4, 1000, 0}).sum, 110) << "older than all kept";
  EXPECT_EQ(key.Add({6, 10000, 0}).sum, 10100);
}

TEST(EventWindowTest, SaysSaturatedWhileADroppedEventLiesInTheWindow) {
  for (const int64_t window_us : {10 * kSecond, 7200 * kSecond}) {
    Key key({window_us, 2});
    key.Add(0);
    EXPECT_FALSE(key.Add(5).saturated) << "full, but nothing dropped";
    EXPECT_TRUE(key.Add(9).saturated) << "0 dropped";
    EXPECT_TRUE(key.Add(3).saturated) << "3 itself dropped";
    EXPECT_TRUE(key.Add(window_us).saturated) << "0 and 3 still lie in the window";
    EXPECT_TRUE(key.Add(window_us + 9).saturated) << "9 does";
    const WindowTotals totals = key.Add(window_us + window_us + 1);
    EXPECT_FALSE(totals.saturated) << "all but the event at W + 9 have left";
    EXPECT_EQ(totals.count, 2U);
  }
}

TEST(EventWindowTest, DoesNotCallALateEventSaturated) {
  Key key({10, 1});
  key.Add(20);
  EXPECT_TRUE(key.Add(20).saturated);
  EXPECT_FALSE(key.Add(9).saturated);
}

TEST(EventWindowTest, CountsAValueOnceHoweverItsEventsAreOrdered) {
  EventWindowOptions options{100, 4};
  options.counts_values = true;
  Key key(options);
  EXPECT_EQ(key.Add({50, 0, 7}).distinct, 1U);
  EXPECT_EQ(key.Add({40, 0, 7}).distinct, 1U) << "older event of the same value";
  EXPECT_EQ(key.Add({45, 0, 8}).distinct, 2U);
  EXPECT_EQ(key.Add({60, 0, 0}).distinct, 2U) << "no value";
  EXPECT_EQ(key.Add({141, 0, 9}).distinct, 3U) << "40 has left, its value is still there at 50";
  EXPECT_EQ(key.Add({146, 0, 9}).distinct, 2U) << "45 has left with its value";
  EXPECT_EQ(key.Add({151, 0, 9}).distinct, 1U);
}

TEST(EventWindowTest, SurvivesAnyJumpOfTime) {
  for (const int64_t window_us : {int64_t{1}, 60 * kSecond, (int64_t{1} << 32) - 1,
                                  int64_t{1} << 32, 3650 * 86'400 * kSecond}) {
    Key key({window_us, 4});
    EXPECT_EQ(key.Add(kLowest).count, 1U);
    EXPECT_EQ(key.Add(kLowest + window_us).count, 2U);
    EXPECT_EQ(key.Add(0).count, 1U);
    EXPECT_EQ(key.Add(int64_t{1} << 32).count, window_us >= int64_t{1} << 32 ? 2U : 1U)
        << "low halves of the times are equal";
    EXPECT_EQ(key.Add(kHighest).count, 1U);
    EXPECT_TRUE(key.Add(kLowest).late);
    EXPECT_EQ(key.Add(kHighest - window_us).count, 2U);
    EXPECT_TRUE(key.Add(kHighest - window_us - 1).late);
  }
}

TEST(EventWindowTest, CountsAlikeWithAndWithoutSums) {
  // Sums need a ring, counts alone are kept as gaps up to sixteen events.
  for (uint64_t i = 0; i < 2'000; ++i) {
    const uint64_t seed = testing::PropertySeed() + i;
    SCOPED_TRACE(testing::SeedTrace(seed));
    testing::Random random(seed);
    const int64_t window_us =
        random.Pick<int64_t>({1, 2, 10, 60 * kSecond, EventGaps::kMaxWindowUs});
    const auto capacity = static_cast<uint32_t>(random.Between(1, EventGaps::kMaxCapacity));
    Key gaps({window_us, capacity});
    Key ring({window_us, capacity, /*sums_amounts=*/true});
    ASSERT_LT(gaps.record().size(), ring.record().size());
    for (const int64_t time : testing::HistoryTimes(random, 100, window_us)) {
      const WindowTotals counted = gaps.Add(time);
      const WindowTotals expected = ring.Add(time);
      ASSERT_EQ(counted.count, expected.count);
      ASSERT_EQ(counted.late, expected.late);
      ASSERT_EQ(counted.saturated, expected.saturated);
    }
  }
}

TEST(EventWindowTest, GapsAreTheSameInWhateverOrderTheirEventsCame) {
  Key in_order({60 * kSecond, 6});
  Key backwards({60 * kSecond, 6});
  Key after_others({60 * kSecond, 6});
  for (int64_t time = 0; time < 5; ++time) after_others.Add(time);
  for (int64_t time = 100; time < 104; ++time) in_order.Add(time * kSecond);
  for (int64_t time = 103; time >= 100; --time) backwards.Add(time * kSecond);
  for (const int64_t time : {101, 103, 100, 102}) after_others.Add(time * kSecond);
  EXPECT_EQ(backwards.record(), in_order.record());
  EXPECT_EQ(after_others.record(), in_order.record());
}

TEST(EventWindowTest, SumsTheLargestAmountsWithoutOverflow) {
  EventWindowOptions options{kSecond, 1};
  options.sums_amounts = true;
  options.capacity = EventWindow::MaxCapacity(options);
  Key key(options);
  WindowTotals totals;
  for (uint32_t i = 0; i <= options.capacity; ++i) totals = key.Add({0, kMaxAmount, 0});
  EXPECT_EQ(totals.sum, kMaxAmount * int64_t{options.capacity});
  EXPECT_TRUE(totals.saturated);
}

TEST(EventWindowTest, FitsItsRecordInto64KiBAtMaxCapacity) {
  for (const int64_t window_us : {kSecond, 7200 * kSecond}) {
    for (const bool sums : {false, true}) {
      for (const bool values : {false, true}) {
        EventWindowOptions options{window_us, 1, sums, values};
        options.capacity = EventWindow::MaxCapacity(options);
        const uint32_t size = EventWindow(options).state_size();
        EXPECT_LE(size, EventWindow::kMaxStateSize);
        const bool bounded_by_count = options.capacity == EventWindow::kMaxCapacity;
        EXPECT_GT(size + (bounded_by_count ? 4096U : 24U), EventWindow::kMaxStateSize);
      }
    }
  }
}

TEST(EventWindowTest, TellsNullFromEmptyAndEqualFromDifferentValues) {
  EXPECT_EQ(EventWindow::ValueTag({}), 0U);
  EXPECT_NE(EventWindow::ValueTag(""), 0U);
  EXPECT_EQ(EventWindow::ValueTag("m-17"), EventWindow::ValueTag(std::string_view("m-178", 4)));
  EXPECT_NE(EventWindow::ValueTag("m-17"), EventWindow::ValueTag("m-18"));
  EXPECT_EQ(EventWindow::ValueTag("m-17") >> 63, 0U);
}

}  // namespace
}  // namespace caracal::agents
