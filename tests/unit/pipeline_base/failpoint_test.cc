#include "pipeline/base/failpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <string>

#include "agents/api/status_macros.h"

namespace caracal::pipeline {
namespace {

using ::testing::HasSubstr;
using ::testing::KilledBySignal;

class FailpointTest : public ::testing::Test {
 protected:
  ~FailpointTest() override { static_cast<void>(ArmFailpoints("")); }

  static std::string Refusal(std::string_view text) {
    return agents::MessageOf(ArmFailpoints(text));
  }
};

TEST_F(FailpointTest, NamesAreDistinct) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < kFailpointCount; ++i) {
    EXPECT_TRUE(names.insert(FailpointName(static_cast<Failpoint>(i))).second);
  }
  EXPECT_FALSE(names.contains(""));
}

TEST_F(FailpointTest, NothingHappensAtAPointThatIsNotArmed) {
  EXPECT_FALSE(HitFailpoint(Failpoint::kTransactionCommit));
  EXPECT_EQ(FailpointHits(Failpoint::kTransactionCommit), 1U);
}

TEST_F(FailpointTest, AnErrorComesEveryTimeOrTheNthTimeOnly) {
  ASSERT_TRUE(ArmFailpoints("transaction.commit=error,snapshot.chunk=error@2").ok());
  for (const bool second : {false, true, false}) {
    EXPECT_TRUE(HitFailpoint(Failpoint::kTransactionCommit));
    EXPECT_EQ(HitFailpoint(Failpoint::kSnapshotChunk), second);
  }
}

TEST_F(FailpointTest, ArmingReplacesWhatWasArmed) {
  ASSERT_TRUE(ArmFailpoints("transaction.commit=error").ok());
  ASSERT_TRUE(ArmFailpoints("epoch.close=delay:1@7").ok());
  EXPECT_FALSE(HitFailpoint(Failpoint::kTransactionCommit));
}

TEST_F(FailpointTest, ACrashIsThatOfAKilledProcess) {
  EXPECT_EXIT(
      {
        static_cast<void>(ArmFailpoints("epoch.sealed=crash@2"));
        static_cast<void>(HitFailpoint(Failpoint::kEpochSealed));
        static_cast<void>(HitFailpoint(Failpoint::kEpochSealed));
      },
      KilledBySignal(SIGKILL), "");
}

TEST_F(FailpointTest, AStoppedProcessGoesOnWhenItIsToldTo) {
  ASSERT_TRUE(ArmFailpoints("epoch.sealed=stop").ok());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(HitFailpoint(Failpoint::kEpochSealed) ? 1 : 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  EXPECT_TRUE(WIFSTOPPED(status));
  ASSERT_EQ(kill(child, SIGCONT), 0);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(FailpointTest, WhatIsNotUnderstoodIsRefusedWithTheListOfNames) {
  EXPECT_THAT(Refusal("epoch.clos=crash"), HasSubstr("there is no such failpoint"));
  EXPECT_THAT(Refusal("epoch.clos=crash"), HasSubstr(" epoch.close epoch.collected "));
  EXPECT_THAT(Refusal("epoch.close"), HasSubstr("there is no such action"));
  EXPECT_THAT(Refusal("epoch.close=halt"), HasSubstr("there is no such action"));
  EXPECT_THAT(Refusal("epoch.close=delay:x"), HasSubstr("there is no such action"));
  EXPECT_THAT(Refusal("epoch.close=crash@0"), HasSubstr("a number from 1 on"));
  EXPECT_THAT(Refusal("epoch.close=error"), HasSubstr("this step cannot fail"));
  EXPECT_EQ(Refusal(""), "");
}

TEST_F(FailpointTest, OneWrongNameArmsNothing) {
  EXPECT_FALSE(ArmFailpoints("transaction.commit=error,nonsense=crash").ok());
  EXPECT_FALSE(HitFailpoint(Failpoint::kTransactionCommit));
}

}  // namespace
}  // namespace caracal::pipeline
