// Exact: sizes, places and rows.

#include "engine/model/gradient_buffer.h"

#include <gmock/gmock.h>

namespace quadgate {
namespace {

using ::testing::ElementsAre;

ModelConfig tagger(bool sparse, bool tied) {
  return {.rnn = {.input_size = 4, .hidden_size = 4},
          .task = Task::tagging,
          .output_size = tied ? 9 : 2,
          .embedding = {.vocabulary_size = 9, .tie_weights = tied, .sparse = sparse}};
}

TEST(GradientBufferTest, IsLaidOutAsTheParameters) {
  const Parameters parameters(tagger(false, false));
  GradientBuffer buffer(parameters);
  ASSERT_EQ(buffer.values().size(), parameters.values().size());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.values().data()) % 64, 0);
  const ParameterSlice& bias = parameters.head_bias();
  buffer.of(bias)[1] = 3;
  const Gradient gradient = buffer.view(5);
  EXPECT_EQ(gradient.norm, 5);
  EXPECT_THAT(gradient.of(bias), ElementsAre(0, 3));
  EXPECT_EQ(gradient.values[bias.offset + 1], 3);
}

TEST(GradientBufferTest, HasSparseRowsWhereOnlyTheEmbeddingReadsThem) {
  const Parameters sparse(tagger(true, false));
  GradientBuffer buffer(sparse);
  buffer.present_rows() = {7, 1};
  const SparseRows rows = buffer.view(0).rows;
  EXPECT_EQ(rows.size, sparse.slices()[1].offset);
  EXPECT_EQ(rows.width, 4);
  EXPECT_THAT(rows.present, ElementsAre(7, 1));
  for (const ModelConfig& dense : {tagger(false, false), tagger(true, true)}) {
    GradientBuffer of_dense{Parameters(dense)};
    of_dense.present_rows() = {7, 1};
    EXPECT_EQ(of_dense.view(0).rows.size, 0);
    EXPECT_TRUE(of_dense.view(0).rows.present.empty());
  }
}

}  // namespace
}  // namespace quadgate
