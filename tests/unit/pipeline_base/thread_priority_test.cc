#include "pipeline/base/thread_priority.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace caracal::pipeline {
namespace {

int NiceOfThisThread() { return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); }

TEST(ThreadPriorityTest, AThreadAndThoseItMakesRunBehindTheOthers) {
  const int before = NiceOfThisThread();
  const int expected = std::max(before, kBehindOthers);
  int own = 0;
  int made = 0;
  std::thread([&] {
    RunBehindOthers();
    own = NiceOfThisThread();
    std::thread([&] { made = NiceOfThisThread(); }).join();
  }).join();
  EXPECT_EQ(own, expected);
  EXPECT_EQ(made, expected);
  EXPECT_EQ(NiceOfThisThread(), before);
}

TEST(ThreadPriorityTest, NobodyComesForwardByIt) {
  std::thread([] {
    ASSERT_EQ(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kBehindOthers + 5), 0);
    RunBehindOthers();
    EXPECT_EQ(NiceOfThisThread(), kBehindOthers + 5);
  }).join();
}

}  // namespace
}  // namespace caracal::pipeline
