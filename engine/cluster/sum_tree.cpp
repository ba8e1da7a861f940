#include "engine/cluster/sum_tree.h"

#include <algorithm>

namespace quadgate::cluster {
namespace {

bool is_right_half(TreeNode node) noexcept { return node.index % 2 == 1; }
TreeNode left_of(TreeNode node) noexcept { return {node.level, node.index - 1}; }
TreeNode above(TreeNode node) noexcept { return {node.level + 1, node.index / 2}; }

/// Whether the node above is the same sum, since no shard is right of this one.
bool is_alone(TreeNode node, std::int64_t shards) noexcept {
  return node.index > 0 && !is_right_half(node) && (node.index + 1) << node.level >= shards;
}

}  // namespace

void TreeSum::add(TreeNode node, std::span<const float> values) {
  begin(node, values.data());
  add_range({0, values.size()});
}

void TreeSum::begin(TreeNode node, const float* values) {
  additions_.clear();
  for (;; node = above(node)) {
    if (is_alone(node, shards_)) continue;
    if (!is_right_half(node) || parts_.empty() || parts_.back().node != left_of(node)) break;
    const float* const left = parts_.back().values;
    parts_.pop_back();
    float* const sum = memory(parts_.size());
    additions_.push_back({left, values, sum});
    values = sum;
  }
  parts_.push_back({node, values});
}

void TreeSum::add_range(FlatRange range) const noexcept {
  const auto [begin, size] = range;
  for (const auto& [left, right, sum] : additions_) {
    add_arrays({left + begin, size}, right + begin, sum + begin);
  }
}

void TreeSum::keep(std::size_t size) {
  const std::size_t last = parts_.size() - 1;
  float* const mine = memory(last);
  if (parts_[last].values == mine) return;
  std::copy_n(parts_[last].values, size, mine);
  parts_[last].values = mine;
}

float* TreeSum::memory(std::size_t part) {
  while (memory_.size() <= part) memory_.emplace_back(size_);
  return memory_[part].data();
}

std::vector<TreeNode> subtrees(std::int64_t first, std::int64_t last, std::int64_t shards) {
  TreeSum sum(0, shards);
  for (std::int64_t shard = first; shard < last; ++shard) sum.add({0, shard}, {});
  std::vector<TreeNode> nodes;
  for (const TreeSum::Part& part : sum.parts()) nodes.push_back(part.node);
  return nodes;
}

// The two loops are the same: the compiler makes vectors of each, knowing what may overlap.
void add_arrays(std::span<const float> left, const float* right, float* sum) noexcept {
  if (left.data() == sum) {
    for (std::size_t i = 0; i < left.size(); ++i) sum[i] += right[i];
  } else {
    for (std::size_t i = 0; i < left.size(); ++i) sum[i] = left[i] + right[i];
  }
}

}  // namespace quadgate::cluster
