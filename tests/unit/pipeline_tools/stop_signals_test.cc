#include "pipeline/tools/stop_signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace caracal::pipeline {
namespace {

TEST(StopSignals, TheFirstSignalCallsOnStop) {
  absl::Notification called;
  const StopSignals signals([&called] { called.Notify(); }, [] {});
  EXPECT_EQ(signals.received(), 0);
  ASSERT_EQ(kill(getpid(), SIGTERM), 0);
  called.WaitForNotification();
  EXPECT_EQ(signals.received(), SIGTERM);
}

TEST(StopSignals, AHangupIsNoStop) {
  absl::Notification hung_up;
  const StopSignals signals([] { FAIL() << "HUP does not stop"; },
                            [&hung_up] { hung_up.Notify(); });
  ASSERT_EQ(kill(getpid(), SIGHUP), 0);
  hung_up.WaitForNotification();
  EXPECT_EQ(signals.received(), 0);
}

// The main thread sees that it is to stop, stops and destroys the engine while the thread of the
// signals is still in the middle of telling it.
TEST(StopSignals, DisarmWaitsForACallThatIsUnderWay) {
  absl::Notification called;
  absl::Notification disarmed;
  bool disarmed_during_the_call = false;
  StopSignals signals(
      [&] {
        called.Notify();
        disarmed_during_the_call = disarmed.WaitForNotificationWithTimeout(absl::Milliseconds(100));
      },
      [] {});
  ASSERT_EQ(kill(getpid(), SIGTERM), 0);
  called.WaitForNotification();
  signals.Disarm();
  disarmed.Notify();
  EXPECT_FALSE(disarmed_during_the_call);
}

TEST(StopSignals, ADisarmedSignalCallsNobody) {
  std::atomic<bool> called{false};
  {
    StopSignals signals([&called] { called.store(true); }, [] {});
    signals.Disarm();
    ASSERT_EQ(kill(getpid(), SIGTERM), 0);
    while (signals.received() == 0) std::this_thread::yield();
  }
  EXPECT_FALSE(called.load());
}

}  // namespace
}  // namespace caracal::pipeline
