#include "agents/sdk/example/scorer/forest.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "agents/sdk/example/scorer/json_reader.h"

namespace scorer {
namespace {

constexpr size_t kFeatures = 5;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

Tree Leaf(float value) { return {{-1}, {-1}, {0}, {value}, {false}}; }

/// Feature 0 below `threshold`: 1, else 2.
Tree Stump(float threshold, bool default_left) {
  return {{1, -1, -1}, {2, -1, -1}, {0, 0, 0}, {threshold, 1, 2}, {default_left, false, false}};
}

/// The chain of `depth` inner nodes, each with a leaf to the left.
Tree Chain(size_t depth) {
  Tree tree = Leaf(0);
  for (size_t i = 0; i < depth; ++i) {
    const size_t last = tree.left.size() - 1;
    tree.left[last] = static_cast<int64_t>(last) + 1;
    tree.right[last] = static_cast<int64_t>(last) + 2;
    for (int child = 0; child < 2; ++child) {
      tree.left.push_back(-1);
      tree.right.push_back(-1);
      tree.feature.push_back(0);
      tree.threshold.push_back(static_cast<float>(i));
      tree.default_left.push_back(false);
    }
  }
  return tree;
}

/// Nodes in a random order, some of them reached by none.
Tree RandomTree(std::mt19937& random, int depth) {
  Tree tree = Leaf(0);
  std::vector<std::pair<size_t, int>> open = {{0, depth}};
  std::uniform_int_distribution<int> value(-8, 8);
  while (!open.empty()) {
    const size_t at = random() % open.size();
    const auto [node, levels] = open[at];
    open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
    tree.threshold[node] = static_cast<float>(value(random)) / 4;
    tree.feature[node] = static_cast<int64_t>(random() % kFeatures);
    tree.default_left[node] = random() % 2 == 0;
    if (levels == 0 || random() % 6 == 0) continue;
    for (std::vector<int64_t>* side : {&tree.right, &tree.left}) {
      const size_t child = tree.left.size() + random() % 2;
      tree.left.resize(child + 1, -1);
      tree.right.resize(child + 1, -1);
      tree.feature.resize(child + 1, 99);
      tree.threshold.resize(child + 1, std::numeric_limits<float>::quiet_NaN());
      tree.default_left.resize(child + 1);
      (*side)[node] = static_cast<int64_t>(child);
      open.emplace_back(child, levels - 1);
    }
  }
  return tree;
}

/// As XGBoost documents it, node by node.
float Walk(const Tree& tree, const double* row) {
  size_t node = 0;
  while (tree.left[node] != -1) {
    const double value = row[tree.feature[node]];
    const bool left = std::isnan(value) ? tree.default_left[node]
                                        : static_cast<float>(value) < tree.threshold[node];
    node = static_cast<size_t>(left ? tree.left[node] : tree.right[node]);
  }
  return tree.threshold[node];
}

std::string Refusal(const Tree& tree) {
  Forest forest(kFeatures, 0);
  try {
    forest.AddTree(tree);
    return "";
  } catch (const ModelError& error) {
    return error.what();
  }
}

float SumOf(const Tree& tree, double value) {
  Forest forest(1, 0);
  forest.AddTree(tree);
  float sum = 0;
  forest.Sum(&value, 1, &sum);
  return sum;
}

TEST(ForestTest, GoesLeftBelowTheThresholdOnly) {
  const Tree tree = Stump(0.1F, false);
  EXPECT_EQ(SumOf(tree, 0.09), 1);
  EXPECT_EQ(SumOf(tree, static_cast<double>(0.1F)), 2);
  EXPECT_EQ(SumOf(tree, 0.1), 2) << "the value counts as a 32-bit float, as the threshold does";
  EXPECT_EQ(SumOf(tree, 0.11), 2);
}

TEST(ForestTest, SendsAMissingValueWhereTheNodeSays) {
  EXPECT_EQ(SumOf(Stump(0, true), kMissing), 1);
  EXPECT_EQ(SumOf(Stump(0, false), kMissing), 2);
}

TEST(ForestTest, AValueBeyondAFloatIsBeyondEveryThreshold) {
  const float largest = std::numeric_limits<float>::max();
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(SumOf(Stump(largest, true), infinity), 2);
  EXPECT_EQ(SumOf(Stump(largest, false), -infinity), 1);
  EXPECT_EQ(SumOf(Stump(largest, true), 1e300), 2);
  EXPECT_EQ(SumOf(Stump(-largest, false), -1e300), 1);
}

TEST(ForestTest, StartsAtTheBaseAndAddsInTheOrderOfTheTrees) {
  Forest forest(1, 1e8F);
  for (const float leaf : {3.0F, 3.0F, -1e8F}) forest.AddTree(Leaf(leaf));
  const double row = 0;
  float sum = 0;
  forest.Sum(&row, 1, &sum);
  EXPECT_EQ(sum, ((1e8F + 3.0F) + 3.0F) - 1e8F);
}

TEST(ForestTest, AgreesWithAWalkNodeByNode) {
  const auto seed = static_cast<uint32_t>(::testing::UnitTest::GetInstance()->random_seed() + 1);
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 40; ++round) {
    const size_t tree_count = 1 + random() % 20;
    const int depth = static_cast<int>(random() % 9);
    std::vector<Tree> trees;
    Forest forest(kFeatures, 0.25F);
    for (size_t i = 0; i < tree_count; ++i) {
      trees.push_back(RandomTree(random, depth));
      forest.AddTree(trees.back());
    }
    const size_t rows = random() % 80;
    std::vector<double> values(rows * kFeatures);
    for (double& value : values) {
      value = random() % 4 == 0 ? kMissing : (static_cast<double>(random() % 40) - 20) / 8;
    }
    std::vector<float> sums(rows);
    forest.Sum(values.data(), rows, sums.data());
    for (size_t row = 0; row < rows; ++row) {
      float expected = 0.25F;
      for (const Tree& tree : trees) expected += Walk(tree, &values[row * kFeatures]);
      ASSERT_EQ(sums[row], expected) << "round " << round << ", row " << row;
    }
  }
}

TEST(ForestTest, RefusesWhatIsNoTree) {
  Tree tree = Stump(0, false);
  tree.right[0] = 3;
  EXPECT_EQ(Refusal(tree), "tree 0 has a child 3, but its nodes are 0 to 2");
  tree.right[0] = -2;
  EXPECT_EQ(Refusal(tree), "tree 0 has a child -2, but its nodes are 0 to 2");
  tree.right[0] = 1;
  EXPECT_EQ(Refusal(tree), "tree 0 reaches node 1 twice: it is no tree");
  tree.right[0] = 0;
  EXPECT_EQ(Refusal(tree), "tree 0 reaches node 0 twice: it is no tree");
  tree = Stump(0, false);
  tree.right[1] = 2;
  EXPECT_EQ(Refusal(tree), "tree 0 has a right child alone at node 1");
  tree = Stump(0, false);
  tree.feature[0] = kFeatures;
  EXPECT_EQ(Refusal(tree), "tree 0 asks for feature 5 at node 0, but the model has 5");
  EXPECT_EQ(Refusal(Stump(std::numeric_limits<float>::quiet_NaN(), false)),
            "tree 0 has a threshold at node 0 that is no finite number");
  EXPECT_EQ(Refusal({}), "tree 0 has no nodes");
}

TEST(ForestTest, KeepsItsLimits) {
  EXPECT_EQ(Refusal(Chain(Forest::kMaxDepth)), "");
  EXPECT_EQ(Refusal(Chain(Forest::kMaxDepth + 1)), "tree 0 is deeper than 256 levels");

  Tree tree = Leaf(0);
  tree.left.resize(Forest::kMaxTreeNodes + 1, -1);
  EXPECT_EQ(Refusal(tree), "tree 0 makes more than 65535 nodes of one tree");

  Forest forest(1, 0);
  for (size_t i = 0; i < Forest::kMaxTrees; ++i) forest.AddTree(Leaf(0));
  EXPECT_THROW(forest.AddTree(Leaf(0)), ModelError);

  Forest large(1, 0);
  const Tree chain = Chain(Forest::kMaxDepth);
  while (large.nodes() + chain.left.size() <= Forest::kMaxNodes) large.AddTree(chain);
  EXPECT_THROW(large.AddTree(chain), ModelError);
}

TEST(ForestTest, RefusesSumsThatAreNotFinite) {
  Forest forest(1, 0);
  forest.AddTree(Leaf(1e38F));
  EXPECT_THROW(forest.AddTree(Leaf(-1e38F)), ModelError);
}

}  // namespace
}  // namespace scorer
