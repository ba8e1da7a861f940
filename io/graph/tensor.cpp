#include "io/graph/tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "engine/base/error.h"
#include "io/tensors/tensor_file.h"

namespace quadgate::graph {
namespace {

const Integer kUnknown{.number = 0, .axes = {}, .is_known = false};

std::vector<std::int64_t> strides_of(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// The shape of what is computed of two tensors element by element.
Shape common_shape(const Shape& a, const Shape& b) {
  Shape shape = a.size() > b.size() ? a : b;
  const Shape& other = a.size() > b.size() ? b : a;
  for (std::size_t i = 0; i < other.size(); ++i) {
    std::int64_t& size = shape[shape.size() - 1 - i];
    const std::int64_t size_of_other = other[other.size() - 1 - i];
    if (size == 1) size = size_of_other;
    if (size_of_other != 1 && size_of_other != size) {
      throw FileError(fmt::format("expected shapes that go together, found ({}) and ({})",
                                  fmt::join(a, ", "), fmt::join(b, ", ")));
    }
  }
  return shape;
}

float combined(const std::string& op, float a, float b) {
  return op == "Add" ? a + b : op == "Sub" ? a - b : op == "Mul" ? a * b : a / b;
}

Integer combined(const std::string& op, const Integer& a, const Integer& b) {
  if (op == "Equal") {
    return a.is_number() && b.is_number() ? Integer{.number = a == b ? 1 : 0} : kUnknown;
  }
  return op == "Add" ? a + b : op == "Sub" ? a - b : op == "Mul" ? a * b : a / b;
}

}  // namespace

Integer operator*(const Integer& a, const Integer& b) {
  Integer product = a;
  product.is_known =
      a.is_known && b.is_known && !__builtin_mul_overflow(a.number, b.number, &product.number);
  product.axes.insert(product.axes.end(), b.axes.begin(), b.axes.end());
  std::ranges::sort(product.axes);
  return product.is_known ? product : kUnknown;
}

Integer operator/(const Integer& a, const Integer& b) {
  if (!a.is_known || !b.is_known || b.number < 1 || a.number < 0) return kUnknown;
  Integer quotient = a;
  for (const int axis : b.axes) {
    const auto found = std::ranges::find(quotient.axes, axis);
    if (found == quotient.axes.end()) return kUnknown;
    quotient.axes.erase(found);
  }
  if (!quotient.axes.empty() && a.number % b.number != 0) return kUnknown;
  quotient.number = a.number / b.number;
  return quotient;
}

Integer operator+(const Integer& a, const Integer& b) {
  if (a == Integer{}) return b;
  if (b == Integer{}) return a;
  Integer sum = a;
  if (!a.is_known || !b.is_known || a.axes != b.axes ||
      __builtin_add_overflow(a.number, b.number, &sum.number)) {
    return kUnknown;
  }
  if (sum.number == 0) sum.axes.clear();
  return sum;
}

Integer operator-(const Integer& a, const Integer& b) { return a + Integer{.number = -1} * b; }

std::size_t Tensor::size() const {
  return std::visit([](const auto& numbers) { return numbers.size(); }, values);
}

bool Tensor::is_all_zeros() const {
  if (is_whole()) return std::ranges::all_of(integers(), [](auto& n) { return n == Integer{}; });
  return std::ranges::all_of(floats(), [](float value) { return value == 0; });
}

TensorPtr of_integers(Integers values) {
  const auto size = std::ssize(values);
  return std::make_shared<const Tensor>(Tensor{.shape = {size}, .values = std::move(values)});
}

TensorPtr of_integer(Integer value) {
  return std::make_shared<const Tensor>(Tensor{.shape = {}, .values = Integers{std::move(value)}});
}

std::size_t Folder::take_room(const Shape& shape) {
  const auto count = count_elements(shape, std::numeric_limits<std::int32_t>::max());
  if (count < 0 || static_cast<std::size_t>(count) > room_) {
    throw FileError(
        fmt::format("expected fewer numbers than of shape ({})", fmt::join(shape, ", ")));
  }
  room_ -= static_cast<std::size_t>(count);
  return static_cast<std::size_t>(count);
}

Tensor Folder::view(const Tensor& from, Shape shape, const std::vector<std::int64_t>& strides,
                    std::int64_t begin) {
  const std::size_t count = take_room(shape);
  Tensor to{.shape = std::move(shape), .values = {}};
  std::visit(
      [&](const auto& numbers) {
        std::decay_t<decltype(numbers)> picked;
        picked.reserve(count);
        std::vector<std::int64_t> at(to.shape.size());
        for (std::int64_t offset = begin; picked.size() < count;) {
          picked.push_back(numbers[static_cast<std::size_t>(offset)]);
          for (std::size_t axis = at.size(); axis-- > 0;) {
            offset += strides[axis];
            if (++at[axis] < to.shape[axis]) break;
            offset -= strides[axis] * to.shape[axis];
            at[axis] = 0;
          }
        }
        to.values = std::move(picked);
      },
      from.values);
  return to;
}

Tensor Folder::transpose(const Tensor& from, std::span<const std::size_t> perm) {
  const auto strides = strides_of(from.shape);
  Shape shape;
  std::vector<std::int64_t> permuted;
  for (const std::size_t axis : perm) {
    shape.push_back(from.shape[axis]);
    permuted.push_back(strides[axis]);
  }
  return view(from, shape, permuted, 0);
}

Tensor Folder::expand(const Tensor& from, const Shape& shape) {
  const Shape to = common_shape(from.shape, shape);
  auto strides = strides_of(from.shape);
  for (std::size_t i = 0; i < strides.size(); ++i) {
    if (from.shape[i] == 1) strides[i] = 0;
  }
  strides.insert(strides.begin(), to.size() - strides.size(), 0);
  return view(from, to, strides, 0);
}

Tensor Folder::slice(const Tensor& from, std::size_t axis, std::int64_t begin, std::int64_t count,
                     std::int64_t step) {
  auto strides = strides_of(from.shape);
  const std::int64_t first = begin * strides[axis];
  strides[axis] *= step;
  Shape shape = from.shape;
  shape[axis] = count;
  return view(from, shape, strides, first);
}

Tensor Folder::gather(const Tensor& from, const Tensor& indices, std::size_t axis) {
  std::vector<TensorPtr> rows;
  for (const Integer& index : indices.integers()) {
    const std::int64_t size = from.shape[axis];
    const std::int64_t at = index.number < 0 ? index.number + size : index.number;
    if (!index.is_number() || at < 0 || at >= size) {
      throw FileError(fmt::format("expected indices of {}, found others", size));
    }
    rows.push_back(std::make_shared<const Tensor>(slice(from, axis, at, 1, 1)));
  }
  if (rows.empty()) throw FileError("expected an index, found none");
  Tensor to = rows.size() == 1 ? *rows.front() : concat(rows, axis);
  const auto position = to.shape.begin() + static_cast<std::ptrdiff_t>(axis);
  to.shape.insert(to.shape.erase(position), indices.shape.begin(), indices.shape.end());
  return to;
}

Tensor Folder::concat(const std::vector<TensorPtr>& parts, std::size_t axis) {
  Shape shape = parts.front()->shape;
  shape[axis] = 0;
  for (const TensorPtr& part : parts) {
    Shape other = part->shape;
    if (other.size() == shape.size()) other[axis] = shape[axis];
    if (other != shape || part->is_whole() != parts.front()->is_whole()) {
      throw FileError(fmt::format("expected shapes and types that go together, found ({})",
                                  fmt::join(part->shape, ", ")));
    }
    shape[axis] += part->shape[axis];
  }
  const std::size_t count = take_room(shape);
  std::int64_t outer = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= shape[i];
  Tensor to{.shape = shape, .values = {}};
  std::visit(
      [&](const auto& first) {
        std::decay_t<decltype(first)> joined;
        joined.reserve(count);
        for (std::int64_t i = 0; i < outer; ++i) {
          for (const TensorPtr& part : parts) {
            const auto& numbers = std::get<std::decay_t<decltype(first)>>(part->values);
            const auto piece = std::ssize(numbers) / outer;
            joined.insert(joined.end(), numbers.begin() + i * piece,
                          numbers.begin() + (i + 1) * piece);
          }
        }
        to.values = std::move(joined);
      },
      parts.front()->values);
  return to;
}

Tensor Folder::combine(const std::string& op, const Tensor& a, const Tensor& b) {
  if (a.is_whole() != b.is_whole() || (op == "Equal" && !a.is_whole())) {
    throw FileError("expected numbers of one type");
  }
  Tensor to = expand(a, b.shape);
  const Tensor other = expand(b, a.shape);
  std::visit(
      [&](auto& numbers) {
        const auto& others = std::get<std::decay_t<decltype(numbers)>>(other.values);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
          numbers[i] = combined(op, numbers[i], others[i]);
        }
      },
      to.values);
  return to;
}

Tensor Folder::where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  if (!condition.is_whole() || a.is_whole() != b.is_whole()) {
    throw FileError("expected a condition and numbers of one type");
  }
  const Shape shape = common_shape(condition.shape, common_shape(a.shape, b.shape));
  const Tensor which = expand(condition, shape);
  Tensor to = expand(a, shape);
  const Tensor other = expand(b, shape);
  std::visit(
      [&](auto& numbers) {
        const auto& others = std::get<std::decay_t<decltype(numbers)>>(other.values);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
          const Integer& chosen = which.integers()[i];
          if (!chosen.is_number()) throw FileError("expected a condition that is known");
          if (chosen.number == 0) numbers[i] = others[i];
        }
      },
      to.values);
  return to;
}

}  // namespace quadgate::graph
