// Sweeps words that are a letter or two away from a known one. No tolerance: edits are counted.

#include "apps/common/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace quadgate::apps {
namespace {

TEST(NearestTest, CountsEdits) {
  constexpr std::array<std::string_view, 3> kWords{"train.lr", "train.epochs", "model.cell"};
  EXPECT_EQ(nearest("train.epoch", kWords), "train.epochs");
  EXPECT_EQ(nearest("trian.lr", kWords), "train.lr");
  EXPECT_EQ(nearest("mdl.cel", kWords), "model.cell");
  EXPECT_EQ(nearest("x", {}), "");
}

}  // namespace
}  // namespace quadgate::apps
