// Sweeps: descriptions that are empty, full and of a forecast, there and back through a file.
// Tolerance: none, files hold the same bits.

#include "io/data/data_description.h"

#include <cmath>
#include <limits>
#include <vector>

#include "engine/base/error.h"
#include "io/hdf5/attributes.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::message_of;

using DataDescriptionTest = testing::FolderTest;

TEST_F(DataDescriptionTest, SurvivesAFile) {
  const DataDescription full{
      .feature_names = {"a", "b"},
      .class_names = {"no", "yes"},
      .mean = {0.5F, 1},
      .std = {2, 3},
      .window = Window{.input_len = 4, .horizon = 2, .stride = 3, .targets = {"b"}}};
  const DataDescription timed{
      .feature_names = {"a", "promo", "hour_sin", "hour_cos"},
      .known_names = {"promo"},
      .recipe = Recipe{.kind = "csv",
                       .time = "at",
                       .calendar = {"hour"},
                       .statics = {{"area"}, {"kind", {"b", "c"}}, {"size", {"b"}}},
                       .step = {.count = 60}}};
  const DataDescription characters{.token_names = {"<unk>", "樹"},
                                   .token_level = TextLevel::characters,
                                   .class_names = {"B-NOUN", "I-NOUN"}};
  for (const DataDescription& description : {DataDescription{}, full, timed, characters}) {
    hdf5::FileWriter made = hdf5::FileWriter::create(path("a.h5"));
    made.create_group("model");
    hdf5::ObjectWriter attributes(made, "model");
    write_data_description(attributes, description);
    testing::save(made);
    const hdf5::File read = hdf5::File::open(path("a.h5"));
    EXPECT_EQ(read_data_description(hdf5::ObjectReader(read, "model")), description);
  }
}

TEST_F(DataDescriptionTest, NamesAnUnknownLevel) {
  hdf5::FileWriter made = hdf5::FileWriter::create(path("a.h5"));
  made.write_string("", "token_level", "words");
  testing::save(made);
  const hdf5::File known = hdf5::File::open(path("a.h5"));
  EXPECT_EQ(read_data_description(hdf5::ObjectReader(known, "")).token_level, TextLevel::words);
  made = hdf5::FileWriter::create(path("b.h5"));
  made.write_string("", "token_level", "syllables");
  testing::save(made);
  const hdf5::File other = hdf5::File::open(path("b.h5"));
  EXPECT_THAT(message_of<FileError>([&] { read_data_description(hdf5::ObjectReader(other, "")); }),
              EndsWith("b.h5: attribute 'token_level': expected words or characters, found "
                       "'syllables'"));
}

TEST_F(DataDescriptionTest, RefusesAScaleThatCannotBe) {
  const double none = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  const auto message = [&](const std::vector<double>& mean, const std::vector<double>& std) {
    hdf5::FileWriter made = hdf5::FileWriter::create(path("a.h5"));
    made.write_doubles("", "mean", mean);
    if (!std.empty()) made.write_doubles("", "std", std);
    testing::save(made);
    const hdf5::File file = hdf5::File::open(path("a.h5"));
    return message_of<FileError>([&] { read_data_description(hdf5::ObjectReader(file, "")); });
  };
  for (const double bad : {none, infinity, -infinity}) {
    EXPECT_THAT(message({1, bad}, {1, 1}),
                HasSubstr("a.h5: attribute 'mean': expected finite numbers, found"));
  }
  for (const double bad : {none, infinity, 0.0, -0.0, -1.0}) {
    EXPECT_THAT(message({1, 1}, {1, bad}),
                HasSubstr("a.h5: attribute 'std': expected finite numbers above 0, found"));
  }
  EXPECT_THAT(message({1, 1}, {}), EndsWith("expected 2 values, as many as mean has, found 0"));
}

TEST(DataDescription, FindsTargetColumnsInTheirOrder) {
  DataDescription description{.feature_names = {"a", "b", "c"}, .window = Window{}};
  description.window->targets = {"c", "a"};
  EXPECT_THAT(target_columns(description), ElementsAre(2, 0));
  description.window->targets = {"d"};
  EXPECT_EQ(message_of<InvalidArgument>([&] { target_columns(description); }),
            "targets: expected columns out of a, b, c, found 'd'");
  description.window->targets = {"b", "a", "b"};
  EXPECT_EQ(message_of<InvalidArgument>([&] { target_columns(description); }),
            "targets: expected columns that differ, found 'b' twice");
}

TEST(DataDescription, KnowsEveryTaskByName) {
  for (const Task task : {Task::classification, Task::tagging, Task::regression}) {
    EXPECT_EQ(task_from_name(to_string(task)), task);
  }
  EXPECT_EQ(task_from_name("forecast"), std::nullopt);
}

}  // namespace
}  // namespace quadgate
