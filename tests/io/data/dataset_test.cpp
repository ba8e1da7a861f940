// Sweeps: classification, tagging and regression, of features and tokens, with sequences of one
// length and of many, rows in any order; and every kind of file that is not a data set. Tolerance:
// none, a batch holds the file's bits.

#include "io/data/dataset.h"

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;
using testing::new_dataset;
using testing::ramp;
using testing::save;

using Shape = std::vector<std::int64_t>;

class DatasetTest : public testing::FolderTest {
 protected:
  std::filesystem::path data_path() const { return path("data.h5"); }

  /// 4 sequences of 2 steps of 3 features, x = 0, 1, 2, ...; classes "no" and "yes".
  hdf5::FileWriter fixed(const std::string& task = "classification") const {
    hdf5::FileWriter file = new_dataset(data_path(), task);
    file.write_strings("", "class_names", classes_);
    file.create_group("train");
    file.write("train/x", Shape{4, 2, 3}, ramp(24));
    return file;
  }

  /// 2 sequences of 3 of 3 tokens.
  hdf5::FileWriter tokens(const std::vector<std::int32_t>& x) const {
    hdf5::FileWriter file = new_dataset(data_path(), "classification");
    file.write_strings("", "class_names", classes_);
    file.write_strings("", "token_names", std::vector<std::string>{"<unk>", "ß", "樹"});
    file.create_group("train");
    file.write("train/x", Shape{2, 3}, x);
    return file;
  }

  /// Sequences of 2, 1 and 3 steps of 2 features.
  hdf5::FileWriter variable(const std::string& task,
                            const std::vector<std::int64_t>& offsets) const {
    hdf5::FileWriter file = new_dataset(data_path(), task);
    file.write_strings("", "class_names", classes_);
    file.create_group("test");
    file.write("test/x", Shape{6, 2}, ramp(12));
    file.write("test/offsets", Shape{static_cast<std::int64_t>(offsets.size())}, offsets);
    return file;
  }

  /// The message of the exception that opening throws, without the path.
  template <typename Exception>
  std::string open_error(hdf5::FileWriter file) const {
    save(file);
    const std::string message = message_of<Exception>([&] { Dataset dataset(data_path()); });
    EXPECT_TRUE(message.starts_with(data_path().string() + ": ")) << message;
    return message.substr(data_path().string().size() + 2);
  }

  const std::vector<std::string> classes_{"no", "yes"};
  const std::vector<std::int64_t> labels_{0, 1, 1, 0};
};

