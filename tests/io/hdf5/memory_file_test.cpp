// Sweeps: element types, groups, attributes, names that come and go, and a data set that is read
// from memory and from a file. Tolerance: none.

#include "io/hdf5/memory_file.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/data/dataset.h"
#include "tests/io/files.h"

namespace quadgate::hdf5 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

using MemoryFileTest = testing::FolderTest;

TEST_F(MemoryFileTest, ShowsGroupsArraysAndAttributes) {
  const std::vector<double> doubles{0.1, -2, 3e300, 4};
  const std::vector<std::int64_t> integers{1, 2, std::int64_t{1} << 40};
  MemoryFile memory("memory");
  memory.add("a/x", "float64", {2, 2}, doubles.data());
  memory.add("a/y", "int64", {3}, integers.data());
  memory.set("", "names", std::vector<std::string>{"α", ""});
  memory.set("a", "begin", std::vector<std::int64_t>{7});

  const File file = File::open("memory");
  EXPECT_EQ(file.read_strings("", "names"), (std::vector<std::string>{"α", ""}));
  EXPECT_EQ(file.read_int("a", "begin"), 7);
  EXPECT_THAT(file.members(""), ElementsAre("a"));
  EXPECT_THAT(file.members("a"), ElementsAre("x", "y"));
  EXPECT_FALSE(file.has("b"));
  const Array x = file.array("a/x");
  EXPECT_THAT(x.shape(), ElementsAre(2, 2));
  EXPECT_FALSE(x.has_slow_rows());
  EXPECT_EQ(x.where(), "memory: dataset 'a/x'");
  std::vector<float> row(2);
  x.read(0, 1, row);
  EXPECT_THAT(row, ElementsAre(0.1F, -2.F));
  x.read(1, 1, row);
  EXPECT_THAT(row, ElementsAre(std::numeric_limits<float>::infinity(), 4.F));
  std::vector<std::int64_t> last(1);
  file.array("a/y").read(2, 1, last);
  EXPECT_THAT(last, ElementsAre(std::int64_t{1} << 40));
  EXPECT_THAT(message_of<FileError>([&] {
                std::vector<std::int32_t> narrow(1);
                file.array("a/y").read(2, 1, narrow);
              }),
              HasSubstr("memory: dataset 'a/y': expected numbers of 32 bits"));
  EXPECT_THAT(message_of<InvalidArgument>([&] { memory.add("a/z", "uint8", {1}, nullptr); }),
              HasSubstr("type: expected float32, float64, int32 or int64, found uint8"));
}

TEST_F(MemoryFileTest, IsThereWhileItLives) {
  const std::string name = path("x.h5").string();
  const float value = 1.5F;
  std::optional<File> open;
  {
    MemoryFile memory(name);
    memory.add("x", "float32", {1}, &value);
    open = File::open(name);
    EXPECT_THAT(message_of<InvalidArgument>([&] { const MemoryFile other(name); }),
                HasSubstr("x.h5: expected a name that no other has"));
  }
  EXPECT_THAT(open->array("x").read_floats(), ElementsAre(1.5F));
  EXPECT_THAT(message_of<FileError>([&] { File::open(name); }), HasSubstr("No such file"));
  const MemoryFile again(name);
}

TEST_F(MemoryFileTest, IsADataSetAsAFileIs) {
  const std::vector<float> x = testing::ramp(4 * 3 * 2, 0.1F);
  const std::vector<std::int64_t> y{0, 2, 1, 0};
  const std::vector<std::int64_t> shape{4, 3, 2};
  FileWriter made = FileWriter::create(path("a.h5"));
  made.write_string("", "format", "quadgate-dataset");
  made.write_string("", "task", "classification");
  made.create_group("train");
  made.write("train/x", shape, x);
  made.write("train/y", std::span(shape).first(1), y);
  testing::save(made);
  MemoryFile memory("memory");
  memory.set("", "format", std::vector<std::string>{"quadgate-dataset"});
  memory.set("", "task", std::vector<std::string>{"classification"});
  memory.add("train/x", "float32", shape, x.data());
  memory.add("train/y", "int64", {4}, y.data());

  Dataset from_file(path("a.h5"));
  Dataset from_memory("memory");
  EXPECT_EQ(from_memory.description(), from_file.description());
  const std::vector<std::int64_t> rows{3, 0, 1};
  Batch expected;
  Batch found;
  from_file.split("train").read(rows, expected);
  from_memory.split("train").read(rows, found);
  EXPECT_EQ(found.x, expected.x);
  EXPECT_EQ(found.labels, expected.labels);
  EXPECT_EQ(found.offsets, expected.offsets);
}

}  // namespace
}  // namespace quadgate::hdf5
