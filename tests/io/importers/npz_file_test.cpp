// Sweeps: every type of element, versions of the header, bad headers and members. The truth is
// NumPy's description of the format; files that NumPy wrote are read in tests/torch/npz_test.py.

#include "io/importers/npz_file.h"

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/tensors/zip.h"
#include "tests/io/files.h"
#include "tests/io/importers/npy.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using testing::message_of;
using testing::npy;

class NpzFileTest : public testing::FolderTest {
 protected:
  std::filesystem::path npz(const std::map<std::string, std::string>& arrays) const {
    std::map<std::string, std::span<const std::byte>> members;
    for (const auto& [name, bytes] : arrays) {
      members[name + ".npy"] = std::as_bytes(std::span<const char>(bytes));
    }
    const auto bytes = make_zip(members, "a.npz");
    return file("a.npz", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  template <typename T>
  std::vector<float> floats(const std::string& type, const std::vector<T>& elements) const {
    const NpzFile file(
        npz({{"x", npy(type, "(" + std::to_string(elements.size()) + ",)", elements)}}));
    std::vector<float> values(elements.size());
    file.open("x").read(values);
    return values;
  }

  /// The error of reading an array x, without the folder.
  std::string error(const std::string& array) const {
    const std::string message = message_of<FileError>([&] {
      const NpzFile file(npz({{"x", array}}));
      NpzArray x = file.open("x");
      std::vector<std::int64_t> values(static_cast<std::size_t>(x.size()));
      x.read(values);
    });
    return message.substr(message.find("a.npz"));
  }
};

TEST_F(NpzFileTest, ReadsEveryNumber) {
  EXPECT_THAT(floats<float>("<f4", {1.5F, -2}), ElementsAre(1.5, -2));
  EXPECT_THAT(floats<double>("<f8", {1.5, 1e-60}), ElementsAre(1.5, 0));
  EXPECT_THAT(floats<std::uint16_t>("<f2", {0x3e00, 0xc000}), ElementsAre(1.5, -2));
  EXPECT_THAT(floats<std::int8_t>("|i1", {-1, 127}), ElementsAre(-1, 127));
  EXPECT_THAT(floats<std::uint8_t>("|u1", {255}), ElementsAre(255));
  EXPECT_THAT(floats<std::uint8_t>("|b1", {0, 1}), ElementsAre(0, 1));
  EXPECT_THAT(floats<std::int16_t>("<i2", {-300}), ElementsAre(-300));
  EXPECT_THAT(floats<std::uint16_t>("<u2", {65535}), ElementsAre(65535));
  EXPECT_THAT(floats<std::int32_t>("<i4", {-70000}), ElementsAre(-70000));
  EXPECT_THAT(floats<std::uint32_t>("<u4", {4000000000}), ElementsAre(4e9F));
  EXPECT_THAT(floats<std::int64_t>("<i8", {-5}), ElementsAre(-5));
  EXPECT_THAT(floats<std::uint64_t>("<u8", {5}), ElementsAre(5));
}

TEST_F(NpzFileTest, ReadsInPieces) {
  std::vector<std::int32_t> numbers(200'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::int32_t>(i);
  const NpzFile file(
      npz({{"x", npy("<i4", "(2, 100000)", numbers)}, {"y", npy<float>("<f4", "()", {3})}}));
  EXPECT_THAT(file.names(), ElementsAre("x", "y"));
  EXPECT_FALSE(file.has("z"));
  NpzArray x = file.open("x");
  NpzArray y = file.open("y");
  EXPECT_THAT(x.shape(), ElementsAre(2, 100'000));
  EXPECT_EQ(x.size(), 200'000);
  EXPECT_EQ(y.size(), 1);
  std::vector<std::int64_t> first(150'001);
  std::vector<std::int64_t> rest(49'999);
  x.read(first);
  float scalar = 0;
  y.read(std::span(&scalar, 1));
  x.read(rest);
  EXPECT_EQ(first[150'000], 150'000);
  EXPECT_EQ(rest.front(), 150'001);
  EXPECT_EQ(rest.back(), 199'999);
  EXPECT_EQ(scalar, 3);
}

TEST_F(NpzFileTest, ReadsText) {
  const NpzFile file(npz(
      {{"names", npy<char32_t>("<U3", "(3,)", {'a', 'b', 'c', 0xe4, 0, 0, 0x4e2d, 0x1f600, 0})}}));
  NpzArray names = file.open("names");
  EXPECT_EQ(names.kind(), NpzArray::Kind::text);
  EXPECT_THAT(names.read_texts(), ElementsAre("abc", "\u00e4", "\u4e2d\U0001f600"));
}

TEST_F(NpzFileTest, NamesTheArray) {
  const std::vector<std::int32_t> two{1, 2};
  EXPECT_EQ(error("no array at all"),
            "a.npz: array 'x': expected an array of NumPy, found another kind");
  EXPECT_EQ(error("\x93NUM"), "a.npz: array 'x': the array is truncated");
  EXPECT_EQ(error(npy("<i4", "(3,)", two)),
            "a.npz: array 'x': its shape and type do not fit the 8 bytes that it has");
  EXPECT_EQ(error(npy("<i4", "(4611686018427387904, 4)", two)),
            "a.npz: array 'x': its shape and type do not fit the 8 bytes that it has");
  EXPECT_EQ(error(npy("<i4", "(99999999999999999999,)", two)),
            "a.npz: array 'x': shape (99999999999999999999,): a size is too large");
  EXPECT_EQ(error(npy("|O", "(2,)", two)),
            "a.npz: array 'x': expected numbers or text, found type '|O'");
  EXPECT_EQ(error(npy("<f16", "(2,)", two)),
            "a.npz: array 'x': expected numbers of at most 64 bits, found type '<f16'");
  EXPECT_EQ(error(npy<float>("<f4", "(1,)", {1})),
            "a.npz: array 'x': expected integers, found others");
  EXPECT_EQ(error(npy<std::uint64_t>("<u8", "(1,)", {1ULL << 63U})),
            "a.npz: array 'x': 9223372036854775808 is too large");
  std::string structure = npy("<i4", "(2,)", two);
  structure.replace(structure.find("'<i4'"), 5, "[('a'");
  EXPECT_EQ(error(structure),
            "a.npz: array 'x': expected numbers or text, found another type (a structure or Python "
            "objects)");
}

// std::regex would follow them down the stack.
TEST_F(NpzFileTest, RefusesThousandsOfBlanks) {
  std::string array = npy<float>("<f4", "(1,)", {1});
  array.insert(array.find("'<f4'"), 60'000, ' ');
  const std::size_t size = array.size() - 10 - sizeof(float);
  array[8] = static_cast<char>(size & 255U);
  array[9] = static_cast<char>(size >> 8U);
  EXPECT_EQ(error(array),
            "a.npz: array 'x': expected numbers or text, found another type (a structure or Python "
            "objects)");
}

TEST_F(NpzFileTest, RefusesASizeThatNoFileHas) {
  std::string bytes = testing::content_of(npz({{"x", npy<float>("<f4", "(1,)", {1})}}));
  bytes[bytes.find("PK\x01\x02") + 27] = 1;  // the highest byte of the size, unpacked
  EXPECT_EQ(message_of<FileError>([&] { NpzFile(file("b.npz", bytes)).open("x"); }),
            path("b.npz").string() + ": array 'x': its size does not fit that of the file");
}

TEST_F(NpzFileTest, NamesWhatIsMissingOrDamaged) {
  const auto path = npz({{"x", npy<float>("<f4", "(1,)", {1})}});
  EXPECT_EQ(message_of<FileError>([&] { NpzFile(path).open("y"); }),
            path.string() + ": array 'y': missing");
  EXPECT_EQ(message_of<FileError>([&] { NpzFile{this->path("none.npz")}; }),
            this->path("none.npz").string() + ": zip: No such file");
  EXPECT_EQ(message_of<FileError>([&] { NpzFile{file("b.npz", "text")}; }),
            this->path("b.npz").string() + ": zip: Not a zip archive");
  std::string bytes = testing::content_of(path);
  const float one = 1;
  bytes[bytes.find(std::string_view(reinterpret_cast<const char*>(&one), 4), 120) + 2] = 0;
  const auto damaged = file("c.npz", bytes);
  EXPECT_EQ(message_of<FileError>([&] {
              float value = 0;
              NpzFile(damaged).open("x").read(std::span(&value, 1));
            }),
            damaged.string() + ": array 'x': CRC error");
}

}  // namespace
}  // namespace quadgate
