// Sweeps the ISAs of this machine: oneDNN stands in for kernels without vectors, and only where it
// has what is asked for.

#include "engine/training/make_backend.h"

#include "engine/training/network.h"
#include "tests/kernels/each_isa.h"

namespace quadgate {
namespace {

using kernels::Isa;

class ChooseBackendTest : public kernels::EachIsa {
 protected:
  void SetUp() override {
    EachIsa::SetUp();
    kernels::cap_isa(GetParam());
  }
  void TearDown() override { kernels::cap_isa(kernels::detected_isa()); }

  const ModelConfig model{.rnn = {.input_size = 3, .hidden_size = 8}, .output_size = 2};
};

TEST_P(ChooseBackendTest, TakesOnednnWhereThereAreNoVectors) {
  const auto expected = GetParam() == Isa::scalar ? BackendKind::onednn : BackendKind::native;
  EXPECT_EQ(choose_backend(model, {}), expected);
  Arena arena(1);
  EXPECT_EQ(Network(model, 4, 2, arena).backend(), expected);
}

TEST_P(ChooseBackendTest, TakesNativeWhereOnednnLacksSomething) {
  EXPECT_EQ(choose_backend(model, {.precision = Precision::bf16}), BackendKind::native);
  ModelConfig projected = model;
  projected.rnn.proj_size = 4;
  EXPECT_EQ(choose_backend(projected, {}), BackendKind::native);
}

INSTANTIATE_TEST_SUITE_P(Isa, ChooseBackendTest, kernels::all_isas(), kernels::isa_name);

}  // namespace
}  // namespace quadgate
