// Sweeps: new and existing files, with and without keeping the previous one, two writers at once,
// and every way to fail that a test can bring about: a full disk (a limit of file size), a folder
// that is missing or read-only, a folder in the file's place, calls that fail as on other file
// systems. Tolerance: none, contents are compared as bytes.

#include "io/files/replace_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <span>
#include <string>
#include <thread>

#include "engine/base/error.h"
#include "io/files/temporary_file.h"
#include "tests/io/file_size_limit.h"
#include "tests/io/files.h"

namespace {

std::atomic<int> folder_sync_error = 0;
std::atomic<int> link_error = 0;

int fail(int error) {
  errno = error;
  return -1;
}

}  // namespace

// These stand in for the C library's in this program.
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name)
extern "C" int fsync(int descriptor) {
  struct stat status {};
  const bool is_folder = ::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
  if (is_folder && folder_sync_error != 0) return fail(folder_sync_error);
  return static_cast<int>(::syscall(SYS_fsync, descriptor));
}

extern "C" int link(const char* from, const char* to) noexcept {
  if (link_error != 0) return fail(link_error);
  return static_cast<int>(::syscall(SYS_link, from, to));
}

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

TEST_F(ReplaceFileTest, KeepsThePreviousFileWithoutHardLinks) {
  link_error = EPERM;
  replace_file(path("a"), bytes("one"), path("a.prev"));
  replace_file(path("a"), bytes("two"), path("a.prev"));
  link_error = 0;
  EXPECT_EQ(content_of(path("a")), "two");
  EXPECT_EQ(content_of(path("a.prev")), "one");
  EXPECT_THAT(files_beside(path("a")), ElementsAre("a", "a.prev"));
}

TEST_F(ReplaceFileTest, KeepsThePreviousFileOfAStopBetweenTheTwoNames) {
  replace_file(path("a"), bytes("one"));
  std::filesystem::create_hard_link(path("a"), path("a.prev"));
  replace_file(path("a"), bytes("two"), path("a.prev"));
  EXPECT_EQ(content_of(path("a")), "two");
  EXPECT_EQ(content_of(path("a.prev")), "one");
  EXPECT_THAT(files_beside(path("a")), ElementsAre("a", "a.prev"));
}

TEST_F(ReplaceFileTest, LeavesNoMomentWithoutAFile) {
  replace_file(path("a"), bytes("one"), path("a.prev"));
  std::atomic<bool> done = false;
  int missing = 0;
  std::thread reader([&] {
    while (!done) missing += std::filesystem::exists(path("a")) ? 0 : 1;
  });
  for (int i = 0; i < 500; ++i) replace_file(path("a"), bytes("more"), path("a.prev"));
  done = true;
  reader.join();
  EXPECT_EQ(missing, 0);
}

TEST_F(ReplaceFileTest, KeepsTwoWritersApart) {
  TemporaryFile first(path("a"));
  TemporaryFile second(path("a"));
  first.write(bytes("a longer first"));
  second.write(bytes("second"));
  first.sync_and_close();
  second.sync_and_close();
  first.rename();
  EXPECT_EQ(content_of(path("a")), "a longer first");
  EXPECT_THAT(
      message_of<FileError>([&] { second.rename(); }),
      EndsWith("a: another process has written it since this one began to; it stays as it is"));
  EXPECT_EQ(content_of(path("a")), "a longer first");
}

TEST_F(ReplaceFileTest, WritesAFileThatIsGoneMeanwhile) {
  replace_file(path("a"), bytes("one"));
  TemporaryFile second(path("a"));
  second.write(bytes("two"));
  second.sync_and_close();
  std::filesystem::remove(path("a"));
  second.rename();
  EXPECT_EQ(content_of(path("a")), "two");
}

TEST_F(ReplaceFileTest, FollowsNoLink) {
  replace_file(path("other"), bytes("as it was"));
  for (int i = 0; i < 5000; ++i) {
    std::filesystem::create_symlink("other", path(fmt::format("a.tmp-{}-{}", ::getpid(), i)));
  }
  replace_file(path("a"), bytes("one"));
  EXPECT_EQ(content_of(path("a")), "one");
  EXPECT_EQ(content_of(path("other")), "as it was");
  remove_temporary_files(path("."));
  EXPECT_THAT(files_beside(path("a")), ElementsAre("a", "other"));
}

TEST_F(ReplaceFileTest, NamesAFolderThatCannotBeSynced) {
  folder_sync_error = EIO;
  EXPECT_THAT(message_of<FileError>([&] { replace_file(path("a"), bytes("one")); }),
              EndsWith("a: cannot be written: Input/output error"));
  folder_sync_error = EINVAL;  // a file system that does not sync folders
  EXPECT_NO_THROW(replace_file(path("a"), bytes("one")));
  folder_sync_error = 0;
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
