// Sweeps: two and three files as one data set, of classes with and without names, of forecasts, of
// sequences of one length and of many; splits that some lack; and files that do not agree.
// Tolerance: none.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/data/dataset.h"
#include "io/data/loader.h"
#include "io/prepare/series_writer.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::message_of;
using testing::ramp;

using Paths = std::vector<std::filesystem::path>;
using Shape = std::vector<std::int64_t>;

class DatasetJoinTest : public testing::FolderTest {
 protected:
  /// Sequences of 2 steps of a feature; x counts up from `first`; `classes` may be none.
  std::filesystem::path labelled(const std::string& name, float first,
                                 const std::vector<std::int64_t>& labels,
                                 const std::vector<std::string>& classes = {},
                                 const std::string& split = "train") const {
    hdf5::FileWriter file = testing::new_dataset(path(name), "classification");
    if (!classes.empty()) file.write_strings("", "class_names", classes);
    file.create_group(split);
    const auto count = static_cast<std::int64_t>(labels.size());
    std::vector<float> x = ramp(2 * count);
    for (float& value : x) value += first;
    file.write(split + "/x", Shape{count, 2, 1}, x);
    file.write(split + "/y", Shape{count}, labels);
    testing::save(file);
    return path(name);
  }

  std::filesystem::path series(const std::string& name, std::int64_t rows, bool standardize) const {
    Series data("series");
    data.feature_names = {"a"};
    data.x.append(ramp(rows));
    data.parts = {{.rows = {rows, 0, 0}}};
    write_forecast(path(name), std::move(data),
                   {.valid_fraction = 0.25, .standardize = standardize});
    return path(name);
  }
};

TEST_F(DatasetJoinTest, RowsOfTheFirstComeBeforeThoseOfTheSecond) {
  Dataset dataset(Paths{labelled("a.h5", 0, {0, 1, 0}), labelled("b.h5", 100, {1, 2}),
                        labelled("c.h5", 200, {1}, {}, "test")});
  EXPECT_THAT(dataset.split_names(), ElementsAre("train", "test"));
  EXPECT_EQ(dataset.path(), path("a.h5"));
  EXPECT_EQ(dataset.output_size(), 3) << "as many classes as the labels of all files tell";
  EXPECT_THAT(dataset.description().class_names, ElementsAre("0", "1", "2"));

  Split& train = dataset.split("train");
  EXPECT_EQ(train.size(), 5);
  EXPECT_EQ(train.max_len(), 2);
  EXPECT_EQ(train.length(4), 2);
  EXPECT_THAT(train.chunks(), ElementsAre(0, 3, 5));
  EXPECT_THAT(train.where(4), EndsWith("b.h5: dataset 'train/x' row 1"));
  Batch batch;
  train.read(std::vector<std::int64_t>{4, 0, 3, 2}, batch);
  EXPECT_THAT(batch.x, ElementsAre(102, 103, 0, 1, 100, 101, 4, 5));
  EXPECT_THAT(batch.labels, ElementsAre(2, 0, 1, 0));
  EXPECT_THAT(batch.offsets, ElementsAre(0, 2, 4, 6, 8));
  train.read(std::vector<std::int64_t>{3, 4}, batch);
  EXPECT_THAT(batch.x, ElementsAre(100, 101, 102, 103));
  EXPECT_THROW(train.read(std::vector<std::int64_t>{5}, batch), InvalidArgument);
  dataset.split("test").read(std::vector<std::int64_t>{0}, batch);
  EXPECT_THAT(batch.x, ElementsAre(200, 201));

  Dataset moved = std::move(dataset);
  moved.split("train").read(std::vector<std::int64_t>{1, 3}, batch);
  EXPECT_THAT(batch.x, ElementsAre(2, 3, 100, 101));
}

TEST_F(DatasetJoinTest, LengthsMayBeFixedInOneFileAndDifferInAnother) {
  hdf5::FileWriter file = testing::new_dataset(path("b.h5"), "classification");
  file.create_group("train");
  file.write("train/x", Shape{4, 1}, ramp(4, 10));
  file.write("train/offsets", Shape{3}, std::vector<std::int64_t>{0, 3, 4});
  file.write("train/y", Shape{2}, std::vector<std::int64_t>{0, 1});
  testing::save(file);
  Dataset dataset(Paths{labelled("a.h5", 0, {0}), path("b.h5")});
  EXPECT_EQ(dataset.split("train").max_len(), 3);
  Batch batch;
  dataset.split("train").read(std::vector<std::int64_t>{2, 0, 1}, batch);
  EXPECT_THAT(batch.x, ElementsAre(30, 0, 1, 0, 10, 20));
  EXPECT_THAT(batch.offsets, ElementsAre(0, 1, 3, 6));
}

