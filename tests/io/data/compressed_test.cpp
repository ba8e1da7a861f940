// Sweeps: data sets of one length and of many, contiguous and in compressed chunks of sizes that
// divide the rows and that do not, read directly and through a shuffle buffer. The compressed files
// are written with HDF5 itself. Tolerance: none.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <list>
#include <vector>

#include "io/data/dataset.h"
#include "io/data/loader.h"
#include "io/hdf5/chunk_cache.h"
#include "tests/io/data/counting_split.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::MatchesRegex;
using testing::ramp;

using Shape = std::vector<std::int64_t>;

constexpr std::int64_t kFileRows = 50;

/// Copies a file, its dataset `name` in chunks of `rows` rows, shuffled and deflated.
void compress(const std::filesystem::path& from, const std::filesystem::path& to,
              const std::string& name, std::int64_t rows) {
  std::filesystem::copy_file(from, to);
  const hid_t file = H5Fopen(to.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t old = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
  const hid_t space = H5Dget_space(old);
  std::vector<hsize_t> shape(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
  H5Sget_simple_extent_dims(space, shape.data(), nullptr);
  hsize_t size = 1;
  for (const hsize_t extent : shape) size *= extent;
  std::vector<float> values(size);
  ASSERT_GE(H5Dread(old, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  H5Dclose(old);
  H5Ldelete(file, name.c_str(), H5P_DEFAULT);
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  shape[0] = static_cast<hsize_t>(rows);
  H5Pset_chunk(creation, static_cast<int>(shape.size()), shape.data());
  H5Pset_shuffle(creation);
  H5Pset_deflate(creation, 4);
  const hid_t made =
      H5Dcreate2(file, name.c_str(), H5T_NATIVE_FLOAT, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  ASSERT_GE(H5Dwrite(made, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  H5Dclose(made);
  H5Pclose(creation);
  H5Sclose(space);
  H5Fclose(file);
}

class CompressedTest : public testing::FolderTest {
 protected:
  /// A regression data set of kFileRows sequences of 4 steps, or of 1 to 20, of `features`
  /// features.
  void write(bool fixed, std::int64_t features) const {
    hdf5::FileWriter file = testing::new_dataset(path("plain.h5"), "regression");
    file.create_group("train");
    if (fixed) {
      file.write("train/x", Shape{kFileRows, 4, features}, ramp(kFileRows * 4 * features));
    } else {
      std::vector<std::int64_t> offsets{0};
      for (const std::int64_t length : testing::mixed_lengths(kFileRows)) {
        offsets.push_back(offsets.back() + length);
      }
      file.write("train/offsets", Shape{kFileRows + 1}, offsets);
      file.write("train/x", Shape{offsets.back(), features}, ramp(offsets.back() * features));
    }
    file.write("train/y", Shape{kFileRows, 1}, ramp(kFileRows));
    testing::save(file);
  }
};

void expect_same_batches(Split& plain, Split& compressed, const Shuffle& shuffle) {
  Loader expected(plain, 8, shuffle);
  Loader found(compressed, 8, shuffle);
  Batch ours;
  Batch theirs;
  while (expected.next(ours)) {
    ASSERT_TRUE(found.next(theirs));
    EXPECT_EQ(ours.x, theirs.x);
    EXPECT_EQ(ours.offsets, theirs.offsets);
    EXPECT_EQ(ours.targets, theirs.targets);
  }
  EXPECT_FALSE(found.next(theirs));
}

TEST_F(CompressedTest, ReadsWhatThePlainFileHolds) {
  for (const bool fixed : {true, false}) {
    write(fixed, 3);
    Dataset plain(path("plain.h5"));
    for (const std::int64_t rows : {1, 7, 25, 50}) {
      std::filesystem::remove(path("gzip.h5"));
      compress(path("plain.h5"), path("gzip.h5"), "train/x", rows);
      Dataset compressed(path("gzip.h5"));
      Split& split = compressed.split("train");
      expect_same_batches(plain.split("train"), split, {.seed = 1});
      expect_same_batches(plain.split("train"), split, {.seed = 1, .by_length = true});
      // The order of a buffer depends on the chunks: here it holds all of the rows.
      Loader loader(split, kFileRows, Shuffle{.seed = 1, .buffer = 20});
      Batch batch;
      ASSERT_TRUE(loader.next(batch));
      std::vector<float> targets = batch.targets;
      std::ranges::sort(targets);
      EXPECT_EQ(targets, ramp(kFileRows));
      for (std::size_t row = 0; row < kFileRows; ++row) {
        const auto first = static_cast<std::size_t>(batch.offsets[row]);
        const auto begin = static_cast<std::int64_t>(batch.x[3 * first]) / 3;  // step in the file
        Batch one;
        split.read(std::vector<std::int64_t>{static_cast<std::int64_t>(batch.targets[row])}, one);
        EXPECT_EQ(begin, static_cast<std::int64_t>(one.x[0]) / 3);
      }
    }
  }
}

TEST_F(CompressedTest, WantsChunksWhereRowsFindNoRoom) {
  write(true, 3);
  compress(path("plain.h5"), path("x.h5"), "train/x", 7);
  compress(path("plain.h5"), path("y.h5"), "train/y", 7);
  const auto wants_chunks = [&](const char* name) {
    return Dataset(path(name)).split("train").wants_chunks();
  };
  EXPECT_FALSE(wants_chunks("x.h5"));
  EXPECT_FALSE(wants_chunks("y.h5"));
  constexpr std::int64_t kMost = std::int64_t{256} << 20;
  std::list<hdf5::ChunkCache> others;
  for (int i = 0; i < 3; ++i) others.emplace_back(kMost, 1, kMost);
  EXPECT_FALSE(wants_chunks("plain.h5"));
  EXPECT_TRUE(wants_chunks("x.h5"));
  EXPECT_TRUE(wants_chunks("y.h5"));
}

TEST_F(CompressedTest, ChunksAreThoseOfTheFile) {
  constexpr std::int64_t kFeatures = 10000;  // 160 kB a sequence: 6 of them are a chunk of 1 MiB
  write(true, kFeatures);
  EXPECT_THAT(Dataset(path("plain.h5")).split("train").chunks(),
              ElementsAre(0, 6, 12, 18, 24, 30, 36, 42, 48, 50));
  compress(path("plain.h5"), path("large.h5"), "train/x", 20);
  EXPECT_THAT(Dataset(path("large.h5")).split("train").chunks(), ElementsAre(0, 20, 40, 50));
  compress(path("plain.h5"), path("small.h5"), "train/x", 4);
  EXPECT_THAT(Dataset(path("small.h5")).split("train").chunks(),
              testing::even_chunks(kFileRows, 4));
}

TEST_F(CompressedTest, ChunksOfManyLengthsHoldWholeSequences) {
  write(false, 10000);  // 40 kB a step: 26 of them are a chunk of 1 MiB
  Dataset dataset(path("plain.h5"));
  const Split& split = dataset.split("train");
  const auto chunks = split.chunks();
  EXPECT_EQ(chunks.front(), 0);
  EXPECT_EQ(chunks.back(), kFileRows);
  for (std::size_t i = 0; i + 1 < chunks.size(); ++i) {
    std::int64_t steps = 0;
    for (std::int64_t row = chunks[i]; row < chunks[i + 1]; ++row) steps += split.length(row);
    EXPECT_LE(steps, 26 + 20);
    EXPECT_LT(chunks[i], chunks[i + 1]);
  }
}

TEST_F(CompressedTest, SaysHowItIsStored) {
  write(true, 3);
  compress(path("plain.h5"), path("gzip.h5"), "train/x", 25);
  const auto text = [&](const char* name) {
    return hdf5::File::open(path(name)).array("train/x").storage_text();
  };
  EXPECT_EQ(text("plain.h5"), "contiguous");
  EXPECT_THAT(text("gzip.h5"),
              MatchesRegex("chunks of \\[25, 4, 3\\], shuffle, gzip 4, [0-9.]+ % of its size"));
}

}  // namespace
}  // namespace quadgate
