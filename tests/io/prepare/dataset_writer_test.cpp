// Sweeps: splits by fraction and by file, one length and many, standardized or not, read back
// through Dataset; and input that cannot be divided.
// Tolerance: statistics are sums of a few numbers in double, rounded once to float: 4 ulp.

#include "io/prepare/dataset_writer.h"

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/data/dataset.h"
#include "io/data/loader.h"
#include "io/importers/ts.h"
#include "tests/io/files.h"
#include "tests/support/paths.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;
using testing::ramp;

using DatasetWriterTest = testing::FolderTest;

/// Sequences of these lengths, one feature; label i % 2; x counts the steps.
LabelledSequences sequences(const std::vector<std::int64_t>& lengths) {
  LabelledSequences data("input");
  data.input_size = 1;
  data.class_names = {"no", "yes"};
  std::int64_t step = 0;
  for (const std::int64_t length : lengths) {
    std::vector<float> x;
    for (std::int64_t i = 0; i < length; ++i) x.push_back(static_cast<float>(step++));
    data.add(x, data.size() % 2);
  }
  return data;
}

Batch read_all(Split& split) {
  Batch batch;
  Loader loader(split, split.size());
  loader.next(batch);
  return batch;
}

TEST_F(DatasetWriterTest, WritesOneLengthWithoutOffsets) {
  const PrepareSummary sizes =
      write_sequences(path("a.h5"), sequences({2, 2, 2}), {}, sequences({2}), {});
  EXPECT_EQ(sizes.train, 3);
  EXPECT_EQ(sizes.valid, 0);
  EXPECT_EQ(sizes.test, 1);
  EXPECT_THAT(hdf5::File::open(path("a.h5")).array("train/x").shape(), ElementsAre(3, 2, 1));
  Dataset dataset(path("a.h5"));
  EXPECT_THAT(dataset.split_names(), ElementsAre("train", "test"));
  EXPECT_THAT(dataset.description().class_names, ElementsAre("no", "yes"));
  EXPECT_THAT(dataset.description().mean, IsEmpty());
  const Batch batch = read_all(dataset.split("train"));
  EXPECT_THAT(batch.x, ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(batch.labels, ElementsAre(0, 1, 0));
}

TEST_F(DatasetWriterTest, WritesManyLengthsWithOffsets) {
  write_sequences(path("a.h5"), sequences({2, 2}), {}, sequences({1, 3}), {});
  Dataset dataset(path("a.h5"));
  EXPECT_EQ(dataset.split("train").max_len(), 2);
  EXPECT_EQ(dataset.split("test").max_len(), 3);
  EXPECT_THAT(read_all(dataset.split("test")).offsets, ElementsAre(0, 1, 4));
}

TEST_F(DatasetWriterTest, DrawsEveryRowOnceAndAlwaysTheSame) {
  const std::vector<std::int64_t> lengths(100, 1);
  for (const char* name : {"a.h5", "b.h5"}) {
    const PrepareSummary sizes = write_sequences(path(name), sequences(lengths), {}, {},
                                                 {.valid_fraction = 0.1, .test_fraction = 0.25});
    EXPECT_EQ(sizes.train, 65);
    EXPECT_EQ(sizes.valid, 10);
    EXPECT_EQ(sizes.test, 25);
  }
  EXPECT_EQ(testing::content_of(path("a.h5")), testing::content_of(path("b.h5")));
  Dataset dataset(path("a.h5"));
  std::vector<float> all;
  for (const char* name : {"train", "valid", "test"}) {
    const Batch batch = read_all(dataset.split(name));
    EXPECT_TRUE(std::ranges::is_sorted(batch.x)) << "rows keep their order";
    for (std::size_t i = 0; i < batch.x.size(); ++i) {
      EXPECT_EQ(batch.labels[i], static_cast<std::int64_t>(batch.x[i]) % 2);
    }
    all.insert(all.end(), batch.x.begin(), batch.x.end());
  }
  EXPECT_FALSE(std::ranges::is_sorted(all)) << "drawn at random, not cut";
  std::ranges::sort(all);
  EXPECT_EQ(all, ramp(100));
}

TEST_F(DatasetWriterTest, EachClassHasItsShareOfTheSplits) {
  LabelledSequences data = sequences({});
  data.class_names = {"often", "seldom", "once"};
  for (int row = 0; row < 102; ++row) {
    const std::int64_t label = row == 50 ? kIgnoreIndex : row == 20 ? 2 : row % 25 == 0 ? 1 : 0;
    data.add(std::array{static_cast<float>(row)}, label);
  }
  const auto labels_of = [&](const char* name, std::uint64_t seed) {
    const PrepareSummary sizes = write_sequences(
        path("a.h5"), data, {}, {}, {.valid_fraction = 0.1, .test_fraction = 0.2, .seed = seed});
    EXPECT_EQ(sizes.train + sizes.valid + sizes.test, 102);
    Dataset dataset(path("a.h5"));
    Batch batch = read_all(dataset.split(name));
    std::ranges::sort(batch.labels);
    return std::pair(batch.labels, batch.x);
  };
  const auto [labels, rows] = labels_of("valid", 1);
  EXPECT_EQ(std::ranges::count(labels, 0), 9);
  EXPECT_EQ(std::ranges::count(labels, 1), 1);
  EXPECT_EQ(std::ranges::count(labels_of("test", 1).first, 1), 1);
  EXPECT_EQ(std::ranges::count(labels_of("train", 1).first, 1), 2);
  EXPECT_EQ(labels_of("valid", 1).second, rows);
  EXPECT_NE(labels_of("valid", 2).second, rows);
}

TEST_F(DatasetWriterTest, MatchesTheClassesOfTheTestFileByName) {
  const auto test = [](const std::vector<std::string>& class_names, std::int64_t input_size) {
    LabelledSequences data = sequences({1, 1});
    data.path = "test.ts";
    data.class_names = class_names;
    data.input_size = input_size;
    return data;
  };
  write_sequences(path("a.h5"), sequences({1, 1}), {}, test({"yes", "no"}, 1), {});
  Dataset dataset(path("a.h5"));
  EXPECT_THAT(read_all(dataset.split("test")).labels, ElementsAre(1, 0));

  EXPECT_EQ(message_of<DataError>([&] {
              write_sequences(path("a.h5"), sequences({1, 1}), {}, test({"no", "maybe"}, 1), {});
            }),
            "test.ts: sequence 1: expected classes no, yes, as in input, found 'maybe'");
  EXPECT_EQ(message_of<DataError>([&] {
              write_sequences(path("a.h5"), sequences({1, 1}), test({"no", "yes"}, 2), {}, {});
            }),
            "test.ts: expected 1 features, as in input, found 2");
}

TEST_F(DatasetWriterTest, LeavesTheFileAsItWasWhenItFails) {
  file("a.h5", "precious");
  const auto error = [&](const PrepareOptions& options,
                         const std::optional<LabelledSequences>& test = {}) {
    return message_of<InvalidArgument>([&] {
      write_sequences(path("a.h5"), sequences({1, 1}), {}, test, options);
    });
  };
  EXPECT_EQ(error({.valid_fraction = 1}),
            "--valid-fraction: expected at least 0 and below 1, found 1");
  EXPECT_EQ(error({.valid_fraction = std::nan("")}),
            "--valid-fraction: expected at least 0 and below 1, found nan");
  EXPECT_EQ(error({.test_fraction = 0.1}),
            "input: --test-fraction 0.1 leaves that split empty, of 2 rows");
  EXPECT_THAT(error({.valid_fraction = 0.5, .test_fraction = 0.5}),
              HasSubstr("no training row is left, of 2"));
  EXPECT_EQ(error({.test_fraction = 0.5}, sequences({1})),
            "--test-fraction: expected none beside a test file, found 0.5");

  LabelledSequences bad = sequences({1, 1});
  bad.add(std::array{0.0F, std::nanf("")}, 0);
  EXPECT_EQ(message_of<DataError>([&] { write_sequences(path("a.h5"), bad, {}, {}, {}); }),
            "input: step 3, feature 0: not finite");
  EXPECT_THROW(write_sequences(path("none/a.h5"), sequences({1}), {}, {}, {}), FileError);
  EXPECT_EQ(testing::content_of(path("a.h5")), "precious");
  EXPECT_THAT(testing::files_beside(path("a.h5")), ElementsAre("a.h5"));
}

TEST_F(DatasetWriterTest, ReadsTheJapaneseVowels) {
  const std::filesystem::path shared(paths::shared_data());
  if (!std::filesystem::exists(shared / "JapaneseVowels_TRAIN.ts")) {
    GTEST_SKIP() << "SKIPPED: no JapaneseVowels_TRAIN.ts in " << shared;
  }
  const PrepareSummary sizes =
      write_sequences(path("vowels.h5"), read_ts(shared / "JapaneseVowels_TRAIN.ts"), {},
                      read_ts(shared / "JapaneseVowels_TEST.ts"), {.valid_fraction = 0.1});
  EXPECT_EQ(sizes.train, 243);
  EXPECT_EQ(sizes.valid, 27);
  EXPECT_EQ(sizes.test, 370);
  Dataset dataset(path("vowels.h5"));
  EXPECT_EQ(dataset.input_size(), 12);
  EXPECT_EQ(dataset.output_size(), 9);
  EXPECT_EQ(dataset.split("test").max_len(), 29);
}

}  // namespace
}  // namespace quadgate
