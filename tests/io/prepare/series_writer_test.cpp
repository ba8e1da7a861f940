// Sweeps: one series and several, splits by fraction and given ones, gaps filled with the mean,
// read back through Dataset; and what does not fit. Tolerance: statistics are sums of a few numbers
// in double, rounded once to float: 4 ulp.

#include "io/prepare/series_writer.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/data/dataset.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using testing::message_of;

class SeriesWriterTest : public testing::FolderTest {
 protected:
  template <typename Exception>
  std::string error(Series data, const PrepareOptions& options = {}) const {
    return message_of<Exception>([&] { write_forecast(path("a.h5"), std::move(data), options); });
  }
};

const float kNone = std::nanf("");

Series series(const std::vector<float>& x, const std::vector<SeriesPart>& parts) {
  Series data("input");
  data.feature_names = {"a", "b"};
  data.x.append(x);
  data.parts = parts;
  return data;
}

std::vector<std::int64_t> ranges_of(const hdf5::File& file, const std::string& split) {
  const hdf5::Array array = file.array(split + "/ranges");
  std::vector<std::int64_t> values(static_cast<std::size_t>(array.size()));
  array.read(0, array.shape()[0], values);
  return values;
}

TEST_F(SeriesWriterTest, StandardizesByTheTrainingRows) {
  // Columns: 0, 2, 4, 6 (mean 3, variance 5), and the constant 7; test rows play no part.
  write_forecast(path("a.h5"), series({0, 7, 2, 7, 4, 7, 6, 7, 13, 9}, {{.rows = {4, 0, 1}}}),
                 {.standardize = true});
  const hdf5::File file = hdf5::File::open(path("a.h5"));
  const auto mean = file.read_floats("", "mean");
  const auto std = file.read_floats("", "std");
  EXPECT_THAT(mean, ElementsAre(3, 7));
  EXPECT_FLOAT_EQ(std[0], std::sqrt(5.0F));
  EXPECT_EQ(std[1], 1) << "of a constant column";
  const auto x = file.array("test/x").read_floats();
  EXPECT_FLOAT_EQ(x[0], -3 / std::sqrt(5.0F));
  EXPECT_FLOAT_EQ(x[8], 10 / std::sqrt(5.0F));
  EXPECT_EQ(x[9], 2);
  EXPECT_EQ(file.read_int("test", "begin"), 4);
  EXPECT_EQ(file.read_int("test", "end"), 5);
  EXPECT_EQ(file.read_int("", "format_version"), 3);
}

TEST_F(SeriesWriterTest, KeepsTheDigitsOfAColumnFarFromZero) {
  // 1e7 and a tenth either way, and a constant that float64 rounds.
  Series data("input");
  data.feature_names = {"far", "constant"};
  data.x.append(std::vector{1e7 + 0.1, 0.1, 1e7 - 0.1, 0.1, 1e7 + 0.1, 0.1, 1e7 - 0.1, 0.1});
  data.parts = {{.rows = {4, 0, 0}}};
  write_forecast(path("a.h5"), std::move(data), {.standardize = true});
  const hdf5::File file = hdf5::File::open(path("a.h5"));
  EXPECT_THAT(file.read_doubles("", "mean"), ElementsAre(1e7, 0.1));
  const auto std = file.read_doubles("", "std");
  EXPECT_NEAR(std[0], 0.1, 1e-8) << "1e7 has steps of 2e-9";
  EXPECT_EQ(std[1], 1);
  const auto x = file.array("train/x").read_floats();
  EXPECT_THAT(x, ElementsAre(FloatNear(1, 1e-6F), 0, FloatNear(-1, 1e-6F), 0,  //
                             FloatNear(1, 1e-6F), 0, FloatNear(-1, 1e-6F), 0));
}

