#include "pipeline/base/mutex.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace caracal::pipeline {
namespace {

constexpr int kTurns = 2'000;

TEST(MutexTest, WakesWhoeverWaitsForWhatHasChanged) {
  Mutex mutex;
  int turn = 0;
  const auto play = [&](int player) {
    for (int i = 0; i < kTurns; ++i) {
      MutexLock lock(&mutex);
      mutex.Await([&] { return turn % 3 == player; });
      ++turn;
    }
  };
  std::vector<std::thread> players;
  for (int player = 0; player < 3; ++player) players.emplace_back(play, player);
  for (std::thread& player : players) player.join();
  EXPECT_EQ(turn, 3 * kTurns);
}

TEST(MutexTest, DoesNotWaitForWhatHoldsAlready) {
  Mutex mutex;
  MutexLock lock(&mutex);
  mutex.Await([] { return true; });
  EXPECT_TRUE(mutex.AwaitFor(absl::ZeroDuration(), [] { return true; }));
}

TEST(MutexTest, GivesUpWhenTheTimeIsOver) {
  Mutex mutex;
  MutexLock lock(&mutex);
  int asked = 0;
  EXPECT_FALSE(mutex.AwaitFor(absl::Milliseconds(5), [&] {
    ++asked;
    return false;
  }));
  EXPECT_GE(asked, 2);
}

// What a thread has changed before it waits itself is seen by those that wait for it.
TEST(MutexTest, WaitingAnnouncesWhatWasChangedBefore) {
  Mutex mutex;
  bool ping = false;
  bool pong = false;
  std::thread answerer([&] {
    MutexLock lock(&mutex);
    mutex.Await([&] { return ping; });
    pong = true;
  });
  {
    MutexLock lock(&mutex);
    ping = true;
    mutex.Await([&] { return pong; });
    EXPECT_TRUE(pong);
  }
  answerer.join();
}

// A thread that is woken for nothing asks its condition; so does whoever unlocks, on its own
// thread.
TEST(MutexTest, LetsWaitersSleepUntilTheirConditionHolds) {
  Mutex mutex;
  bool waiting = false;
  bool ready = false;
  int asked_by_waiter = 0;
  std::thread waiter([&] {
    const std::thread::id own = std::this_thread::get_id();
    MutexLock lock(&mutex);
    waiting = true;
    mutex.Await([&] {
      asked_by_waiter += std::this_thread::get_id() == own ? 1 : 0;
      return ready;
    });
  });
  {
    MutexLock lock(&mutex);
    mutex.Await([&] { return waiting; });
  }
  for (int i = 0; i < 10 * kTurns; ++i) MutexLock lock(&mutex);
  {
    MutexLock lock(&mutex);
    ready = true;
  }
  waiter.join();
  // Before the wait, after it, and for its result; the system may wake a thread now and then.
  EXPECT_LT(asked_by_waiter, 10);
}

}  // namespace
}  // namespace caracal::pipeline
