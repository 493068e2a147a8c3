#include "forest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "json_reader.h"

namespace scorer {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr double kLargestSum = std::numeric_limits<float>::max() / 2;

/// A node that was reached: where it is, and how far from the root.
struct Reached {
  size_t node;
  uint32_t depth;
};

class TreeCheck {
 public:
  TreeCheck(const Tree& tree, size_t features, size_t number)
      : tree_(tree), features_(features), number_(number), seen_(tree.left.size()) {}

  /// The nodes in breadth-first order; the children of one are neighbours.
  std::vector<Reached> Walk() {
    if (tree_.left.empty()) Refuse("has no nodes");
    std::vector<Reached> order;
    Reach(0, 0, order);
    for (size_t i = 0; i < order.size(); ++i) {
      const Reached at = order[i];
      CheckNode(at.node);
      if (IsLeaf(at.node)) continue;
      Reach(tree_.left[at.node], at.depth + 1, order);
      Reach(tree_.right[at.node], at.depth + 1, order);
    }
    return order;
  }

  bool IsLeaf(size_t node) const { return tree_.left[node] == -1; }

  [[noreturn]] void Refuse(const std::string& what) const {
    throw ModelError("tree " + std::to_string(number_) + " " + what);
  }

 private:
  void Reach(int64_t node, uint32_t depth, std::vector<Reached>& order) {
    if (node < 0 || static_cast<size_t>(node) >= seen_.size()) {
      Refuse("has a child " + std::to_string(node) + ", but its nodes are 0 to " +
             std::to_string(seen_.size() - 1));
    }
    if (seen_[node]) Refuse("reaches node " + std::to_string(node) + " twice: it is no tree");
    if (depth > Forest::kMaxDepth) {
      Refuse("is deeper than " + std::to_string(Forest::kMaxDepth) + " levels");
    }
    seen_[node] = true;
    order.push_back({static_cast<size_t>(node), depth});
  }

  void CheckNode(size_t node) const {
    const std::string name = "node " + std::to_string(node);
    if (!std::isfinite(tree_.threshold[node])) {
      Refuse("has a threshold at " + name + " that is no finite number");
    }
    if (IsLeaf(node)) {
      if (tree_.right[node] != -1) Refuse("has a right child alone at " + name);
      return;
    }
    if (tree_.feature[node] < 0 || static_cast<size_t>(tree_.feature[node]) >= features_) {
      Refuse("asks for feature " + std::to_string(tree_.feature[node]) + " at " + name +
             ", but the model has " + std::to_string(features_));
    }
  }

  const Tree& tree_;
  const size_t features_;
  const size_t number_;
  std::vector<bool> seen_;
};

}  // namespace

Forest::Forest(size_t features, float base)
    : features_(features),
      base_(base),
      bound_(std::abs(base)),
      blocks_(kTileBlocks * block_cells(), -kInfinity) {}

void Forest::AddTree(const Tree& tree) {
  TreeCheck check(tree, features_, roots_.size());
  const auto limit = [&check](size_t count, size_t most, const char* what) {
    if (count > most) check.Refuse("makes more than " + std::to_string(most) + what);
  };
  limit(roots_.size() + 1, kMaxTrees, " trees");
  limit(tree.left.size(), kMaxTreeNodes, " nodes of one tree");
  const std::vector<Reached> order = check.Walk();
  limit(nodes_.size() + order.size(), kMaxNodes, " nodes of all trees");

  const auto leaf_cell = static_cast<uint16_t>(2 * features_ * kLanes);
  roots_.push_back({static_cast<uint32_t>(nodes_.size()), order.back().depth});
  double largest_leaf = 0;
  size_t next_child = 1;
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t node = order[i].node;
    const float threshold = tree.threshold[node];
    if (check.IsLeaf(node)) {
      nodes_.push_back({threshold, leaf_cell, 0});
      largest_leaf = std::max(largest_leaf, std::abs(static_cast<double>(threshold)));
      continue;
    }
    const size_t slot =
        2 * static_cast<size_t>(tree.feature[node]) + (tree.default_left[node] ? 0 : 1);
    nodes_.push_back(
        {threshold, static_cast<uint16_t>(slot * kLanes), static_cast<uint16_t>(next_child - i)});
    next_child += 2;
  }
  bound_ += largest_leaf;
  if (bound_ > kLargestSum) check.Refuse("makes sums possible that no 32-bit float can hold");
}

// A leaf compares -infinity with its value, which is never above: it stays where it is.
template <size_t kLaneCells>
void Forest::Descend(const Node* (&paths)[kLanes], const float* block, uint32_t depth) noexcept {
  for (; depth > 0; --depth) {
#pragma GCC unroll 8
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const Node* node = paths[lane];
      const bool right = block[node->cell + lane * kLaneCells] >= node->threshold;
      paths[lane] = node + node->step + right;
    }
  }
}

// The two comparisons are false for a NaN.
void Forest::FillLane(const double* row, float* lane) const noexcept {
  for (size_t i = 0; i < features_; ++i, lane += 2 * kLanes) {
    const auto value = static_cast<float>(row[i]);
    lane[0] = value > -kInfinity ? value : -kInfinity;
    lane[kLanes] = value < kInfinity ? value : kInfinity;
  }
}

void Forest::SumTile(const double* rows, size_t blocks, float* sums) noexcept {
  for (size_t i = 0; i < blocks * kLanes; ++i) {
    FillLane(rows + i * features_, &blocks_[i / kLanes * block_cells() + i % kLanes]);
  }
  std::fill_n(sums, blocks * kLanes, base_);
  for (const Root& root : roots_) {
    const Node* first = &nodes_[root.node];
    for (size_t block = 0; block < blocks; ++block) {
      const Node* paths[kLanes];
#pragma GCC unroll 8
      for (const Node*& path : paths) path = first;
      Descend<1>(paths, &blocks_[block * block_cells()], root.depth);
      float* sum = sums + block * kLanes;
#pragma GCC unroll 8
      for (size_t lane = 0; lane < kLanes; ++lane) sum[lane] += paths[lane]->threshold;
    }
  }
}

void Forest::SumRow(const double* row, float* sum) noexcept {
  FillLane(row, blocks_.data());
  *sum = base_;
  for (size_t first = 0; first < roots_.size(); first += kLanes) {
    const size_t count = std::min(kLanes, roots_.size() - first);
    const Node* paths[kLanes];
    uint32_t depth = 0;
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const Root& root = roots_[first + std::min(lane, count - 1)];
      paths[lane] = &nodes_[root.node];
      depth = std::max(depth, root.depth);
    }
    Descend<0>(paths, blocks_.data(), depth);
    for (size_t lane = 0; lane < count; ++lane) *sum += paths[lane]->threshold;
  }
}

void Forest::Sum(const double* rows, size_t count, float* sums) noexcept {
  while (count >= kLanes) {
    const size_t blocks = std::min(count / kLanes, kTileBlocks);
    SumTile(rows, blocks, sums);
    rows += blocks * kLanes * features_;
    sums += blocks * kLanes;
    count -= blocks * kLanes;
  }
  for (; count > 0; --count, rows += features_) SumRow(rows, sums++);
}

}  // namespace scorer
