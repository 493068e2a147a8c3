#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "tests/integration/engine_member.h"
#include "tests/integration/scenario.h"
#include "tests/support/log_capture.h"
#include "tests/support/mock_kafka.h"

namespace caracal::pipeline {

/// A fresh cluster per test, with an open group, and what every test asks.
///
/// The clusters of all tests of the program are made together, because opening a group takes three
/// seconds. Random choices come from CARACAL_INTEGRATION_SEED (else from the clock); a
/// failure prints the seed.
class IntegrationTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;
  void TearDown() override;

  /// Asks until the answer is yes; false when that takes too long.
  static bool Eventually(const std::function<bool()>& condition,
                         absl::Duration timeout = absl::Seconds(25));
  /// Checks until everything expected has arrived and is committed, or something is wrong.
  ::testing::AssertionResult ArrivesCompletely(Scenario& scenario,
                                               absl::Duration timeout = absl::Seconds(25));
  /// Nothing the scenario has seen so far was wrong.
  static ::testing::AssertionResult NothingWrong(const Scenario& scenario);
  /// Runs the engine until it has opened all partitions.
  static std::unique_ptr<EngineMember> Start(EngineOptions options);
  static bool AllOpen(const EngineMember& member);

  static uint64_t Seed();
  static LogCapture& Log();
  MockKafka& kafka() { return *kafka_; }

 private:
  std::unique_ptr<MockKafka> kafka_;
};

}  // namespace caracal::pipeline
