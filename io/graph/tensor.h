#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace quadgate::graph {

/// A whole number, which may be a multiple of sizes that vary, or be unknown.
struct Integer {
  std::int64_t number = 0;
  std::vector<int> axes{};  ///< those whose sizes it is multiplied by, ascending
  bool is_known = true;

  bool operator==(const Integer&) const = default;
  /// Whether it is `number` itself.
  bool is_number() const { return is_known && axes.empty(); }
};

/// Unknown where the result is no multiple of sizes.
Integer operator*(const Integer& a, const Integer& b);
Integer operator/(const Integer& a, const Integer& b);
Integer operator+(const Integer& a, const Integer& b);
Integer operator-(const Integer& a, const Integer& b);

using Shape = std::vector<std::int64_t>;
using Floats = std::vector<float>;
using Integers = std::vector<Integer>;

/// A constant, or whole numbers that a graph computes of sizes; row-major.
struct Tensor {
  Shape shape;
  std::variant<Floats, Integers> values;

  bool is_whole() const { return std::holds_alternative<Integers>(values); }
  const Floats& floats() const { return std::get<Floats>(values); }
  const Integers& integers() const { return std::get<Integers>(values); }
  std::size_t size() const;
  bool is_all_zeros() const;
};
using TensorPtr = std::shared_ptr<const Tensor>;

TensorPtr of_integers(Integers values);  ///< [size]
TensorPtr of_integer(Integer value);     ///< []

/// Makes constants of constants as nodes do. What they make in all is limited: a file must not take
/// all memory. Shapes, axes and ranges are those that a node of a valid graph has; else FileError.
class Folder {
 public:
  /// `room` is how many numbers may be made.
  explicit Folder(std::size_t room) : room_(room) {}

  Tensor transpose(const Tensor& from, std::span<const std::size_t> perm);
  Tensor expand(const Tensor& from, const Shape& shape);
  /// `count` of an axis, from `begin` on, `step` apart.
  Tensor slice(const Tensor& from, std::size_t axis, std::int64_t begin, std::int64_t count,
               std::int64_t step);
  Tensor gather(const Tensor& from, const Tensor& indices, std::size_t axis);
  Tensor concat(const std::vector<TensorPtr>& parts, std::size_t axis);
  /// `op` is Add, Sub, Mul, Div or Equal.
  Tensor combine(const std::string& op, const Tensor& a, const Tensor& b);
  Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
  /// The number of elements; takes their room.
  std::size_t take_room(const Shape& shape);

 private:
  /// The numbers at `strides`, from `begin` on.
  Tensor view(const Tensor& from, Shape shape, const std::vector<std::int64_t>& strides,
              std::int64_t begin);

  std::size_t room_;
};

}  // namespace quadgate::graph
