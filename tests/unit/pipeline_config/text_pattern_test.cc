#include "pipeline/config/text_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "agents/api/status_macros.h"
#include "pipeline/config/parameter_binder.h"

namespace caracal::pipeline {
namespace {

using agents::ParameterSpec;
using agents::ParameterType;
using agents::ParameterValue;
using ::testing::HasSubstr;

TEST(TextPatternTest, MatchesAnywhereUnlessAnchored) {
  EXPECT_TRUE((*CompilePattern("b+"))->Matches("abbc"));
  EXPECT_FALSE((*CompilePattern("^b+"))->Matches("abbc"));
  EXPECT_TRUE((*CompilePattern("^.$"))->Matches("é")) << "a character, not a byte";
  EXPECT_EQ((*CompilePattern("b+"))->text(), "b+");
}

TEST(TextPatternTest, RefusesWhatWouldTakeTooLongOrTooMuch) {
  EXPECT_THAT(agents::MessageOf(CompilePattern("(?=a)").status()),
              HasSubstr("is no regular expression of RE2: invalid perl operator: (?="));
  EXPECT_THAT(agents::MessageOf(CompilePattern("((a{100}){100}){100}").status()),
              HasSubstr("is no regular expression of RE2"));
}

TEST(TextPatternTest, ParametersMustMatchTheirs) {
  ParameterSpec spec = {.name = "code", .type = ParameterType::kText, .doc = ""};
  spec.pattern = *CompilePattern("^[A-Z]{2}$");
  std::optional<ValueProblem> problem;
  EXPECT_EQ(ParseParameter(spec, "FR", "code", problem), ParameterValue(std::string("FR")));
  EXPECT_FALSE(problem.has_value());
  EXPECT_EQ(ParseParameter(spec, "FRA", "code", problem), std::nullopt);
  ASSERT_TRUE(problem.has_value());
  EXPECT_EQ(problem->message, "'code' must match the pattern ^[A-Z]{2}$, 'FRA' does not");
}

TEST(TextPatternTest, EveryTextOfAListMustMatch) {
  ParameterSpec spec = {.name = "codes", .type = ParameterType::kTextList, .doc = ""};
  spec.pattern = *CompilePattern("^[A-Z]{2}$");
  std::optional<ValueProblem> problem;
  EXPECT_EQ(ParseParameter(spec, "FR,DE", "codes", problem),
            ParameterValue(std::vector<std::string>{"FR", "DE"}));
  EXPECT_EQ(ParseParameter(spec, "FR,d", "codes", problem), std::nullopt);
  EXPECT_TRUE(problem.has_value());
}

}  // namespace
}  // namespace caracal::pipeline
