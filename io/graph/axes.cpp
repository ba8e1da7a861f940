#include "io/graph/axes.h"

#include <algorithm>

namespace quadgate::graph {

Dimension Axes::add(std::int64_t size) {
  if (size == 1) return {};
  sizes_.push_back(size);
  return {static_cast<int>(sizes_.size()) - 1};
}

Integer Axes::size_of(const Dimension& dimension) const {
  return resolve({.number = 1, .axes = dimension});
}

Integers Axes::sizes_of(const Dimensions& dimensions) const {
  Integers sizes;
  for (const Dimension& dimension : dimensions) sizes.push_back(size_of(dimension));
  return sizes;
}

Integer Axes::resolve(const Integer& number) const {
  Integer resolved{.number = number.number, .axes = {}, .is_known = number.is_known};
  for (const int axis : number.axes) {
    const std::int64_t size = sizes_[static_cast<std::size_t>(axis)];
    resolved =
        resolved * (size == 0 ? Integer{.number = 1, .axes = {axis}} : Integer{.number = size});
  }
  return resolved;
}

Dimension Axes::without_ones(const Dimension& dimension) const {
  Dimension axes;
  std::ranges::copy_if(dimension, std::back_inserter(axes),
                       [&](int axis) { return sizes_[static_cast<std::size_t>(axis)] != 1; });
  return axes;
}

bool Axes::are_same(const Dimension& a, const Dimension& b) const {
  return without_ones(a) == without_ones(b);
}

bool Axes::are_same(const Dimensions& a, const Dimensions& b) const {
  return std::ranges::equal(a, b,
                            [&](const Dimension& x, const Dimension& y) { return are_same(x, y); });
}

bool Axes::make_one(const Dimension& dimension) {
  const Dimension axes = without_ones(dimension);
  if (axes.size() == 1 && sizes_[static_cast<std::size_t>(axes.front())] == 0) {
    sizes_[static_cast<std::size_t>(axes.front())] = 1;
    return true;
  }
  return axes.empty();
}

bool Axes::fits(const Dimensions& from, const Integers& sizes) const {
  return std::ranges::equal(from, sizes, [&](const Dimension& dimension, const Integer& size) {
    const Integer found = size_of(dimension);
    return found == size || (size.is_number() && size.number > 0 && dimension.size() == 1 &&
                             found.axes == dimension);
  });
}

bool Axes::take(const Integer& size, std::vector<int>& axes, bool from_back, Dimension& to) {
  Integer rest = size;
  while (rest != Integer{.number = 1}) {
    if (axes.empty()) return false;
    const int axis = from_back ? axes.back() : axes.front();
    axes.erase(from_back ? axes.end() - 1 : axes.begin());
    to.insert(from_back ? to.begin() : to.end(), axis);
    std::int64_t& found = sizes_[static_cast<std::size_t>(axis)];
    if (found == 0 && rest.is_number() && to.size() == 1) found = rest.number;
    const Integer divisor = size_of({axis});
    if (divisor.is_number() && rest.number % divisor.number != 0) return false;
    rest = rest / divisor;
    if (!rest.is_known) return false;
  }
  return true;
}

std::optional<Dimensions> Axes::reshape(const Dimensions& from, const Integers& wanted) {
  Integers sizes;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    sizes.push_back(resolve(wanted[i]));
    const bool is_copy = sizes[i] == Integer{};
    if (is_copy && i >= from.size()) return {};
    if (is_copy) sizes[i] = size_of(from[i]);
  }
  const auto is_rest = [](const Integer& size) {
    return !size.is_known || size == Integer{.number = -1};
  };
  if (from.size() == sizes.size() && fits(from, sizes)) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (size_of(from[i]) != sizes[i])
        sizes_[static_cast<std::size_t>(from[i].front())] = sizes[i].number;
    }
    return from;
  }
  std::vector<int> axes;
  for (const Dimension& dimension : from) {
    const Dimension some = without_ones(dimension);
    axes.insert(axes.end(), some.begin(), some.end());
  }
  Dimensions to(sizes.size());
  std::size_t begin = 0;
  std::size_t end = sizes.size();
  for (; begin < end && !is_rest(sizes[begin]); ++begin) {
    if (sizes[begin].number < 1 || !take(sizes[begin], axes, false, to[begin])) return {};
  }
  for (; end > begin + 1 && !is_rest(sizes[end - 1]); --end) {
    if (sizes[end - 1].number < 1 || !take(sizes[end - 1], axes, true, to[end - 1])) return {};
  }
  if (end > begin + 1) return {};
  if (begin < end) {
    to[begin] = axes;
  } else if (!axes.empty()) {
    return {};
  }
  return to;
}

}  // namespace quadgate::graph