TEST_F(SeriesWriterTest, WritesRangesOfEachSeries) {
  std::vector<float> x;
  for (const float row : testing::ramp(14)) x.insert(x.end(), {row, row});
  const auto sizes =
      write_forecast(path("a.h5"), series(x, {{"north", {8, 0, 0}}, {"south", {6, 0, 0}}}),
                     {.valid_fraction = 0.25, .test_fraction = 0.125});
  EXPECT_EQ(sizes.train, 8);  // 5 + 3: llround(1.5) and llround(0.75) of the south
  EXPECT_EQ(sizes.valid, 4);
  EXPECT_EQ(sizes.test, 2);
  const hdf5::File file = hdf5::File::open(path("a.h5"));
  EXPECT_EQ(file.read_int("", "format_version"), 2);
  EXPECT_THAT(file.read_strings("", "series_names"), ElementsAre("north", "south"));
  EXPECT_THAT(ranges_of(file, "train"), ElementsAre(0, 0, 5, 8, 8, 11));
  EXPECT_THAT(ranges_of(file, "valid"), ElementsAre(0, 5, 7, 8, 11, 13));
  EXPECT_THAT(ranges_of(file, "test"), ElementsAre(0, 7, 8, 8, 13, 14));

  Dataset dataset(path("a.h5"), Window{.input_len = 2, .horizon = 1, .targets = {"a"}});
  EXPECT_EQ(dataset.split("train").size(), 3 + 1);
  EXPECT_EQ(dataset.split("valid").size(), 2 + 2);
  Batch batch;
  dataset.split("test").read(std::array<std::int64_t, 2>{0, 1}, batch);
  EXPECT_THAT(batch.targets, ElementsAre(7, 13));
  EXPECT_THAT(batch.x, ElementsAre(5, 5, 6, 6, 11, 11, 12, 12));
}

TEST_F(SeriesWriterTest, FillsGapsWithTheMeanOfTheTrainingRows) {
  Series data = series({1, 5, kNone, 6, 3, 7, 100, kNone}, {{.rows = {3, 1, 0}}});
  data.fill_with_mean = true;
  write_forecast(path("a.h5"), std::move(data), {});
  EXPECT_THAT(hdf5::File::open(path("a.h5")).array("train/x").read_floats(),
              ElementsAre(1, 5, 2, 6, 3, 7, 100, 6));
  EXPECT_FALSE(hdf5::File::open(path("a.h5")).has_attribute("", "mean"));
}

TEST_F(SeriesWriterTest, LeavesTheFileAsItWasWhenItFails) {
  file("a.h5", "precious");
  EXPECT_EQ(error<DataError>(series({1, 2, 3, kNone}, {{.rows = {2, 0, 0}}})),
            "input: row 1, column 'b': not finite");
  Series empty = series({1, kNone, 3, kNone}, {{.rows = {2, 0, 0}}});
  empty.fill_with_mean = true;
  EXPECT_EQ(error<DataError>(std::move(empty)),
            "input: row 0, column 'b': no training row has a value to take the mean of");
  EXPECT_EQ(
      error<InvalidArgument>(series({1, 2, 3, 4}, {{.rows = {1, 1, 0}}}), {.valid_fraction = 0.5}),
      "--valid-fraction: expected none beside a validation file, found 0.5");
  EXPECT_EQ(
      error<InvalidArgument>(series({1, 2, 3, 4, 5, 6}, {{.rows = {2, 1, 0}}}),
                             {.test_fraction = 0.5}),
      "--test-fraction: expected none where valid rows follow those that it would divide, found "
      "0.5");
  const SeriesPart one{.name = "one", .rows = {1, 0, 0}};
  for (const auto& [fraction, split] : {std::pair{0.4, "valid"}, {0.6, "train"}}) {
    EXPECT_EQ(
        error<InvalidArgument>(series({1, 2, 3, 4, 5, 6}, {one, one, one}),
                               {.valid_fraction = fraction}),
        fmt::format("input: --valid-fraction {} leaves the {} split empty, of 3 series with 3 "
                    "rows in all",
                    fraction, split));
  }
  EXPECT_EQ(testing::content_of(path("a.h5")), "precious");
  EXPECT_THAT(testing::files_beside(path("a.h5")), ElementsAre("a.h5"));
}

}  // namespace
}  // namespace quadgate
