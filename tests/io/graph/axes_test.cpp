// Reshapes that keep axes whole, with sizes that are known, vary, or are to be found; and those
// that do not.

#include "io/graph/axes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quadgate::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;

Integer number(std::int64_t value) { return {.number = value}; }

class AxesTest : public ::testing::Test {
 protected:
  Axes axes_;
  Dimension varying_ = axes_.add(0), three_ = axes_.add(3), two_ = axes_.add(2);
  int v_ = varying_[0], a_ = three_[0], b_ = two_[0];
};

TEST_F(AxesTest, OfSizeOneAreNone) {
  EXPECT_TRUE(axes_.add(1).empty());
  EXPECT_EQ(axes_.size_of({}), number(1));
  EXPECT_EQ(axes_.size_of({a_, b_}), number(6));
  EXPECT_EQ(axes_.size_of({v_, b_}), (Integer{.number = 2, .axes = {v_}}));
}

TEST_F(AxesTest, AreJoinedAndSplit) {
  const Dimensions from{varying_, three_, two_};
  EXPECT_THAT(axes_.reshape(from, {number(0), number(6)}),
              Optional(ElementsAre(varying_, Dimension{a_, b_})));
  EXPECT_THAT(axes_.reshape(from, {number(-1), number(2)}),
              Optional(ElementsAre(Dimension{v_, a_}, two_)));
  EXPECT_THAT(axes_.reshape({varying_, {a_, b_}}, {axes_.size_of(varying_), number(3), number(-1)}),
              Optional(ElementsAre(varying_, three_, two_)));
  EXPECT_THAT(axes_.reshape(from, {axes_.size_of({v_, a_}), number(1), number(2), number(1)}),
              Optional(ElementsAre(Dimension{v_, a_}, Dimension{}, two_, Dimension{})));
}

TEST_F(AxesTest, AreNotCut) {
  const Dimensions from{varying_, {a_, b_}};
  EXPECT_EQ(axes_.reshape(from, {number(0), number(2), number(3)}), std::nullopt);
  EXPECT_EQ(axes_.reshape(from, {number(-1), number(4)}), std::nullopt);
  EXPECT_EQ(axes_.reshape(from, {number(-1), number(6), number(-1)}), std::nullopt);
  EXPECT_EQ(axes_.reshape(from, {number(0), number(6), number(0)}), std::nullopt);
}

TEST_F(AxesTest, GetTheSizeThatTheGraphRunsAt) {
  EXPECT_THAT(axes_.reshape({varying_, three_}, {number(4), number(3)}),
              Optional(ElementsAre(varying_, three_)));
  EXPECT_EQ(axes_.size_of(varying_), number(4));
  EXPECT_EQ(axes_.resolve({.number = 2, .axes = {v_}}), number(8));
}

TEST_F(AxesTest, ThatVaryMayBeOne) {
  EXPECT_FALSE(axes_.make_one(two_));
  EXPECT_TRUE(axes_.make_one(varying_));
  EXPECT_TRUE(axes_.are_same(Dimension{v_, a_}, three_));
}

}  // namespace
}  // namespace quadgate::graph
