#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "io/graph/tensor.h"

namespace quadgate::graph {

/// A dimension of an array: the axes of what a model computes (steps, sequences, features, ...)
/// that it runs over, the last one fastest. Empty: its size is 1.
using Dimension = std::vector<int>;
using Dimensions = std::vector<Dimension>;

/// The sizes of the axes of a graph's arrays. Dimensions may hold axes of size 1; they compare
/// equal without.
class Axes {
 public:
  /// A dimension of one new axis, 0 if its size varies; of none if its size is 1.
  Dimension add(std::int64_t size);

  Integer size_of(const Dimension& dimension) const;
  Integers sizes_of(const Dimensions& dimensions) const;
  /// A number in whose place axes stood whose sizes are known by now.
  Integer resolve(const Integer& number) const;
  /// Without axes of size 1.
  Dimension without_ones(const Dimension& dimension) const;
  bool are_same(const Dimension& a, const Dimension& b) const;
  bool are_same(const Dimensions& a, const Dimensions& b) const;

  /// Makes the dimension's size 1 if it varies. Returns whether it is 1.
  bool make_one(const Dimension& dimension);

  /// The same elements in dimensions of these sizes, of which one may be -1 or unknown. An axis
  /// that varies gets the size that a number asks for, as the graph runs at no other. Empty if no
  /// order of whole axes fits.
  std::optional<Dimensions> reshape(const Dimensions& from, const Integers& wanted);

 private:
  bool take(const Integer& size, std::vector<int>& axes, bool from_back, Dimension& to);
  bool fits(const Dimensions& from, const Integers& sizes) const;

  std::vector<std::int64_t> sizes_;
};

}  // namespace quadgate::graph
