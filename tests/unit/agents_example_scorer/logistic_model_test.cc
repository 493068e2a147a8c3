#include "agents/sdk/example/scorer/logistic_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "agents/sdk/example/scorer/json_reader.h"

namespace scorer {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

double Margin(const std::string& json, std::vector<double> row) {
  const auto model = Model::Parse(json);
  EXPECT_EQ(model->inputs(), row.size());
  double score = 0;
  model->Score(row.data(), 1, Output::kMargin, &score);
  return score;
}

std::string Refusal(const std::string& json) {
  try {
    Model::Parse(json);
    return "";
  } catch (const ModelError& error) {
    return error.what();
  }
}

TEST(LogisticModelTest, AddsStandardisedValues) {
  EXPECT_EQ(Margin(R"({"type": "logistic", "intercept": -1, "coefficients": {"b": 2, "a": 3},
                      "mean": {"a": 10}, "scale": {"a": 4}})",
                   {5, 12}),
            -1 + 2 * 5 + 3 * ((12.0 - 10) / 4));
}

TEST(LogisticModelTest, IsAProbabilityUnlessTheMarginIsAskedFor) {
  const auto model =
      Model::Parse(R"({"intercept": 2, "coefficients": {"a": 0}, "type": "logistic"})");
  EXPECT_TRUE(model->is_classifier());
  const double row = 7;
  double score = 0;
  model->Score(&row, 1, Output::kProbability, &score);
  EXPECT_NEAR(score, 1 / (1 + std::exp(-2.0)), 1e-15);
}

TEST(LogisticModelTest, MissingValuesAreReplacedOrLeaveNoScore) {
  const std::string json = R"({"type": "logistic", "intercept": 0.5,
      "coefficients": {"a": 1, "b": 1}, "missing": {"a": 7}})";
  EXPECT_EQ(Margin(json, {kMissing, 2}), 9.5);
  EXPECT_TRUE(std::isnan(Margin(json, {1, kMissing})));
}

TEST(LogisticModelTest, StaysFinite) {
  const std::string json = R"({"type": "logistic", "intercept": 0,
      "coefficients": {"a": 1e60, "b": -1e60}, "scale": {"a": 1e-60, "b": 1e-60}})";
  EXPECT_TRUE(std::isfinite(Margin(json, {std::numeric_limits<double>::infinity(), 1e308})));
}

TEST(LogisticModelTest, RefusesWithASentence) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"type": "logistic", "coefficients": {"a": 1}})", "there is no intercept"},
      {R"({"type": "logistic", "intercept": 1})", "there are no coefficients"},
      {R"({"type": "logistic", "intercept": 1, "coefficients": {}})", "there are no coefficients"},
      {R"({"type": "logistic", "intercept": 1, "coefficients": {"a": 1}, "mean": {"b": 1}})",
       "mean names 'b', which has no coefficient"},
      {R"({"type": "logistic", "intercept": 1, "coefficients": {"a": 1}, "scale": {"a": 0}})",
       "the scale of 'a' is below 1e-60"},
      {R"({"type": "logistic", "intercept": 1, "coefficients": {"a": 1, "a": 2}})",
       "line 1, column 69: 'a' is there twice"},
      {R"({"type": "logistic", "intercept": 1e61})",
       "line 1, column 39: the number is larger than 1e60"},
      {R"({"type": "logistic", "penalty": 1})",
       "line 1, column 32: 'penalty' is unknown; a logistic model has type, intercept, "
       "coefficients, mean, scale, missing"},
      {R"({"type": "linear"})",
       "the type 'linear' is unknown; there are 'logistic', and models of XGBoost, which have "
       "none"},
  };
  for (const auto& [json, sentence] : cases) EXPECT_EQ(Refusal(json), sentence) << json;
}

}  // namespace
}  // namespace scorer
