#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace scorer {

/// A regression tree as XGBoost's JSON has it: arrays by node, the root first. A leaf has -1 for
/// its children, and its value where an inner node has its threshold.
struct Tree {
  std::vector<int64_t> left;
  std::vector<int64_t> right;
  std::vector<int64_t> feature;
  std::vector<float> threshold;
  std::vector<bool> default_left;  ///< where a missing value goes
};

/// Adds up the leaves a row of features reaches in every tree, as XGBoost does: a value below the
/// threshold goes left, a missing one where the node says, and the sum is made of 32-bit floats in
/// the order of the trees. The result is the same to the last bit.
///
/// A node has 8 bytes and the nodes of a tree are in breadth-first order, so that a tree of depth 6
/// has 1 KiB. Eight paths are followed at a time, to wait for memory once instead of eight times:
/// those of eight rows in one tree, or of one row in eight trees. A step has no branch: a leaf is
/// its own child, and each feature is held twice, for the two ways a missing value can go.
///
/// One thread: Sum uses scratch memory of the object. AddTree throws ModelError.
class Forest {
 public:
  static constexpr size_t kMaxFeatures = 2'047;
  static constexpr size_t kMaxTrees = 10'000;
  static constexpr size_t kMaxTreeNodes = 65'535;
  static constexpr size_t kMaxNodes = 1'000'000;  ///< of all trees: 8 MB
  static constexpr size_t kMaxDepth = 256;

  /// `features` is at most kMaxFeatures. `base` is where sums start.
  Forest(size_t features, float base);

  /// The arrays have the same length. Throws when they are no tree, a number is not finite, or one
  /// of the limits above is reached.
  void AddTree(const Tree& tree);

  /// sums[i] for the row that begins at rows + i * features(); a NaN is a missing value, and a
  /// value that no 32-bit float can hold is infinite: beyond every threshold.
  void Sum(const double* rows, size_t count, float* sums) noexcept;

  size_t features() const { return features_; }
  size_t trees() const { return roots_.size(); }
  size_t nodes() const { return nodes_.size(); }

 private:
  static constexpr size_t kLanes = 8;
  static constexpr size_t kTileBlocks = 4;

  struct Node {
    float threshold;  // of a leaf: its value
    uint16_t cell;    // of the feature in a block, for its first lane
    uint16_t step;    // to the left child, which the right one follows; 0 = leaf
  };
  struct Root {
    uint32_t node;
    uint32_t depth;
  };

  template <size_t kLaneCells>
  static void Descend(const Node* (&paths)[kLanes], const float* block, uint32_t depth) noexcept;
  size_t block_cells() const { return (2 * features_ + 1) * kLanes; }
  void FillLane(const double* row, float* lane) const noexcept;
  void SumTile(const double* rows, size_t blocks, float* sums) noexcept;
  void SumRow(const double* row, float* sum) noexcept;

  const size_t features_;
  const float base_;
  double bound_;  // no sum is larger
  std::vector<Node> nodes_;
  std::vector<Root> roots_;
  // kTileBlocks blocks: of each feature twice, and of -infinity, which leaves compare with, a value
  // for each of kLanes rows.
  std::vector<float> blocks_;
};

}  // namespace scorer
