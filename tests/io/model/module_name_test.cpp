// Sweeps: names of modules as PyTorch's users give them.

#include "io/model/module_name.h"

#include <gtest/gtest.h>

namespace quadgate {
namespace {

TEST(ModuleNameTest, TellsEmbeddingsAndHeads) {
  for (const char* name : {"embedding", "encoder.tok_emb", "Embed.0", "wte", "word_embeddings"}) {
    EXPECT_EQ(calling_of(name), Calling::embedding) << name;
  }
  for (const char* name : {"fc", "fc1", "lm_head", "net.classifier.2", "Linear", "hidden2tag"}) {
    EXPECT_EQ(calling_of(name), Calling::head) << name;
  }
  for (const char* name :
       {"layer", "fc_in", "input.linear_pre", "0", "", "ensemble.layer", "..."}) {
    EXPECT_EQ(calling_of(name), Calling::nothing) << name;
  }
}

}  // namespace
}  // namespace quadgate
