#pragma once

#include "tests/integration/integration_test.h"

namespace caracal::pipeline {

/// One member of a group whose coordinator is at fault, and the control of its tests.
class GroupTest : public IntegrationTest {
 protected:
  static constexpr int32_t kCoordinator = MockKafka::kGroupBroker;
  static constexpr int32_t kOutput = MockKafka::kOutputBroker;

  /// With a session that is just long enough for the mock, so that a member that joins again waits
  /// 2.5 s.
  static EngineOptions ShortSession(const Scenario& scenario) {
    EngineOptions options = scenario.MemberOptions();
    options.source.connection.properties["session.timeout.ms"] = "3500";
    return options;
  }

  /// The control of the tests below: without a fault no epoch is sealed again, no partition is lost
  /// and no alert comes twice.
  void GoesOnUndisturbed(Scenario& scenario, const EngineMember& member) {
    scenario.Send(100);
    ASSERT_TRUE(ArrivesCompletely(scenario));
    EXPECT_FALSE(member.ended());
    if (!Undisturbed()) return;
    EXPECT_EQ(member.engine().commit_probe().epochs_resealed.value(), 0U);
    EXPECT_EQ(member.engine().source_probe().lost.value(), 0U);
    EXPECT_EQ(scenario.repeated_alerts(), 0U);
  }

  size_t Left(KafkaRequest request) { return kafka().FaultsLeft(kCoordinator, request); }
};

}  // namespace caracal::pipeline
