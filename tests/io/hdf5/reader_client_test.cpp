// Sweeps: what happens to the process that reads, and what it takes.

#include "io/hdf5/reader_client.h"

#include <csignal>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/hdf5/reader_command.h"
#include "io/hdf5/reader_program.h"
#include "tests/io/files.h"
#include "tests/io/processes.h"

namespace quadgate::hdf5 {
namespace {

using ::testing::EndsWith;
using testing::message_of;
using ::testing::SizeIs;

class ReaderClientTest : public testing::FolderTest {
 protected:
  ReaderClientTest() {
    FileWriter made = FileWriter::create(path("a.h5"));
    made.write("x", std::array<std::int64_t, 1>{3}, testing::ramp(3));
    testing::save(made);
  }

  /// Of the process that reads a file, in kB.
  std::int64_t resident() const {
    const File file = File::open(path("a.h5"));
    EXPECT_THAT(testing::children(), SizeIs(1));
    return testing::status_of(std::to_string(testing::children().front()), "VmRSS");
  }
};

TEST_F(ReaderClientTest, EndsAReadThatStandsStill) {
  ReaderClient client(path("a.h5"), std::chrono::milliseconds(200));
  ASSERT_THAT(testing::children(), SizeIs(1));
  ::kill(testing::children().front(), SIGSTOP);
  EXPECT_THAT(message_of<FileError>([&] { client.object("x"); }),
              EndsWith("a.h5: reading it has stood still for 0.2 s, as if its disk were gone"));
}

// As of a file on a network disk. What was read once is kept.
TEST_F(ReaderClientTest, LetsItsProcessReadEverything) {
  constexpr std::int64_t kNumbers = 1'000'000;  // 4 MB
  const std::vector<float> values = testing::ramp(kNumbers);
  FileWriter made = FileWriter::create(path("b.h5"));
  made.write("x", std::array{kNumbers}, values);
  testing::save(made);
  EXPECT_GE(ReaderClient(path("b.h5")).object("x").dataset.offset, 0);

  ReaderClient client(path("b.h5"), std::chrono::milliseconds(200), /*reads_nothing_itself=*/true);
  const DatasetInfo dataset = client.object("x").dataset;
  EXPECT_EQ(dataset.offset, -1);
  std::vector<float> all(kNumbers);
  const auto read = [&](std::int64_t first, std::int64_t count) {
    client.read("x", dataset, first, count,
                std::as_writable_bytes(std::span(all).subspan(static_cast<std::size_t>(first),
                                                              static_cast<std::size_t>(count))));
  };
  read(kNumbers / 2 - 1, 2);
  EXPECT_EQ(all[kNumbers / 2], values[kNumbers / 2]);
  ::kill(testing::children().front(), SIGSTOP);
  read(kNumbers / 2 + 1, 10);
  EXPECT_EQ(all[kNumbers / 2 + 10], values[kNumbers / 2 + 10]);
  EXPECT_THROW(read(0, 1), FileError);
  EXPECT_THROW(read(0, 1), FileError);

  ReaderClient another(path("b.h5"), ChildProcess::kPatience, /*reads_nothing_itself=*/true);
  another.read("x", dataset, 0, kNumbers, std::as_writable_bytes(std::span(all)));
  EXPECT_EQ(all, values);
}

TEST_F(ReaderClientTest, TakesNoMemoryForWhatItsOwnerHolds) {
  constexpr std::int64_t kMiB = 1024;
  const std::int64_t before = resident();
  ASSERT_GT(before, 0);
  const std::vector<char> much(128 * kMiB * 1024, 'x');
  EXPECT_LT(resident(), before + 16 * kMiB) << much.size();
}

TEST_F(ReaderClientTest, NamesAProgramThatIsMissing) {
  const std::filesystem::path installed = reader_program();
  set_reader_program(path("none"));
  EXPECT_EQ(message_of<FileError>([&] { File::open(path("a.h5")); }),
            path("a.h5").string() + ": cannot be read: cannot start " + path("none").string() +
                ": No such file or directory");
  set_reader_program(installed);
  EXPECT_TRUE(File::open(path("a.h5")).has("x"));
}

}  // namespace
}  // namespace quadgate::hdf5
