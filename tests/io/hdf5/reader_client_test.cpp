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
