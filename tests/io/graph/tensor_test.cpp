// Constants made of constants, beside numpy's definitions of transpose, slices, take, concatenate
// and broadcasting; whole numbers that are multiples of sizes; the room that all of it takes.

#include "io/graph/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "engine/base/error.h"

namespace quadgate::graph {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kRoom = 1000;

/// 0, 1, 2, ...
TensorPtr counting(const Shape& shape) {
  Floats values(static_cast<std::size_t>(
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>())));
  std::iota(values.begin(), values.end(), 0.0F);
  return std::make_shared<const Tensor>(Tensor{.shape = shape, .values = std::move(values)});
}

TEST(TensorTest, AreArranged) {
  Folder folder(kRoom);
  const std::vector<std::size_t> perm{1, 0};
  EXPECT_THAT(folder.transpose(*counting({2, 3}), perm).floats(), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(folder.slice(*counting({2, 3}), 1, 2, 2, -1).floats(), ElementsAre(2, 1, 5, 4));
  EXPECT_THAT(folder.expand(*counting({2, 1}), {2}).floats(), ElementsAre(0, 0, 1, 1));
  const Tensor both = folder.concat({counting({2, 1}), counting({2, 2})}, 1);
  EXPECT_THAT(both.floats(), ElementsAre(0, 0, 1, 1, 2, 3));
  EXPECT_THAT(both.shape, ElementsAre(2, 3));
}

TEST(TensorTest, AreGathered) {
  Folder folder(kRoom);
  const Tensor rows =
      folder.gather(*counting({3, 2}), *of_integers({{.number = -1}, {.number = 0}}), 0);
  EXPECT_THAT(rows.floats(), ElementsAre(4, 5, 0, 1));
  const Tensor one = folder.gather(*counting({3, 2}), *of_integer({.number = 1}), 1);
  EXPECT_THAT(one.floats(), ElementsAre(1, 3, 5));
  EXPECT_THAT(one.shape, ElementsAre(3));
  EXPECT_THROW(folder.gather(*counting({3}), *of_integer({.number = 3}), 0), FileError);
}

TEST(TensorTest, AreAddedElementByElement) {
  Folder folder(kRoom);
  EXPECT_THAT(folder.combine("Sub", *counting({2, 2}), *counting({2})).floats(),
              ElementsAre(0, 0, 2, 2));
  EXPECT_THROW(folder.combine("Add", *counting({2}), *counting({3})), FileError);
  EXPECT_THROW(folder.combine("Add", *counting({1}), *of_integer({})), FileError);
}

TEST(TensorTest, TakeNoMoreThanTheirRoom) {
  Folder folder(8);
  EXPECT_NO_THROW(folder.expand(*counting({1}), {8}));
  EXPECT_THROW(folder.expand(*counting({1}), {1}), FileError);
}

TEST(IntegerTest, IsAMultipleOfSizesOrUnknown) {
  const Integer size{.number = 1, .axes = {7}};
  const Integer two{.number = 2};
  EXPECT_EQ(size * two / two, size);
  EXPECT_EQ(size * two / size, two);
  EXPECT_EQ(size + Integer{}, size);
  EXPECT_EQ(size + size, size * two);
  EXPECT_EQ(size - size, Integer{});
  EXPECT_FALSE((size + two).is_known);
  EXPECT_FALSE((size / two).is_known);
  EXPECT_FALSE((two / Integer{}).is_known);
  const Integer most{.number = std::numeric_limits<std::int64_t>::max()};
  EXPECT_FALSE((most * two).is_known);
  EXPECT_FALSE((most + most).is_known);
}

}  // namespace
}  // namespace quadgate::graph
