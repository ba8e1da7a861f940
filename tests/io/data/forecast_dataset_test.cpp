// Sweeps: windows over a series with three splits and over several series, strides, some target
// columns; ETTh1 where the
// shared data are; and windows that do not fit.
// Tolerance: none, a batch holds the file's bits.

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/data/dataset.h"
#include "io/importers/csv.h"
#include "io/prepare/dataset_writer.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"
#include "tests/support/paths.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::message_of;

class ForecastTest : public testing::FolderTest {
 protected:
  /// 20 rows of 2 columns, x = 0, 1, 2, ...: rows 0-11 train, 12-15 valid, 16-19 test.
  std::filesystem::path series() const {
    Series data("series");
    data.feature_names = {"a", "b"};
    data.x.append(testing::ramp(40));
    data.parts = {{.rows = {20, 0, 0}}};
    write_forecast(path("data.h5"), std::move(data), {.valid_fraction = 0.2, .test_fraction = 0.2});
    return path("data.h5");
  }
};

TEST_F(ForecastTest, CutsWindowsWithTargetsInsideTheSplit) {
  Dataset dataset(series(), Window{.input_len = 3, .horizon = 2, .targets = {"b"}});
  EXPECT_EQ(dataset.task(), Task::regression);
  EXPECT_TRUE(dataset.is_forecast());
  EXPECT_EQ(dataset.input_size(), 2);
  EXPECT_EQ(dataset.output_size(), 2);
  EXPECT_EQ(dataset.split("train").size(), 8);  // targets from rows 3, ..., 10
  EXPECT_EQ(dataset.split("valid").size(), 3);  // from rows 12, 13, 14
  EXPECT_EQ(dataset.split("test").size(), 3);
  EXPECT_EQ(dataset.split("test").max_len(), 3);

  Batch batch;
  dataset.split("train").read(std::array<std::int64_t, 2>{7, 0}, batch);
  EXPECT_THAT(batch.offsets, ElementsAre(0, 3, 6));
  EXPECT_THAT(batch.x, ElementsAre(14, 15, 16, 17, 18, 19, 0, 1, 2, 3, 4, 5));
  EXPECT_THAT(batch.targets, ElementsAre(21, 23, 7, 9));
  dataset.split("valid").read(std::array<std::int64_t, 1>{0}, batch);
  EXPECT_THAT(batch.x, ElementsAre(18, 19, 20, 21, 22, 23)) << "inputs reach back before row 12";
  EXPECT_THAT(batch.targets, ElementsAre(25, 27));
  dataset.split("test").read(std::array<std::int64_t, 1>{2}, batch);
  EXPECT_THAT(batch.targets, ElementsAre(37, 39)) << "the last row is used";
}

TEST_F(ForecastTest, StridesAndForecastsEveryColumn) {
  Dataset dataset(series(), Window{.input_len = 1, .horizon = 2, .stride = 4, .targets = {}});
  EXPECT_EQ(dataset.output_size(), 4);
  EXPECT_THAT(dataset.description().window->targets, ElementsAre("a", "b"));
  Split& split = dataset.split("train");
  EXPECT_EQ(split.size(), 3);  // targets from rows 1, 5, 9
  Batch batch;
  split.read(std::array<std::int64_t, 1>{2}, batch);
  EXPECT_THAT(batch.x, ElementsAre(16, 17));
  EXPECT_THAT(batch.targets, ElementsAre(18, 19, 20, 21));
}

TEST_F(ForecastTest, ReachesBackOnlyToRowZero) {
  Dataset dataset(series(), Window{.input_len = 11, .horizon = 1, .targets = {}});
  EXPECT_EQ(dataset.split("train").size(), 1);
  EXPECT_EQ(dataset.split("valid").size(), 4);
  Batch batch;
  dataset.split("train").read(std::array<std::int64_t, 1>{0}, batch);
  EXPECT_EQ(batch.x.front(), 0);
}

TEST_F(ForecastTest, NamesWindowsThatDoNotFit) {
  const auto file = series();
  const auto open = [&](const std::optional<Window>& window) {
    return [=] { Dataset dataset(file, window); };
  };
  EXPECT_THAT(
      message_of<DataError>(open(Window{.input_len = 12, .horizon = 1, .targets = {}})),
      EndsWith("dataset 'train/x': the split is empty: no 12 rows of input and 1 of targets "
               "fit, the targets in rows 0 to 12"));
  EXPECT_THAT(message_of<DataError>(open(
                  Window{.input_len = 1, .horizon = INT64_MAX, .stride = 1, .targets = {"a"}})),
              HasSubstr("the split is empty"));
  EXPECT_THAT(message_of<InvalidArgument>(open({})),
              EndsWith("a window (input_len, horizon) is needed for a forecast data set"));
  EXPECT_EQ(message_of<InvalidArgument>(open(Window{.input_len = 0, .horizon = 1, .targets = {}})),
            "input_len: expected at least 1, found 0");
  EXPECT_EQ(
      message_of<InvalidArgument>(open(Window{.input_len = 1, .horizon = 1, .targets = {"c"}})),
      "targets: expected columns out of a, b, found 'c'");
}

/// Three series, of 6, 2 and 5 rows, in 13 rows of a column, x = 0, 1, 2, ...; all rows but the
/// last one or two of each are to train.
hdf5::FileWriter several_series(const std::filesystem::path& path,
                                std::vector<std::int64_t> train) {
  hdf5::FileWriter file = testing::new_dataset(path, "forecast");
  const std::int64_t shape[] = {13, 1};
  const auto series = static_cast<std::int64_t>(train.size()) / 3;
  const std::int64_t ranges[] = {series, 3};
  file.create_group("train");
  file.write("train/x", shape, testing::ramp(13));
  file.write("train/ranges", ranges, train);
  return file;
}

