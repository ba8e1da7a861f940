// Sweeps: new and existing files, with and without keeping the previous one, and every way to fail
// that a test can bring about: a full disk (a limit of file size), a folder that is missing or
// read-only, a folder in the file's place.
// Tolerance: none, contents are compared as bytes.

#include "io/files/replace_file.h"

#include <unistd.h>

#include <span>
#include <string>

#include "engine/base/error.h"
#include "tests/io/file_size_limit.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using testing::content_of;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::files_beside;
using testing::message_of;

using ReplaceFileTest = testing::FolderTest;

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST_F(ReplaceFileTest, WritesAndReplaces) {
  replace_file(path("a"), bytes("one"));
  EXPECT_EQ(content_of(path("a")), "one");
  replace_file(path("a"), bytes("two"));
  EXPECT_EQ(content_of(path("a")), "two");
  EXPECT_THAT(files_beside(path("a")), ElementsAre("a"));
}

TEST_F(ReplaceFileTest, KeepsThePreviousFile) {
  for (const char* text : {"one", "two", "three"}) {
    replace_file(path("a"), bytes(text), path("a.prev"));
  }
  EXPECT_EQ(content_of(path("a")), "three");
  EXPECT_EQ(content_of(path("a.prev")), "two");
  EXPECT_THAT(files_beside(path("a")), ElementsAre("a", "a.prev"));
}

TEST_F(ReplaceFileTest, LeavesFilesAsTheyWereOnAFullDisk) {
  replace_file(path("a"), bytes("one"), path("a.prev"));
  replace_file(path("a"), bytes("two"), path("a.prev"));
  const testing::FileSizeLimit limit(1000);
  EXPECT_THAT(message_of<FileError>(
                  [&] { replace_file(path("a"), bytes(std::string(5000, 'x')), path("a.prev")); }),
              EndsWith("a: cannot be written: File too large"));
  EXPECT_EQ(content_of(path("a")), "two");
  EXPECT_EQ(content_of(path("a.prev")), "one");
  EXPECT_THAT(files_beside(path("a")), ElementsAre("a", "a.prev"));
}

TEST_F(ReplaceFileTest, NamesFoldersThatCannotBeWritten) {
  EXPECT_THAT(message_of<FileError>([&] { replace_file(path("none/a"), bytes("one")); }),
              EndsWith("none/a: cannot be written: No such file or directory"));
  std::filesystem::create_directory(path("folder"));
  EXPECT_THAT(message_of<FileError>([&] { replace_file(path("folder"), bytes("one")); }),
              EndsWith("folder: cannot be written: Is a directory"));
  EXPECT_THAT(files_beside(path("folder")), ElementsAre("folder"));
}

TEST_F(ReplaceFileTest, NamesAReadOnlyFolder) {
  if (::geteuid() == 0) GTEST_SKIP() << "SKIPPED: root writes to read-only folders";
  std::filesystem::create_directory(path("folder"));
  std::filesystem::permissions(path("folder"), std::filesystem::perms{0555});
  EXPECT_THAT(message_of<FileError>([&] { replace_file(path("folder/a"), bytes("one")); }),
              EndsWith("a: cannot be written: Permission denied"));
}

TEST_F(ReplaceFileTest, KeepsThePreviousFileInPlaceIfItCannotBeRenamed) {
  replace_file(path("a"), bytes("one"));
  std::filesystem::create_directories(path("a.prev/full"));
  EXPECT_THROW(replace_file(path("a"), bytes("two"), path("a.prev")), FileError);
  EXPECT_EQ(content_of(path("a")), "one");
  EXPECT_THAT(files_beside(path("a")), ElementsAre("a", "a.prev"));
}

}  // namespace
}  // namespace quadgate
