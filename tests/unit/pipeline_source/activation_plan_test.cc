#include "pipeline/source/activation_plan.h"

#include <gtest/gtest.h>

namespace caracal::pipeline {
namespace {

using Activations = std::vector<Activation>;

TEST(ActivationPlanTest, TheSameRulesGoOn) {
  EXPECT_EQ(PlanActivations({{5, "a"}}, 100, "a"), (Activations{{5, "a"}}));
  EXPECT_EQ(PlanActivations({{5, "a"}, {90, "b"}}, 100, "b"), (Activations{{5, "a"}, {90, "b"}}));
}

TEST(ActivationPlanTest, OtherRulesTakeEffectAtTheCommittedOffset) {
  EXPECT_EQ(PlanActivations({{5, "a"}}, 100, "b"), (Activations{{5, "a"}, {100, "b"}}));
  EXPECT_EQ(PlanActivations({{5, "a"}, {90, "b"}}, 100, "a"),
            (Activations{{5, "a"}, {90, "b"}, {100, "a"}}));
}

TEST(ActivationPlanTest, RulesThatJudgedNothingLeaveNoTrace) {
  EXPECT_EQ(PlanActivations({{5, "a"}, {100, "b"}}, 100, "c"), (Activations{{5, "a"}, {100, "c"}}));
  EXPECT_EQ(PlanActivations({{5, "a"}, {100, "b"}}, 100, "a"), (Activations{{5, "a"}}));
  EXPECT_EQ(PlanActivations({{5, "a"}}, 5, "b"), (Activations{{5, "b"}}));
}

TEST(ActivationPlanTest, ARewindForgetsLaterActivations) {
  EXPECT_EQ(PlanActivations({{5, "a"}, {90, "b"}}, 50, "b"), (Activations{{5, "a"}, {50, "b"}}));
  EXPECT_EQ(PlanActivations({{5, "a"}, {90, "b"}}, 50, "a"), (Activations{{5, "a"}}));
  EXPECT_EQ(PlanActivations({{5, "a"}, {90, "b"}}, 3, "b"), (Activations{{3, "b"}}));
}

TEST(ActivationPlanTest, ForgetsOnlyWhatEveryCopyHasLeftBehind) {
  const Activations activations = {{5, "a"}, {90, "b"}, {200, "c"}};
  EXPECT_EQ(ForgetActivations(activations, 90), activations)
      << "a copy at 90 holds what the first rules saw, and nothing else";
  EXPECT_EQ(ForgetActivations(activations, 91), (Activations{{90, "b"}, {200, "c"}}));
  EXPECT_EQ(ForgetActivations(activations, 1000), (Activations{{200, "c"}}));
}

}  // namespace
}  // namespace caracal::pipeline
