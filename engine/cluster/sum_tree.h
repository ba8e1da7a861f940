#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/parameters.h"

namespace quadgate::cluster {

/// A node of the tree in which shards are added up: those of [index << level, (index + 1) <<
/// level). It is the sum of its two halves, or the left one where there are no shards in the right
/// one. So [begin, end) splits at begin + the largest power of two below end - begin.
struct TreeNode {
  int level = 0;  ///< 0: a shard
  std::int64_t index = 0;

  bool operator==(const TreeNode&) const = default;
};

/// Adds up arrays of nodes that come from left to right, each as soon as its neighbour is there:
/// the bits of a sum depend on the shards alone, not on where they are cut into several of these
/// sums. Each addition is a plain one of floats.
class TreeSum {
 public:
  /// An addend that does nothing to any number, signed zeros too: that of a shard without rows.
  static constexpr float kAbsent = -0.0F;

  /// Of arrays of at most `size` floats.
  TreeSum(std::size_t size, std::int64_t shards) : size_(size), shards_(shards) {}

  /// A subtree that is complete, and the sum of its shards.
  struct Part {
    TreeNode node;
    const float* values = nullptr;
  };
  /// Complete subtrees, none of which are two halves of a node, from left to right.
  std::span<const Part> parts() const noexcept { return parts_; }

  void clear() noexcept { parts_.clear(); }
  /// Adds the node right of all parts. All arrays of a sum have one size. `values` stays until the
  /// sum is cleared, or until keep().
  void add(TreeNode node, std::span<const float> values);
  /// The same, but parts() are not right before add_range() was called for all of the array.
  void begin(TreeNode node, const float* values);
  /// Any threads may call it for ranges that have nothing in common.
  void add_range(FlatRange range) const noexcept;
  /// Copies what was added last, if it is still the caller's.
  void keep(std::size_t size);

 private:
  struct Addition {
    const float* left;
    const float* right;
    float* sum;
  };

  float* memory(std::size_t part);

  std::size_t size_;
  std::int64_t shards_;
  std::vector<Part> parts_;
  std::vector<Addition> additions_;  // of the last node
  std::vector<Buffer> memory_;       // of each part, once it was needed
};

/// The nodes that make up shards [first, last) of `shards`, from left to right.
std::vector<TreeNode> subtrees(std::int64_t first, std::int64_t last, std::int64_t shards);

/// sum = left + right. `sum` may be `left`.
void add_arrays(std::span<const float> left, const float* right, float* sum) noexcept;

}  // namespace quadgate::cluster