TEST_F(DatasetTest, ReadsClassificationOfOneLength) {
  hdf5::FileWriter file = fixed();
  file.write("train/y", Shape{4}, labels_);
  save(file);

  Dataset dataset(data_path());
  EXPECT_EQ(dataset.task(), Task::classification);
  EXPECT_FALSE(dataset.is_forecast());
  EXPECT_EQ(dataset.input_size(), 3);
  EXPECT_EQ(dataset.output_size(), 2);
  EXPECT_THAT(dataset.description().feature_names, ElementsAre("0", "1", "2"));
  EXPECT_THAT(dataset.split_names(), ElementsAre("train"));
  EXPECT_EQ(message_of<InvalidArgument>([&] { dataset.split("test"); }),
            data_path().string() + ": has no split 'test', only train");

  Split& split = dataset.split("train");
  EXPECT_EQ(split.size(), 4);
  EXPECT_EQ(split.max_len(), 2);
  EXPECT_EQ(split.length(3), 2);
  Batch batch;
  split.read(std::array<std::int64_t, 3>{3, 1, 2}, batch);
  EXPECT_THAT(batch.offsets, ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(batch.x,
              ElementsAre(18, 19, 20, 21, 22, 23, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17));
  EXPECT_THAT(batch.labels, ElementsAre(0, 1, 1));
  EXPECT_THAT(batch.targets, IsEmpty());
  EXPECT_THROW(split.read(std::array<std::int64_t, 1>{4}, batch), InvalidArgument);
}

TEST_F(DatasetTest, ReadsTaggingOfManyLengths) {
  hdf5::FileWriter file = variable("tagging", {0, 2, 3, 6});
  file.write("test/y", Shape{6}, std::vector<std::int64_t>{0, 1, 0, 1, 1, 0});
  save(file);

  Dataset dataset(data_path());
  Split& split = dataset.split("test");
  EXPECT_EQ(split.size(), 3);
  EXPECT_EQ(split.max_len(), 3);
  EXPECT_EQ(split.length(1), 1);
  Batch batch;
  split.read(std::array<std::int64_t, 2>{2, 0}, batch);
  EXPECT_THAT(batch.offsets, ElementsAre(0, 3, 5));
  EXPECT_THAT(batch.x, ElementsAre(6, 7, 8, 9, 10, 11, 0, 1, 2, 3));
  EXPECT_THAT(batch.labels, ElementsAre(1, 1, 0, 0, 1));
}

TEST_F(DatasetTest, ReadsTokensOfOneLength) {
  hdf5::FileWriter file = tokens({0, 1, 2, 2, 1, 0});
  file.write("train/y", Shape{2}, std::vector<std::int64_t>{1, 0});
  save(file);

  Dataset dataset(data_path());
  EXPECT_EQ(dataset.input_size(), 0);
  EXPECT_EQ(dataset.vocabulary_size(), 3);
  EXPECT_THAT(dataset.description().token_names, ElementsAre("<unk>", "ß", "樹"));
  EXPECT_THAT(dataset.description().feature_names, IsEmpty());
  Batch batch;
  batch.x = {1};
  dataset.split("train").read(std::array<std::int64_t, 2>{1, 0}, batch);
  EXPECT_THAT(batch.tokens, ElementsAre(2, 1, 0, 0, 1, 2));
  EXPECT_THAT(batch.offsets, ElementsAre(0, 3, 6));
  EXPECT_THAT(batch.x, IsEmpty());
  EXPECT_THAT(batch.labels, ElementsAre(0, 1));
}

TEST_F(DatasetTest, NamesTheRowOfABadToken) {
  for (const std::int32_t bad : {-1, 3}) {
    hdf5::FileWriter file = tokens({0, 1, 2, 2, bad, 0});
    file.write("train/y", Shape{2}, std::vector<std::int64_t>{1, 0});
    save(file);
    Dataset dataset(data_path());
    Batch batch;
    EXPECT_EQ(message_of<DataError>([&] {
                dataset.split("train").read(std::array<std::int64_t, 2>{1, 0}, batch);
              }),
              data_path().string() +
                  ": dataset 'train/x' row 1: expected a token from 0 to 2, found " +
                  std::to_string(bad));
  }
}

TEST_F(DatasetTest, RefusesTokensWithoutAVocabulary) {
  hdf5::FileWriter file = new_dataset(data_path(), "classification");
  file.create_group("train");
  file.write("train/x", Shape{2, 1}, std::vector<std::int32_t>{0, 1});
  file.write("train/y", Shape{2}, std::vector<std::int64_t>{1, 0});
  EXPECT_EQ(open_error<FileError>(std::move(file)),
            "attribute 'token_names': expected the names of all tokens of x, found none");
  file = new_dataset(data_path(), "classification");
  file.write_strings("", "token_names", {});
  file.create_group("train");
  file.write("train/x", Shape{2, 1}, std::vector<std::int32_t>{0, 1});
  EXPECT_EQ(open_error<FileError>(std::move(file)),
            "attribute 'token_names': expected the names of all tokens of x, found none");
  file = new_dataset(data_path(), "classification");
  file.write_strings("", "token_names", classes_);
  file.create_group("train");
  file.write("train/x", Shape{2, 1}, std::vector<float>{0, 1});
  file.write("train/y", Shape{2}, std::vector<std::int64_t>{1, 0});
  EXPECT_EQ(open_error<FileError>(std::move(file)),
            "dataset 'train/x': expected int32 [n, T], found float32 [2, 1]");
}

TEST_F(DatasetTest, ReadsRegression) {
  hdf5::FileWriter file = variable("regression", {0, 2, 3, 6});
  file.write("test/y", Shape{3, 2}, ramp(6, 0.5F));
  save(file);

  Dataset dataset(data_path());
  EXPECT_EQ(dataset.output_size(), 2);
  Batch batch;
  dataset.split("test").read(std::array<std::int64_t, 2>{2, 0}, batch);
  EXPECT_THAT(batch.targets, ElementsAre(2, 2.5, 0, 0.5));
  EXPECT_THAT(batch.labels, IsEmpty());
}

TEST_F(DatasetTest, ReusesABatch) {
  hdf5::FileWriter file = variable("classification", {0, 2, 3, 6});
  file.write("test/y", Shape{3}, std::vector<std::int64_t>{0, 1, 0});
  save(file);
  Dataset dataset(data_path());
  Batch batch;
  dataset.split("test").read(std::array<std::int64_t, 3>{0, 1, 2}, batch);
  const float* before = batch.x.data();
  dataset.split("test").read(std::array<std::int64_t, 2>{1, 0}, batch);
  EXPECT_EQ(batch.x.data(), before);
  EXPECT_THAT(batch.x, ElementsAre(4, 5, 0, 1, 2, 3));
}

TEST_F(DatasetTest, NamesWhatIsWrongInAFile) {
  const auto error = [&](hdf5::FileWriter file) { return open_error<FileError>(std::move(file)); };
  EXPECT_EQ(error(fixed("sorting")),
            "attribute 'task': expected classification, tagging, regression, forecast or "
            "language_model, found 'sorting'");
  EXPECT_EQ(error(new_dataset(data_path(), "tagging")),
            "expected a group train, valid or test, found none");

  hdf5::FileWriter labels = fixed();
  labels.write("train/y", Shape{4}, ramp(4));
  EXPECT_EQ(error(std::move(labels)), "dataset 'train/y': expected int64 [4], found float32 [4]");

  hdf5::FileWriter targets = fixed("regression");
  targets.write("train/y", Shape{3, 2}, ramp(6));
  EXPECT_EQ(error(std::move(targets)),
            "dataset 'train/y': expected float32 [4, 2], found float32 [3, 2]");

  hdf5::FileWriter flat = fixed("regression");
  flat.write("train/y", Shape{4}, ramp(4));
  EXPECT_EQ(error(std::move(flat)),
            "dataset 'train/y': expected float32 [n, O], found float32 [4]");

  hdf5::FileWriter nameless = new_dataset(data_path(), "classification");
  nameless.create_group("train");
  nameless.write("train/x", Shape{1, 2, 3}, ramp(6));
  nameless.write("train/y", Shape{1}, std::vector<std::int64_t>{1 << 20});
  EXPECT_EQ(open_error<DataError>(std::move(nameless)),
            "attribute 'class_names': expected for a label as large as 1048576");

  hdf5::FileWriter classless = new_dataset(data_path(), "tagging");
  classless.write_strings("", "class_names", {});
  classless.create_group("train");
  classless.write("train/x", Shape{1, 2, 3}, ramp(6));
  classless.write("train/y", Shape{2}, std::vector<std::int64_t>{0, 0});
  EXPECT_EQ(error(std::move(classless)),
            "attribute 'class_names': expected the names of all classes of y, found none");

  hdf5::FileWriter other_width = fixed();
  other_width.write("train/y", Shape{4}, labels_);
  other_width.create_group("test");
  other_width.write("test/x", Shape{1, 2, 5}, ramp(10));
  other_width.write("test/y", Shape{1}, std::vector<std::int64_t>{0});
  EXPECT_EQ(error(std::move(other_width)),
            "dataset 'test/x': expected float32 [n, T, 3], found float32 [1, 2, 5]");

  hdf5::FileWriter names = fixed();
  names.write_strings("", "feature_names", classes_);
  EXPECT_EQ(error(std::move(names)),
            "attribute 'feature_names': expected 3 values, one a feature of x, found 2");

  hdf5::FileWriter newer = hdf5::FileWriter::create(data_path());
  newer.write_string("", "format", "quadgate-dataset");
  newer.write_int("", "format_version", 6);
  EXPECT_EQ(error(std::move(newer)),
            "attribute 'format_version': expected at most 5, found 6: written by a newer quadgate");
}

TEST_F(DatasetTest, CountsClassesWithoutNamesAndNeedsNoVersion) {
  hdf5::FileWriter file = hdf5::FileWriter::create(data_path());
  file.write_string("", "format", "quadgate-dataset");
  file.write_string("", "task", "classification");
  for (const auto& [name, label] : {std::pair("train", 1), std::pair("test", 2)}) {
    file.create_group(name);
    file.write(std::string(name) + "/x", Shape{1, 2, 3}, ramp(6));
    file.write(std::string(name) + "/y", Shape{1}, std::vector<std::int64_t>{label});
  }
  save(file);
  const Dataset dataset(data_path());
  EXPECT_EQ(dataset.output_size(), 3);
  EXPECT_THAT(dataset.description().class_names, ElementsAre("0", "1", "2"));
}

TEST_F(DatasetTest, NamesWrongOffsets) {
  const auto error = [&](const std::vector<std::int64_t>& offsets) {
    hdf5::FileWriter file = variable("regression", offsets);
    file.write("test/y", Shape{3, 1}, ramp(3));
    return open_error<FileError>(std::move(file));
  };
  EXPECT_EQ(error({0, 2, 3, 5}),
            "dataset 'test/offsets': expected 0 to 6, the rows of x, found 0 to 5");
  EXPECT_EQ(error({0, 3, 3, 6}),
            "dataset 'test/offsets' row 1: expected a length of at least 1, found 0");
  EXPECT_EQ(error({0, 7, 3, 6}),
            "dataset 'test/offsets' row 1: expected a length of at least 1, found -4");
  EXPECT_EQ(error({}), "dataset 'test/offsets': expected from 1 to 7 values, found 0");
}

TEST_F(DatasetTest, NamesEmptySplits) {
  hdf5::FileWriter file = fixed();
  file.write("train/y", Shape{4}, labels_);
  file.create_group("valid");
  file.write("valid/x", Shape{0, 2, 3}, ramp(0));
  file.write("valid/y", Shape{0}, std::vector<std::int64_t>{});
  EXPECT_EQ(open_error<DataError>(std::move(file)), "dataset 'valid/x': the split is empty");
}

TEST_F(DatasetTest, NamesLabelsOutOfRange) {
  hdf5::FileWriter file = fixed();
  file.write("train/y", Shape{4}, std::vector<std::int64_t>{0, 1, 2, 0});
  EXPECT_EQ(open_error<DataError>(std::move(file)),
            "dataset 'train/y' row 2: expected a label from 0 to 1 or ignore_index (-100), "
            "found 2");

  hdf5::FileWriter tags = variable("tagging", {0, 2, 3, 6});
  tags.write("test/y", Shape{6}, std::vector<std::int64_t>{0, 1, 0, -1, 1, 0});
  save(tags);
  Dataset dataset(data_path());
  Batch batch;
  EXPECT_THAT(
      message_of<DataError>([&] {
        dataset.split("test").read(std::array<std::int64_t, 2>{0, 2}, batch);
      }),
      EndsWith("dataset 'test/y' row 2: expected a label from 0 to 1 or ignore_index (-100), "
               "found -1"));
}

TEST_F(DatasetTest, TakesTheLabelThatDoesNotCount) {
  hdf5::FileWriter file = fixed();
  file.write("train/y", Shape{4}, std::vector<std::int64_t>{0, 1, -100, 0});
  save(file);
  Batch batch;
  Dataset(data_path()).split("train").read(std::array<std::int64_t, 1>{2}, batch);
  EXPECT_THAT(batch.labels, ElementsAre(-100));
}

TEST_F(DatasetTest, TakesNoOtherLabelThanTheOneGiven) {
  hdf5::FileWriter tags = variable("tagging", {0, 2, 3, 6});
  tags.write("test/y", Shape{6}, std::vector<std::int64_t>{0, 1, 0, -1, 1, 255});
  save(tags);
  Batch batch;
  EXPECT_THAT(
      message_of<DataError>([&] {
        Dataset(data_path(), {}, {}, -1).split("test").read(std::array<std::int64_t, 1>{2}, batch);
      }),
      EndsWith("or ignore_index (-1), found 255"));
}

TEST_F(DatasetTest, NamesValuesThatAreNotFinite) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    std::vector<float> x = ramp(12);
    x[5] = bad;  // sequence 1
    hdf5::FileWriter file = new_dataset(data_path(), "regression");
    file.create_group("train");
    file.write("train/x", Shape{3, 2, 2}, x);
    file.write("train/y", Shape{3, 1}, std::vector<float>{0, 0, -bad});
    save(file);
    Dataset dataset(data_path());
    Batch batch;
    const auto error = [&](std::int64_t row) {
      return message_of<DataError>([&] {
        dataset.split("train").read(std::array<std::int64_t, 2>{0, row}, batch);
      });
    };
    EXPECT_THAT(error(1), EndsWith("data.h5: dataset 'train/x' row 1: not finite"));
    EXPECT_THAT(error(2), EndsWith("data.h5: dataset 'train/y' row 2: not finite"));
  }
}

TEST_F(DatasetTest, WantsNoWindow) {
  hdf5::FileWriter file = fixed();
  file.write("train/y", Shape{4}, labels_);
  save(file);
  EXPECT_THAT(message_of<InvalidArgument>([&] {
                Dataset dataset(data_path(), Window{.input_len = 1, .horizon = 1, .targets = {}});
              }),
              HasSubstr("a window (input_len, horizon) is not for a classification data set"));
  EXPECT_EQ(read_dataset_task(data_path()), "classification");
}

TEST_F(DatasetTest, ReadsSequencesWithoutTargetsForPredictionsAlone) {
  hdf5::FileWriter file = fixed();
  save(file);
  Dataset data(data_path());
  EXPECT_EQ(message_of<DataError>([&] { data.split("train"); }),
            data_path().string() +
                ": expected a target of each row, found none (train/y): only 'predict' takes such "
                "a file");
  Batch batch;
  data.inputs("train").read(std::vector<std::int64_t>{1}, batch);
  EXPECT_EQ(batch.rows(), 1);
  EXPECT_TRUE(batch.labels.empty());
}

}  // namespace
}  // namespace quadgate
