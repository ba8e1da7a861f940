// Sweeps: the same data stored in other ways, and data that differ in one value, label, row or
// split; a split that is too large to be read as a whole. Tolerance: none.

#include "io/data/data_identity.h"

#include <array>

#include "io/data/dataset.h"
#include "io/prepare/dataset_writer.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using testing::ramp;

class DataIdentityTest : public testing::FolderTest {
 protected:
  /// 12 sequences of 3 steps of 2 features, but for `row`, whose last value differs.
  static LabelledSequences sequences(std::int64_t count, std::int64_t row = -1,
                                     std::int64_t label = 0) {
    LabelledSequences data("made");
    data.input_size = 2;
    data.class_names = {"no", "yes"};
    for (std::int64_t i = 0; i < count; ++i) {
      std::vector<float> x = ramp(6, static_cast<float>(i));
      if (i == row) x.back() += 1;
      data.add(x, i == 0 ? label : i % 2);
    }
    return data;
  }

  DataIdentity identity(const LabelledSequences& train, const PrepareOptions& options = {},
                        std::int64_t valid = 4, std::int64_t test = 0) const {
    const auto part = [](std::int64_t rows) {
      return rows > 0 ? std::optional(sequences(rows)) : std::nullopt;
    };
    write_sequences(path("a.h5"), train, part(valid), part(test), options);
    Dataset data(path("a.h5"));
    return identify(data);
  }
};

TEST_F(DataIdentityTest, IsThatOfTheValuesToTrainOn) {
  const DataIdentity base = identity(sequences(12));
  EXPECT_EQ(base.train_rows, 12);
  EXPECT_EQ(base.valid_rows, 4);
  EXPECT_EQ(identity(sequences(12)), base);
  EXPECT_EQ(identity(sequences(12), {.gzip = true}), base);
  EXPECT_EQ(identity(sequences(12), {}, 4, 7), base) << "a test split";
  EXPECT_EQ(difference(base, base), "");
  for (const std::int64_t row : {0, 5, 11}) {
    const DataIdentity other = identity(sequences(12, row));
    EXPECT_NE(other.checksum, base.checksum) << row;
    EXPECT_EQ(difference(base, other), "expected other values and targets");
  }
  EXPECT_NE(identity(sequences(12, -1, 1)).checksum, base.checksum) << "a label";
  EXPECT_EQ(difference(base, identity(sequences(11))), "train: expected 12 rows, found 11");
  EXPECT_EQ(difference(base, identity(sequences(12), {}, 0)), "valid: expected 4 rows, found 0");
}

TEST_F(DataIdentityTest, ReadsSomeRowsOfALargeSplit) {
  // 40 MiB: 640 rows of 64 KiB, of which 256 are read, the first among them.
  const auto write = [&](float first) {
    hdf5::FileWriter file = testing::new_dataset(path("large.h5"), "regression");
    file.create_group("train");
    std::vector<float> x(std::size_t{640} << 14, 1.0F);
    x.front() = first;
    file.write("train/x", std::array<std::int64_t, 3>{640, 1 << 7, 1 << 7}, x);
    file.write("train/y", std::array<std::int64_t, 2>{640, 1}, std::vector<float>(640));
    testing::save(file);
    Dataset data(path("large.h5"));
    return identify(data);
  };
  const DataIdentity base = write(1);
  EXPECT_EQ(base.train_rows, 640);
  EXPECT_NE(write(2), base);
}

}  // namespace
}  // namespace quadgate
