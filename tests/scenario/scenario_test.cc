#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/scenario/scenario_check.h"
#include "tests/scenario/scenario_files.h"

/// Every file in cases/ is a test of that name.
namespace caracal::pipeline {
namespace {

const std::string kFolder = std::string(CARACAL_TEST_DATA) + "/cases";
const std::string kRoot =
    std::filesystem::path(CARACAL_TEST_DATA).parent_path().parent_path().string();

class ScenarioTest : public testing::TestWithParam<std::string> {};

TEST_P(ScenarioTest, Holds) {
  const std::string path = kFolder + "/" + GetParam() + ".yaml";
  std::ifstream file(path);
  ASSERT_TRUE(file.is_open());
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const std::string& problem : ProblemsOf(path, text, kRoot)) ADD_FAILURE() << problem;
}

INSTANTIATE_TEST_SUITE_P(, ScenarioTest, testing::ValuesIn(ScenarioNames(kFolder)),
                         [](const auto& scenario) { return scenario.param; });

TEST(ScenarioFolderTest, HoldsScenariosAndNothingElse) {
  EXPECT_THAT(ScenarioNames(kFolder), testing::Not(testing::IsEmpty()));
  EXPECT_THAT(StrangersIn(kFolder), testing::IsEmpty());
}

}  // namespace
}  // namespace caracal::pipeline
