// Sweeps: every attribute and element type, layouts that are read directly and through the library,
// and files that are missing, foreign, truncated or of other types.
// Tolerance: none, files hold the same bits.

#include "io/hdf5/file.h"

#include <hdf5.h>
#include <sys/stat.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <limits>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "tests/io/files.h"

namespace quadgate::hdf5 {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::message_of;

using Hdf5Test = testing::FolderTest;

TEST_F(Hdf5Test, KeepsEveryAttribute) {
  const std::vector<std::string> names{"α", "", "two words"};
  const std::vector<float> numbers{1.5F, -0.0F};
  FileWriter made = FileWriter::create(path("a.h5"));
  made.create_group("group");
  made.write_int("", "int", std::numeric_limits<std::int64_t>::min());
  made.write_double("group", "double", 0.1);
  made.write_string("group", "string", "été");
  made.write_string("group", "long", std::string(100'000, 'x'));
  made.write_strings("", "strings", names);
  made.write_floats("", "floats", numbers);
  testing::save(made);

  const File file = File::open(path("a.h5"));
  EXPECT_EQ(file.read_int("", "int"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(file.read_double("group", "double"), 0.1);
  EXPECT_EQ(file.read_string("group", "string"), "été");
  EXPECT_EQ(file.read_string("group", "long"), std::string(100'000, 'x'));
  EXPECT_EQ(file.read_strings("", "strings"), names);
  EXPECT_EQ(file.read_floats("", "floats"), numbers);
  EXPECT_TRUE(file.has_attribute("group", "double"));
  EXPECT_FALSE(file.has_attribute("group", "int"));
  EXPECT_TRUE(file.is_group("group"));
}

TEST_F(Hdf5Test, ReadsRowsOfArraysAndTheirLinks) {
  FileWriter made = FileWriter::create(path("a.h5"));
  made.create_group("g");
  made.write("g/x", std::array<std::int64_t, 3>{4, 1, 2}, testing::ramp(8));
  made.write("g/y", std::array<std::int64_t, 1>{3}, std::vector<std::int64_t>{-1, 0, 1L << 40});
  made.link("g/x", "g/z");
  testing::save(made);

  const File file = File::open(path("a.h5"));
  EXPECT_THAT(file.members("g"), ElementsAre("x", "y", "z"));
  EXPECT_TRUE(file.has("g/z"));
  EXPECT_FALSE(file.has("none/z"));
  std::vector<float> rows(4);
  file.array("g/z").read(1, 2, rows);
  EXPECT_THAT(rows, ElementsAre(2, 3, 4, 5));
  std::vector<std::int64_t> labels(3);
  file.array("g/y").read(0, 3, labels);
  EXPECT_THAT(labels, ElementsAre(-1, 0, 1L << 40));
  EXPECT_THROW(file.array("g/x").read(3, 2, rows), InvalidArgument);
  EXPECT_THROW(file.array("g/x").read(0, 1, rows), InvalidArgument);
}

// Chunked, compressed and big-endian, as other programs may write it.
void write_foreign(const std::filesystem::path& path, const std::vector<float>& values) {
  const std::array<hsize_t, 2> shape{values.size() / 2, 2};
  const std::array<hsize_t, 2> chunk{3, 2};
  const Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  const Handle space(H5Screate_simple(2, shape.data(), nullptr));
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_chunk(creation.id(), 2, chunk.data());
  H5Pset_deflate(creation.id(), 1);
  const Handle dataset(H5Dcreate2(file.id(), "x", H5T_IEEE_F32BE, space.id(), H5P_DEFAULT,
                                  creation.id(), H5P_DEFAULT));
  H5Dwrite(dataset.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  const Handle text(H5Tcopy(H5T_C_S1));
  H5Tset_size(text.id(), 4);
  const Handle scalar(H5Screate(H5S_SCALAR));
  const Handle attribute(
      H5Acreate2(dataset.id(), "fixed", text.id(), scalar.id(), H5P_DEFAULT, H5P_DEFAULT));
  H5Awrite(attribute.id(), text.id(), "abc");
}

TEST_F(Hdf5Test, ReadsAFileInMemory) {
  FileWriter made = FileWriter::create("a.h5");
  made.write("x", std::array<std::int64_t, 1>{8}, testing::ramp(8));
  const std::vector<std::byte> image(made.image().begin(), made.image().end());
  const File file = File::open_image(image, "m.zip: a.h5");
  EXPECT_EQ(file.array("x").read_floats(), testing::ramp(8));
  EXPECT_THAT(message_of<FileError>([&] { file.array("y"); }), "m.zip: a.h5: dataset 'y': missing");
  EXPECT_THAT(message_of<FileError>([&] {
                File::open_image(std::span(image).first(image.size() / 2), "m.zip: a.h5");
              }),
              "m.zip: a.h5: the HDF5 file is damaged or truncated");
}

TEST_F(Hdf5Test, TheSameContentIsTheSameBytesAtAnyTime) {
  const auto bytes = [&] {
    FileWriter made = FileWriter::create(path("a.h5"));
    made.create_group("group");
    made.write("group/x", std::array<std::int64_t, 1>{3}, testing::ramp(3));
    const std::span<std::byte> image = made.image();
    return std::vector<std::byte>(image.begin(), image.end());
  };
  const std::time_t second = std::time(nullptr);
  const std::vector<std::byte> before = bytes();
  while (std::time(nullptr) <= second + 1) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(bytes(), before);
}

TEST_F(Hdf5Test, ReadsForeignLayouts) {
  write_foreign(path("a.h5"), testing::ramp(20));
  const File file = File::open(path("a.h5"));
  std::vector<float> rows(10);
  file.array("x").read(2, 5, rows);
  EXPECT_THAT(rows, ElementsAre(4, 5, 6, 7, 8, 9, 10, 11, 12, 13));
  EXPECT_EQ(file.read_string("x", "fixed"), "abc");
}

TEST_F(Hdf5Test, NamesFileFieldExpectedAndFound) {
  FileWriter made = FileWriter::create(path("a.h5"));
  made.write("x", std::array<std::int64_t, 1>{3}, std::vector<std::int64_t>{1, 2, 3});
  made.write_string("", "text", "abc");
  testing::save(made);
  const std::string name = path("a.h5").string();
  const File file = File::open(path("a.h5"));
  const auto message = [&](const auto& action) { return message_of<FileError>(action); };

  EXPECT_EQ(message([&] {
              file.array("x").expect(Element::float32, {kAnySize, 28}, "[n, 28]");
            }),
            name + ": dataset 'x': expected float32 [n, 28], found int64 [3]");
  EXPECT_EQ(message([&] { file.array("y"); }), name + ": dataset 'y': missing");
  EXPECT_EQ(message([&] { file.read_int("x", "a"); }), name + ": attribute 'x@a': missing");
  EXPECT_EQ(message([&] { file.read_int("", "text"); }),
            name + ": attribute 'text': expected one integer");
  EXPECT_EQ(message([&] { file.members("none"); }), name + ": group 'none': missing");
  EXPECT_EQ(message([&] { file.expect_format("quadgate-dataset", 1); }),
            name + ": attribute 'format': expected 'quadgate-dataset', found 'none'");
}

TEST_F(Hdf5Test, NamesFilesThatCannotBeOpened) {
  FileWriter made = FileWriter::create(path("a.h5"));
  made.write("x", std::array<std::int64_t, 1>{1000}, testing::ramp(1000));
  testing::save(made);
  const std::string whole = testing::content_of(path("a.h5"));
  testing::FolderTest::file("short.h5", whole.substr(0, whole.size() / 2));
  testing::FolderTest::file("text.h5", "not HDF5");
  const auto message = [&](const char* name) {
    return message_of<FileError>([&] { File::open(path(name)); });
  };
  EXPECT_THAT(message("none.h5"), EndsWith("none.h5: No such file or directory"));
  EXPECT_THAT(message("text.h5"), EndsWith("text.h5: expected an HDF5 file, found another kind"));
  EXPECT_THAT(message("short.h5"), EndsWith("short.h5: the HDF5 file is damaged or truncated"));
  EXPECT_THAT(message("."), HasSubstr("expected an HDF5 file"));
}

// A file from elsewhere must not make us read others of this machine, or take all memory.
TEST_F(Hdf5Test, RefusesWhatIsInOtherFilesOrNowhere) {
  FileWriter other = FileWriter::create(path("other.h5"));
  other.write("x", std::array<std::int64_t, 1>{4}, testing::ramp(4));
  testing::save(other);
  {
    FileWriter made = FileWriter::create_at(path("a.h5"), path("a.h5"));
    H5Lcreate_external("other.h5", "x", made.id(), "linked", H5P_DEFAULT, H5P_DEFAULT);
    const auto add = [&](const char* name, hsize_t size, const Handle& creation) {
      const Handle space(H5Screate_simple(1, &size, nullptr));
      const Handle dataset(H5Dcreate2(made.id(), name, H5T_NATIVE_FLOAT, space.id(), H5P_DEFAULT,
                                      creation.id(), H5P_DEFAULT));
      EXPECT_GE(dataset.id(), 0);
    };
    const Handle outside(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_external(outside.id(), "other.h5", 0, 16);
    add("outside", 4, outside);
    const Handle chunked(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t chunk = 8;
    H5Pset_chunk(chunked.id(), 1, &chunk);
    add("unwritten", hsize_t{1} << 30, chunked);
    made.close();
  }
  const File file = File::open(path("a.h5"));
  const auto error = [&](const char* name) {
    return message_of<FileError>([&] { file.array(name); });
  };
  EXPECT_THAT(error("linked"), EndsWith("a.h5: 'linked': damaged, or a link to another file"));
  EXPECT_THAT(error("outside"), EndsWith("a.h5: dataset 'outside': expected its values in this "
                                         "file, found them in others"));
  EXPECT_THAT(error("unwritten"), HasSubstr("a.h5: 'unwritten': too large for a file of "));
}

// A quarter of a megabyte on the disk, which takes time and memory of a larger one.
TEST_F(Hdf5Test, ReadsLargeChunksOfASmallFile) {
  constexpr hsize_t kLongRows = 1000;
  const std::array<hsize_t, 2> shape{kLongRows, 60'000};
  {
    FileWriter made = FileWriter::create_at(path("a.h5"), path("a.h5"));
    const Handle space(H5Screate_simple(2, shape.data(), nullptr));
    const Handle creation(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_chunk(creation.id(), 2, shape.data());
    H5Pset_shuffle(creation.id());
    H5Pset_deflate(creation.id(), 1);
    H5Pset_alloc_time(creation.id(), H5D_ALLOC_TIME_EARLY);
    const Handle dataset(H5Dcreate2(made.id(), "x", H5T_NATIVE_FLOAT, space.id(), H5P_DEFAULT,
                                    creation.id(), H5P_DEFAULT));
    made.link("x", "y");
    EXPECT_GE(dataset.id(), 0);
  }
  EXPECT_LT(std::filesystem::file_size(path("a.h5")), 1 << 21);
  std::vector<float> row(shape[1], 1);
  const File file = File::open(path("a.h5"));
  file.array("x").read(kLongRows - 1, 1, row);
  EXPECT_EQ(row, std::vector<float>(row.size()));

  // Of several such files, only so many are kept.
  const std::array files{File::open(path("a.h5")), File::open(path("a.h5")),
                         File::open(path("a.h5"))};
  EXPECT_FALSE(files[0].array("x").has_slow_rows());
  EXPECT_FALSE(files[1].array("x").has_slow_rows());
  EXPECT_FALSE(files[1].array("y").has_slow_rows());  // the same
  EXPECT_TRUE(files[2].array("x").has_slow_rows());
  const auto read = [&](const File& from, std::int64_t first) {
    row.assign(row.size(), 1);
    from.array("x").read(first, 1, row);
    EXPECT_EQ(row, std::vector<float>(row.size()));
  };
  read(files[2], 0);
  // What is kept needs no file.
  std::filesystem::resize_file(path("a.h5"), 2000);
  read(file, 0);
  EXPECT_THROW(read(files[2], 1), FileError);
}

TEST_F(Hdf5Test, RefusesAPipeAtOnce) {
  ASSERT_EQ(::mkfifo(path("a.h5").c_str(), 0600), 0);
  EXPECT_EQ(message_of<FileError>([&] { File::open(path("a.h5")); }),
            path("a.h5").string() + ": expected an HDF5 file, found another kind");
}

TEST_F(Hdf5Test, NamesAFileThatShrankWhileOpen) {
  FileWriter made = FileWriter::create(path("a.h5"));
  made.write("x", std::array<std::int64_t, 1>{1000}, testing::ramp(1000));
  testing::save(made);
  const File file = File::open(path("a.h5"));
  const Array array = file.array("x");
  std::filesystem::resize_file(path("a.h5"), 2000);
  std::vector<float> values(1000);
  EXPECT_THAT(message_of<FileError>([&] { array.read(0, 1000, values); }),
              EndsWith("dataset 'x': the file ends before its data does"));
}

}  // namespace
}  // namespace quadgate::hdf5