TEST_F(ForecastTest, WindowsOfSeveralSeriesLieWithinOne) {
  hdf5::FileWriter made = several_series(path("a.h5"), {0, 0, 4, 6, 6, 7, 8, 8, 11});
  made.create_group("valid");
  made.link("train/x", "valid/x");
  const std::int64_t ranges[] = {3, 3};
  made.write("valid/ranges", ranges, std::vector<std::int64_t>{0, 4, 6, 6, 7, 8, 8, 11, 13});
  testing::save(made);
  Dataset dataset(path("a.h5"), Window{.input_len = 2, .horizon = 1, .targets = {}});
  Split& train = dataset.split("train");
  EXPECT_EQ(train.size(), 3) << "none of the series of 1 row";
  Batch batch;
  train.read(std::array<std::int64_t, 3>{0, 1, 2}, batch);
  EXPECT_THAT(batch.x, ElementsAre(0, 1, 1, 2, 8, 9));
  EXPECT_THAT(batch.targets, ElementsAre(2, 3, 10));
  EXPECT_THAT(train.where(2), EndsWith("a.h5: dataset 'train/x' row 8"));
  // Inputs reach back before the targets, but not into the series before.
  Split& valid = dataset.split("valid");
  EXPECT_EQ(valid.size(), 4);
  valid.read(std::array<std::int64_t, 4>{0, 1, 2, 3}, batch);
  EXPECT_THAT(batch.x, ElementsAre(2, 3, 3, 4, 9, 10, 10, 11));
  EXPECT_THAT(batch.targets, ElementsAre(4, 5, 11, 12));
}

TEST_F(ForecastTest, ReadsWindowsInAnyOrderAsOneByOne) {
  hdf5::FileWriter made = several_series(path("a.h5"), {0, 0, 6, 6, 6, 7, 7, 7, 13});
  testing::save(made);
  for (const std::int64_t stride : {1, 2, 4}) {
    Dataset dataset(path("a.h5"), Window{2, 1, stride, {}});
    Split& split = dataset.split("train");
    std::vector<std::int64_t> rows;
    for (std::int64_t row = 0; row < split.size(); ++row) rows.push_back(row);
    for (int order = 0; order < 2; ++order, std::ranges::reverse(rows)) {
      Batch all;
      split.read(rows, all);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        Batch one;
        split.read(std::array{rows[i]}, one);
        EXPECT_EQ(one.x[0], all.x[2 * i]);
        EXPECT_EQ(one.x[1], all.x[2 * i + 1]);
        EXPECT_EQ(one.targets[0], all.targets[i]);
        EXPECT_EQ(one.targets[0], one.x[0] + 2);
      }
    }
  }
}

TEST_F(ForecastTest, NamesRangesThatDoNotFit) {
  const auto open = [&](std::vector<std::int64_t> ranges) {
    hdf5::FileWriter file = several_series(path("a.h5"), std::move(ranges));
    testing::save(file);
    Dataset dataset(path("a.h5"), Window{.input_len = 2, .horizon = 1, .targets = {}});
  };
  for (const auto& [wrong, text] : std::vector<std::pair<std::vector<std::int64_t>, std::string>>{
           {{0, 0, 4, -1, 6, 7}, "-1, 6 and 7"},
           {{0, 0, 4, 6, 5, 7}, "6, 5 and 7"},
           {{0, 0, 4, 6, 7, 6}, "6, 7 and 6"},
           {{0, 0, 4, 6, 6, 14}, "6, 6 and 14"}}) {
    const std::vector<std::int64_t>& ranges = wrong;
    EXPECT_THAT(message_of<FileError>([&] { open(ranges); }),
                EndsWith("dataset 'train/ranges' row 1: expected first <= begin <= end within rows "
                         "0 to 13, found " +
                         text));
  }
  EXPECT_THAT(message_of<DataError>([&] {
                open({0, 0, 2, 2, 2, 4});
              }),
              EndsWith("the split is empty: no 2 rows of input and 1 of targets fit into any of 2 "
                       "series"));
}

TEST_F(ForecastTest, ReadsTheElectricityTransformerSet) {
  const std::filesystem::path csv = std::filesystem::path(paths::shared_data()) / "ETTh1.csv";
  if (!std::filesystem::exists(csv)) GTEST_SKIP() << "SKIPPED: no " << csv;
  CsvImporter importer;
  importer.read(csv);
  Series read = importer.take();
  EXPECT_THAT(read.feature_names,
              ElementsAre("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"));
  EXPECT_EQ(read.size(), 17420);
  EXPECT_EQ(testing::values_of(read.x)[6], 30.531F);
  write_forecast(path("data.h5"), std::move(read),
                 {.valid_fraction = 0.2, .test_fraction = 0.2, .standardize = true});

  Dataset dataset(path("data.h5"), Window{.input_len = 168, .horizon = 24, .targets = {"OT"}});
  EXPECT_EQ(dataset.split("train").size(), 10452 - 168 - 24 + 1);
  EXPECT_EQ(dataset.split("test").size(), 3484 - 24 + 1);
  Batch batch;
  dataset.split("train").read(std::array<std::int64_t, 1>{0}, batch);
  const DataDescription& description = dataset.description();
  EXPECT_NEAR(batch.x[6] * description.std[6] + description.mean[6], 30.531, 1e-6);
}

}  // namespace
}  // namespace quadgate
