// Sweeps: contents around the chunk that is read at once, every bit of a small one flipped, and
// files without a checksum.
// Tolerance: none, a checksum is right or wrong.

#include "io/files/checksum.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "engine/base/error.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::EndsWith;
using testing::message_of;

using ChecksumTest = testing::FolderTest;

bool check_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  try {
    const bool has_checksum = check_checksum(descriptor, path);
    ::close(descriptor);
    return has_checksum;
  } catch (...) {
    ::close(descriptor);
    throw;
  }
}

std::string content_with_checksum(std::size_t size) {
  std::string content(kChecksumSize + size, 'x');
  write_checksum(std::as_writable_bytes(std::span(content)));
  return content;
}

TEST_F(ChecksumTest, PassesWhatItWrote) {
  for (const std::size_t size : {0U, 1U, (1U << 20) - 1, 1U << 20, (1U << 20) + 1}) {
    EXPECT_TRUE(check_file(file("a", content_with_checksum(size)))) << size;
  }
}

TEST_F(ChecksumTest, RecognisesEveryFlippedBitAndOtherSizes) {
  const std::string whole = content_with_checksum(50);
  for (std::size_t bit = 0; bit < 400; ++bit) {
    std::string damaged = whole;
    char& byte = damaged[kChecksumSize + bit / 8];
    byte = static_cast<char>(byte ^ (1 << bit % 8));
    EXPECT_THROW(check_file(file("a", damaged)), FileError) << bit;
  }
  EXPECT_THAT(message_of<FileError>([&] { check_file(file("a", whole + "x")); }),
              EndsWith("a: damaged, or changed by another program: the checksum differs"));
  EXPECT_THROW(check_file(file("a", whole.substr(0, whole.size() - 1))), FileError);
}

TEST_F(ChecksumTest, LeavesOtherFilesAlone) {
  EXPECT_FALSE(check_file(file("a", "short")));
  EXPECT_FALSE(check_file(file("a", std::string(1000, 'x'))));
  EXPECT_FALSE(check_file(path("none")));
  EXPECT_FALSE(check_file(path(".")));
}

}  // namespace
}  // namespace quadgate
