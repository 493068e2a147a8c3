#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "agents/sdk/example/scorer/json_reader.h"
#include "agents/sdk/example/scorer/model.h"
#include "tests/unit/agents_example_scorer/fixture_files.h"

// Damaged models: refused with a sentence, or evaluated to a finite score. Meant for a sanitizer.
namespace scorer {
namespace {

constexpr int kMutations = 5'000;  // of each model
constexpr size_t kRows = 9;        // eight in lanes, one by itself

/// One to three edits: a byte, a stretch removed or doubled, a number replaced.
std::string Mutated(std::string text, std::mt19937& random) {
  const char* const kNumbers[] = {"-1",   "0",     "1e38", "-1e38", "1e-46", "65535", "4294967296",
                                  "2047", "1e400", "null", "[]",    "{}",    "\"1\"", "NaN"};
  for (uint32_t edit = 1 + random() % 3; edit > 0 && !text.empty(); --edit) {
    const size_t at = random() % text.size();
    const size_t length = random() % 12;
    switch (random() % 5) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text[at] = "0123456789-+.eE[]{},:\"\\"[random() % 23];
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(at, text.substr(random() % text.size(), length));
        break;
      default: {
        const size_t begin = text.find_first_of("-0123456789", at);
        if (begin == std::string::npos) break;
        const size_t end = text.find_first_not_of("-+.eE0123456789", begin);
        text.replace(begin, std::min(end, text.size()) - begin,
                     kNumbers[random() % std::size(kNumbers)]);
      }
    }
  }
  return text;
}

std::vector<double> RandomRows(size_t count, std::mt19937& random) {
  const double kExtremes[] = {std::numeric_limits<double>::quiet_NaN(),
                              std::numeric_limits<double>::infinity(),
                              -std::numeric_limits<double>::infinity(),
                              1e308,
                              -1e308,
                              0};
  std::vector<double> values(count);
  for (double& value : values) {
    value = random() % 2 == 0 ? kExtremes[random() % std::size(kExtremes)]
                              : (static_cast<double>(random() % 2'000) - 1'000) / 7;
  }
  return values;
}

class ModelMutationTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ModelMutationTest, IsRefusedOrEvaluatesToAFiniteScore) {
  const auto seed = static_cast<uint32_t>(::testing::UnitTest::GetInstance()->random_seed() + 1);
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string original = testing::ReadFixture(GetParam());
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    std::unique_ptr<Model> model;
    try {
      model = Model::Parse(Mutated(original, random));
    } catch (const ModelError& error) {
      ASSERT_STRNE(error.what(), "");
      ++refused;
      continue;
    }
    ++accepted;
    const std::vector<double> rows = RandomRows(kRows * model->inputs(), random);
    for (const Output output : {Output::kProbability, Output::kMargin}) {
      double scores[kRows];
      model->Score(rows.data(), kRows, output, scores);
      for (const double score : scores) {
        ASSERT_TRUE(std::isfinite(score) || GetParam() == "scikit_learn_logistic.json") << i;
        ASSERT_FALSE(std::isinf(score)) << i;
      }
    }
  }
  EXPECT_GT(accepted, kMutations / 100);
  EXPECT_GT(refused, kMutations / 4);
}

INSTANTIATE_TEST_SUITE_P(Models, ModelMutationTest,
                         ::testing::Values("xgboost_3_logistic_10_depth_1.json",
                                           "xgboost_3_logistic_leaves_only.json",
                                           "scikit_learn_logistic.json"),
                         [](const auto& test) {
                           return test.param.substr(0, test.param.find('.'));
                         });

}  // namespace
}  // namespace scorer
