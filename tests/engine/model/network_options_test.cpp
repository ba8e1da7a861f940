// Sweeps every backend and precision through its name.
// No tolerance: nothing is rounded.

#include "engine/model/network_options.h"

#include <gtest/gtest.h>

namespace quadgate {
namespace {

TEST(NetworkOptionsTest, NamesOfBackendsAreParsedBack) {
  EXPECT_EQ(to_string(BackendKind::automatic), "auto");
  EXPECT_EQ(to_string(BackendKind::onednn), "onednn");
  EXPECT_EQ(to_string(BackendKind::native), "native");
  for (const auto kind : {BackendKind::automatic, BackendKind::onednn, BackendKind::native}) {
    EXPECT_EQ(parse_backend(to_string(kind)), kind);
  }
}

TEST(NetworkOptionsTest, NamesOfArithmeticsAreParsedBack) {
  EXPECT_EQ(to_string(Arithmetic::fastest), "fastest");
  EXPECT_EQ(to_string(Arithmetic::consistent), "consistent");
  for (const auto arithmetic : {Arithmetic::fastest, Arithmetic::consistent}) {
    EXPECT_EQ(parse_arithmetic(to_string(arithmetic)), arithmetic);
  }
  EXPECT_FALSE(parse_arithmetic("Fastest").has_value());
}

TEST(NetworkOptionsTest, NamesOfPrecisionsAreParsedBack) {
  EXPECT_EQ(to_string(Precision::f32), "f32");
  EXPECT_EQ(to_string(Precision::bf16), "bf16");
  for (const auto precision : {Precision::f32, Precision::bf16}) {
    EXPECT_EQ(parse_precision(to_string(precision)), precision);
  }
}

TEST(NetworkOptionsTest, OtherTextIsNoName) {
  for (const char* const text : {"", "automatic", "oneDNN", "f32 ", "bf1", "bf16x", "fp32"}) {
    EXPECT_FALSE(parse_backend(text).has_value()) << text;
    EXPECT_FALSE(parse_precision(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace quadgate
