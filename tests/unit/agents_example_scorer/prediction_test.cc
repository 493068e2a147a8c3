#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "agents/sdk/example/scorer/model.h"
#include "tests/unit/agents_example_scorer/fixture_files.h"

// What the libraries predicted themselves (fixtures/README.md), on rows a third of which lack
// values.
namespace scorer {
namespace {

using testing::ReadFixture;
using testing::Table;

constexpr double kTolerance = 1e-6;

class PredictionTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::vector<double> Score(Output output) {
    std::vector<double> scores(inputs_.rows);
    model_->Score(inputs_.values.data(), inputs_.rows, output, scores.data());
    return scores;
  }

  const std::unique_ptr<Model> model_ = Model::Parse(ReadFixture(GetParam() + ".json"));
  const Table inputs_ = Table("inputs.csv");
  const Table expected_ = Table(GetParam() + ".csv");
};

TEST_P(PredictionTest, EqualsThatOfTheLibrary) {
  ASSERT_EQ(inputs_.rows, 1'000U);
  ASSERT_EQ(expected_.rows, inputs_.rows);
  ASSERT_EQ(model_->inputs(), inputs_.columns);
  const std::vector<double> scores = Score(Output::kProbability);
  for (size_t row = 0; row < scores.size(); ++row) {
    ASSERT_NEAR(scores[row], expected_.At(row, 0), kTolerance) << "row " << row;
  }
  if (expected_.columns == 1) return;
  const std::vector<double> margins = Score(Output::kMargin);
  for (size_t row = 0; row < margins.size(); ++row) {
    ASSERT_NEAR(margins[row], expected_.At(row, 1), kTolerance) << "row " << row;
  }
}

TEST_P(PredictionTest, DoesNotDependOnTheBatch) {
  const std::vector<double> scores = Score(Output::kProbability);
  for (const size_t batch : {size_t{1}, size_t{3}, size_t{8}, size_t{13}, size_t{32}}) {
    std::vector<double> again(batch);
    for (size_t row = 0; row + batch <= scores.size(); row += batch) {
      model_->Score(&inputs_.values[row * inputs_.columns], batch, Output::kProbability,
                    again.data());
      for (size_t i = 0; i < batch; ++i) ASSERT_EQ(again[i], scores[row + i]) << row + i;
    }
  }
}

TEST_P(PredictionTest, KnowsTheNamesOfItsFeatures) {
  const std::vector<std::string> names = {"amount",          "burst.count", "hour_of_day",
                                          "far.distance_km", "usual.z",     "country=FR"};
  EXPECT_EQ(model_->names(), names);
}

INSTANTIATE_TEST_SUITE_P(
    Models, PredictionTest,
    ::testing::Values("scikit_learn_logistic", "xgboost_1_logistic_100_depth_3",
                      "xgboost_1_squared_1_depth_8", "xgboost_2_logistic_20_depth_4",
                      "xgboost_2_reg_logistic_10_depth_2", "xgboost_3_logistic_100_depth_2",
                      "xgboost_3_logistic_10_depth_1", "xgboost_3_logistic_leaves_only",
                      "xgboost_3_logistic_loss_guided", "xgboost_3_squared_10_depth_5"),
    [](const auto& test) { return test.param; });

}  // namespace
}  // namespace scorer
