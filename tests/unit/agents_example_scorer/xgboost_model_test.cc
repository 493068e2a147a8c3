#include "agents/sdk/example/scorer/xgboost_model.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/sdk/example/scorer/json_reader.h"
#include "tests/unit/agents_example_scorer/fixture_files.h"

namespace scorer {
namespace {

using testing::Edited;
using testing::ReadFixture;

std::string Refusal(const std::string& json) {
  try {
    Model::Parse(json);
    return "";
  } catch (const ModelError& error) {
    return error.what();
  }
}

TEST(XgboostModelTest, ReadsWhatTheFileHolds) {
  const auto model = XgboostModel::Parse(ReadFixture("xgboost_3_logistic_10_depth_1.json"));
  EXPECT_EQ(model->inputs(), 6U);
  EXPECT_EQ(model->forest().trees(), 10U);
  EXPECT_EQ(model->forest().nodes(), 30U);
  EXPECT_TRUE(model->is_classifier());
  EXPECT_FALSE(
      XgboostModel::Parse(ReadFixture("xgboost_1_squared_1_depth_8.json"))->is_classifier());
}

TEST(XgboostModelTest, ReadsFlagsAndNumbersInTheWaysTheyHaveBeenWritten) {
  const std::string model = ReadFixture("xgboost_3_logistic_10_depth_1.json");
  EXPECT_EQ(Refusal(Edited(model, R"("default_left":[0,0,0])", R"("default_left":[true,false,0])")),
            "");
  EXPECT_EQ(Refusal(Edited(model, "[7.5E-1]", "7.5E-1")), "");
  EXPECT_EQ(Refusal(Edited(model, R"("num_trees":"10")", R"("num_trees":10)")), "");
}

TEST(XgboostModelTest, PassesOverNumbersThatDecideNothing) {
  const std::string model = ReadFixture("xgboost_3_logistic_10_depth_1.json");
  EXPECT_EQ(Refusal(Edited(model, R"("sum_hessian":[)", R"("sum_hessian":[NaN,-Infinity,)")), "");
}

TEST(XgboostModelTest, ComparesInSinglePrecision) {
  const auto model = XgboostModel::Parse(ReadFixture("xgboost_3_logistic_10_depth_1.json"));
  EXPECT_EQ(model->Rounded(0.9), static_cast<double>(0.9F));
}

/// Every refusal: what of a good model is replaced, by what, and a part of the sentence.
struct Edit {
  const char* from;
  const char* to;
  const char* sentence;
};

TEST(XgboostModelTest, RefusesWhatItWouldNotEvaluateExactly) {
  const std::string model = ReadFixture("xgboost_3_logistic_10_depth_1.json");
  ASSERT_EQ(Refusal(model), "");
  const Edit edits[] = {
      {R"("name":"gbtree")", R"("name":"dart")", "the booster is 'dart'; only gbtree"},
      {R"("name":"gbtree")", R"("name":"gblinear")", "the booster is 'gblinear'; only gbtree"},
      {"binary:logistic", "multi:softprob", "the objective is 'multi:softprob'; binary:logistic"},
      {R"("num_class":"0")", R"("num_class":"3")", "several outputs"},
      {R"("num_target":"1")", R"("num_target":"2")", "several outputs"},
      {R"("tree_info":[0,0)", R"("tree_info":[0,1)", "several outputs"},
      {R"("size_leaf_vector":"1")", R"("size_leaf_vector":"2")", "trees with several outputs"},
      {R"("split_type":[0,0,0])", R"("split_type":[1,0,0])", "categorical splits"},
      {R"("categories":[])", R"("categories":[3])", "categorical splits"},
      {R"("version":[3)", R"("version":[4)", "saved by XGBoost 4; models of XGBoost 1, 2 and 3"},
      {R"("version":[3)", R"("versions":[3)", "there is no 'version'"},
      {"[7.5E-1]", "[5E-1,5E-1]", "several base_score"},
      {"[7.5E-1]", "[1E0]", "base_score is [1E0]; a probability lies between 0 and 1"},
      {"[7.5E-1]", "half", "base_score: line 1, column 1: there should be a number"},
      {"[7.5E-1]", "[]", "there is no base_score"},
      {R"("num_trees":"10")", R"("num_trees":"11")", "num_trees is 11, but there are 10 trees"},
      {R"("num_feature":"6","num_target")", R"("num_feature":"5","num_target")",
       "there are 6 feature_names, but 5 features"},
      {R"("num_feature":"6","num_target")", R"("num_feature":"9999","num_target")",
       "num_feature should be 1 to 2047"},
      {R"("num_feature":"6","num_target")", R"("num_feature":"six","num_target")",
       "there should be an integer"},
      {R"("left_children":[1,-1,-1])", R"("left_children":[1,-1])",
       "tree 0 has 2 left_children, but 3 right_children"},
      {R"("left_children":[1,-1,-1],)", "", "tree 0 has 0 left_children"},
      {R"("split_conditions":[)", R"("split_conditions":[0,)", "but 4 split_conditions"},
      {R"("split_conditions":[)", R"("conditions":[)", "but 0 split_conditions"},
      {R"("split_indices":[1,)", R"("split_indices":[)", "but 2 split_indices"},
      {R"("default_left":[0,)", R"("default_left":[0,0,)", "but 4 default_left"},
      {R"("default_left":[0,)", R"("default_left":[2,)", "there should be true, false, 0 or 1"},
      {R"("split_conditions":[8E0)", R"("split_conditions":[NaN)",
       "tree 0 has a threshold at node 0 that is no finite number"},
      {"[7.5E-1]", "[NaN]", "base_score is [NaN]"},
      {R"("split_conditions":[8E0)", R"("split_conditions":[8E40)", "does not fit into 32 bits"},
      {R"("right_children":[2)", R"("right_children":[9)", "tree 0 has a child 9"},
      {R"("right_children":[2)", R"("right_children":[0)", "tree 0 reaches node 0 twice"},
      {R"("split_indices":[1)", R"("split_indices":[6)", "asks for feature 6 at node 0"},
      {R"("trees":[)", R"("shrubs":[)", "the model has no trees"},
      {R"("learner":)", R"("teacher":)", "the booster is ''"},
  };
  for (const Edit& edit : edits) {
    const std::string refusal = Refusal(Edited(model, edit.from, edit.to));
    EXPECT_NE(refusal.find(edit.sentence), std::string::npos)
        << edit.from << " -> " << edit.to << ": '" << refusal << "'";
  }
}

TEST(XgboostModelTest, RefusesOtherFormats) {
  EXPECT_EQ(Refusal(""), "the file is empty");
  EXPECT_EQ(Refusal("\x1F\x8B\x08"), "the file is compressed; unpack it (gunzip)");
  EXPECT_EQ(Refusal(std::string("{L\0\0\0\0\0\0\0\7learner", 17)),
            "this is XGBoost's binary format; save the model as JSON: "
            "booster.save_model(\"model.json\")");
  EXPECT_EQ(Refusal("{}"),
            "there is no 'version': it is no model saved by XGBoost, nor has it a 'type'");
}

TEST(XgboostModelTest, RefusesATruncatedFileAtEveryLength) {
  std::string model = ReadFixture("xgboost_3_logistic_leaves_only.json");
  while (model.back() != '}') model.pop_back();
  ASSERT_EQ(Refusal(model), "");
  for (size_t size = 0; size < model.size(); ++size) {
    ASSERT_NE(Refusal(model.substr(0, size)), "") << size;
  }
}

}  // namespace
}  // namespace scorer
