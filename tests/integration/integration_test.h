#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "tests/integration/engine_member.h"
#include "tests/integration/pause_watch.h"
#include "tests/integration/scenario.h"
#include "tests/support/log_capture.h"
#include "tests/support/mock_kafka.h"

namespace caracal::pipeline {

/// A cluster per test and what every test asks. Times are for a busy machine: they bound a test
/// that fails, not one that passes.
///
/// Random choices come from CARACAL_INTEGRATION_SEED, else from the system; a failure prints the
/// seed and the end of the log.
class IntegrationTest : public ::testing::Test {
 protected:
  IntegrationTest();
  ~IntegrationTest() override;

  /// Asks until the answer is yes; false when that takes too long.
  static bool Eventually(const std::function<bool()>& condition,
                         absl::Duration timeout = absl::Seconds(150));
  /// Checks until everything expected has arrived and is committed, or something is wrong.
  static ::testing::AssertionResult ArrivesCompletely(Scenario& scenario);
  /// Nothing the scenario has seen so far was wrong.
  static ::testing::AssertionResult NothingWrong(const Scenario& scenario);
  /// Runs the engine until it has opened all partitions.
  static std::unique_ptr<EngineMember> Start(EngineOptions options);
  static bool AllOpen(const EngineMember& member);

  /// The machine has not stood still for long enough to end a session by itself. What only an
  /// injected fault may cause, and nothing before it, can be asked for only then.
  bool Undisturbed() const { return pauses_.longest() < absl::Seconds(1); }

  static uint64_t Seed();
  MockKafka& kafka() { return kafka_; }
  const LogCapture& log() const { return log_; }

 private:
  PauseWatch pauses_;
  LogCapture log_;
  MockKafka kafka_;
};

}  // namespace caracal::pipeline
