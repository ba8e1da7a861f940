// Sweeps: arrays in memory and in a file, by buffers of 1 byte to more than all of it; moved
// arrays; a full disk (a limit of file size) and a folder that is missing. Tolerance: none.

#include "io/files/spool.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "tests/io/file_size_limit.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"

namespace quadgate {
namespace {

using testing::doubles_of;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using testing::message_of;
using testing::ramp;
using testing::values_of;

using SpoolTest = testing::FolderTest;

TEST_F(SpoolTest, KeepsIntegersOfEverySize) {
  std::vector<std::int64_t> integers;
  for (int bits = 0; bits < 63; ++bits) {
    for (const std::int64_t more : {-1, 0, 1}) integers.push_back((std::int64_t{1} << bits) + more);
  }
  integers.push_back(std::numeric_limits<std::int64_t>::max());
  for (const std::size_t size : {1U, 2U, 7U, 1000000U}) {
    SpooledIntegers spooled({.output = path("out.h5"), .buffer_size = size});
    for (const std::int64_t integer : integers) spooled.push_back(integer);
    EXPECT_EQ(spooled.size(), std::ssize(integers));
    EXPECT_EQ(values_of(spooled), integers);
  }
  EXPECT_THAT(values_of(SpooledIntegers()), IsEmpty());
}

TEST_F(SpoolTest, KeepsFloatsBetweenAppends) {
  const std::vector<float> all = ramp(100'000, 0.1F);
  for (const std::size_t size : {1000U, 1004U, 1U << 20}) {
    SpooledFloats spooled({.output = path("out.h5"), .buffer_size = size});
    for (std::size_t begin = 0, count = 1; begin < all.size(); begin += count++) {
      count = std::min(count, all.size() - begin);
      spooled.append(std::span(all).subspan(begin, count));
    }
    EXPECT_EQ(values_of(spooled), all);
    SpooledFloats::Reader reader(spooled);
    std::vector<double> some(3);
    for (const std::int64_t skipped : {0, 5, 40'000, 59'983}) {
      reader.skip(skipped);
      reader.read(some);
    }
    EXPECT_THAT(some, ElementsAre(all[99'997], all[99'998], all[99'999]));
    EXPECT_THROW(reader.read(some), InvalidArgument);
  }
  EXPECT_THAT(testing::files_beside(path("out.h5")), IsEmpty());
}

TEST_F(SpoolTest, KeepsDoublesInAnyOrder) {
  for (const std::size_t size : {1U, 1U << 20}) {
    SpooledFloats spooled({.output = path("out.h5"), .buffer_size = size});
    spooled.append(std::vector{0.1, 1.0, 1e7 + 0.1});
    spooled.write(4, std::vector{0.0, 10.0});
    spooled.write(1, std::vector{0.0});
    EXPECT_THAT(doubles_of(spooled), ElementsAre(0.1, 0, 1e7 + 0.1, 0, 0, 10));
    spooled.append(std::vector{0.0, 1.0});
    EXPECT_THAT(doubles_of(spooled), ElementsAre(0.1, 0, 1e7 + 0.1, 0, 0, 10, 0, 1));
    EXPECT_EQ(spooled.size(), 8);
  }
}

TEST_F(SpoolTest, KeepsFractionsAsBytes) {
  SpooledFloats spooled({.output = path("out.h5"), .buffer_size = 2});
  spooled.append_fractions(std::vector{std::byte{0}, std::byte{51}, std::byte{255}, std::byte{1}});
  EXPECT_THAT(values_of(spooled), ElementsAre(0, 0.2F, 1, 1 / 255.0F));
}

TEST_F(SpoolTest, Moves) {
  SpooledFloats first({.output = path("out.h5"), .buffer_size = 4});
  first.append(ramp(3));
  SpooledFloats second = std::move(first);
  EXPECT_THAT(values_of(second), ElementsAre(0, 1, 2));
  first = std::move(second);
  EXPECT_THAT(values_of(first), ElementsAre(0, 1, 2));
}

TEST_F(SpoolTest, NamesTheOutputWhereItCannotWrite) {
  const auto spool_beside = [](const std::filesystem::path& output) {
    SpooledFloats({.output = output, .buffer_size = 100}).append(ramp(10'000));
  };
  EXPECT_THAT(message_of<FileError>([&] { spool_beside(path("none/out.h5")); }),
              EndsWith("none/out.h5: cannot be written: No such file or directory"));
  const testing::FileSizeLimit limit(1000);
  EXPECT_THAT(message_of<FileError>([&] { spool_beside(path("out.h5")); }),
              EndsWith("out.h5: cannot be written: File too large"));
  EXPECT_THAT(testing::files_beside(path("out.h5")), IsEmpty());
}

}  // namespace
}  // namespace quadgate