TEST_F(DatasetJoinTest, WindowsLieWithinAFile) {
  const Window window{.input_len = 2, .horizon = 1, .targets = {}};
  Dataset dataset(Paths{series("a.h5", 8, false), series("b.h5", 12, false)}, window);
  Split& train = dataset.split("train");
  EXPECT_EQ(train.size(), 4 + 7);
  Batch batch;
  train.read(std::vector<std::int64_t>{3, 4}, batch);
  EXPECT_THAT(batch.x, ElementsAre(3, 4, 0, 1));
  EXPECT_THAT(batch.targets, ElementsAre(5, 2));
}

TEST_F(DatasetJoinTest, OneOfSeveralIsThatFile) {
  Dataset dataset(Paths{labelled("a.h5", 0, {0, 1})});
  EXPECT_EQ(dataset.split("train").size(), 2);
}

TEST_F(DatasetJoinTest, NamesFileAndFieldThatDoNotAgree) {
  const auto a = labelled("a.h5", 0, {0, 1}, {"no", "yes"});
  const auto message = [](const Paths& paths) {
    return message_of<FileError>([&] { Dataset dataset(paths); });
  };
  EXPECT_EQ(message({a, labelled("b.h5", 0, {0}, {"no", "maybe"})}),
            path("b.h5").string() +
                ": attribute 'class_names': expected 'yes' as number 1, as in " + a.string() +
                ", found 'maybe'");
  EXPECT_THAT(message({a, labelled("b.h5", 0, {0}, {"no", "yes", "both"})}),
              HasSubstr("attribute 'class_names': expected 2 values, as in "));
  hdf5::FileWriter values = testing::new_dataset(path("values.h5"), "regression");
  testing::save(values);
  EXPECT_THAT(message({a, path("values.h5")}),
              HasSubstr("values.h5: attribute 'task': expected classification, as in "));

  hdf5::FileWriter wide = testing::new_dataset(path("wide.h5"), "classification");
  wide.write_strings("", "class_names", std::vector<std::string>{"no", "yes"});
  wide.create_group("train");
  wide.write("train/x", Shape{1, 2, 3}, ramp(6));
  wide.write("train/y", Shape{1}, std::vector<std::int64_t>{0});
  testing::save(wide);
  EXPECT_THAT(message({a, path("wide.h5")}),
              HasSubstr("wide.h5: attribute 'feature_names': expected 1 values, as in "));
  EXPECT_THAT(message({a, path("none.h5")}), EndsWith("none.h5: No such file or directory"));

  const Window window{.input_len = 2, .horizon = 1, .targets = {}};
  const Paths scaled{series("s.h5", 8, true), series("t.h5", 12, true)};
  EXPECT_THAT(message_of<FileError>([&] { Dataset dataset(scaled, window); }),
              HasSubstr("t.h5: attribute 'mean': expected '2.5' as number 0, as in "));
  EXPECT_EQ(message_of<InvalidArgument>([&] { Dataset dataset(Paths{}); }),
            "data set: expected at least one file, found none");
}

TEST_F(DatasetJoinTest, ATextIsOneFile) {
  hdf5::FileWriter file = testing::new_dataset(path("a.h5"), "language_model");
  file.write_strings("", "token_names", std::vector<std::string>{"a"});
  file.create_group("train");
  file.write("train/x", Shape{9}, std::vector<std::int32_t>(9));
  testing::save(file);
  const Paths paths{path("a.h5"), path("b.h5")};
  const Streams streams{.count = 1, .bptt_len = 2};
  EXPECT_EQ(message_of<InvalidArgument>([&] { Dataset dataset(paths, {}, streams); }),
            path("b.h5").string() +
                ": a second file of a text; prepare text makes one data set of several files");
}

}  // namespace
}  // namespace quadgate
