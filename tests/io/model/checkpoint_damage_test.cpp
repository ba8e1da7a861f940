// Sweeps: bytes flipped and cut off all over a checkpoint.

#include <string>

#include "engine/base/error.h"
#include "tests/io/model/checkpoint_fixture.h"

namespace quadgate {
namespace {

using testing::CheckpointTest;
using testing::content_of;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using testing::kForecaster;
using testing::message_of;
using testing::same;

TEST_F(CheckpointTest, RecognisesDamageAndUsesThePreviousOne) {
  save(1);
  save(2);
  const auto newest = path("checkpoint.h5");
  WholeCheckpoint found = open_whole_checkpoint(newest);
  EXPECT_EQ(found.checkpoint.path(), newest);
  EXPECT_THAT(found.damage, IsEmpty());

  const std::string whole = content_of(newest);
  for (std::size_t offset = 600; offset < whole.size(); offset += 1999) {
    std::string damaged = whole;
    damaged[offset] = static_cast<char>(damaged[offset] ^ 1);
    file("checkpoint.h5", damaged);
    found = open_whole_checkpoint(newest);
    EXPECT_EQ(found.checkpoint.path(), path("checkpoint.prev.h5"));
    EXPECT_THAT(
        found.damage,
        EndsWith("checkpoint.h5: damaged, or changed by another program: the checksum differs"));
    EXPECT_THROW(Checkpoint{newest}, FileError);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, whole.size() - 1}) {
    file("checkpoint.h5", whole.substr(0, size));
    EXPECT_EQ(open_whole_checkpoint(newest).checkpoint.path(), path("checkpoint.prev.h5"));
  }
  std::filesystem::remove(newest);
  EXPECT_EQ(open_whole_checkpoint(newest).checkpoint.path(), path("checkpoint.prev.h5"));
  file("checkpoint.prev.h5", "damaged");
  EXPECT_THAT(message_of<FileError>([&] { open_whole_checkpoint(newest); }),
              EndsWith("checkpoint.h5: No such file or directory"));
}

// A file from here whose first bytes were cut off is an HDF5 file like any other.
TEST_F(CheckpointTest, RefusesAFileWhoseChecksumWasCutOff) {
  save(1);
  const std::string whole = content_of(path("checkpoint.h5"));
  ASSERT_TRUE(whole.starts_with("quadgate xxh3-64 "));
  const auto message = [&](const std::string& content) {
    file("cut.h5", content);
    return message_of<FileError>([&] { Checkpoint(path("cut.h5")); });
  };
  const std::string expected =
      "cut.h5: damaged, or changed by another program: its checksum is gone";
  EXPECT_THAT(message(whole.substr(512)), EndsWith(expected));
  EXPECT_THAT(message(std::string(512, '\0') + whole.substr(512)), EndsWith(expected));
  EXPECT_EQ(open_whole_checkpoint(path("checkpoint.h5")).damage, "");
}

// Any flipped byte gives an error or the same weights: never other weights, never a crash.
TEST_F(CheckpointTest, NeverLoadsOtherWeightsFromADamagedFile) {
  const Parameters weights = parameters(kForecaster, 1);
  save_model(path("model.h5"), kForecaster, weights);
  const std::string whole = content_of(path("model.h5"));
  for (std::size_t offset = 0; offset < whole.size(); offset += 37) {
    std::string damaged = whole;
    damaged[offset] = static_cast<char>(damaged[offset] ^ 0x10);
    file("damaged.h5", damaged);
    Parameters loaded(kForecaster.config);
    try {
      Checkpoint(path("damaged.h5")).load_parameters(loaded);
      EXPECT_TRUE(same(loaded.values(), weights.values())) << "byte " << offset;
    } catch (const FileError&) {
    }
  }
}

}  // namespace
}  // namespace quadgate
