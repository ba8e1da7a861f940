// Sweeps: ways to write a time with a zone and without one, and tables that have both. Expected: as
// pandas' to_datetime, which refuses both in one column.

#include "io/importers/zone_use.h"

#include "engine/base/error.h"
#include "io/importers/csv.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

TEST(ZoneUse, IsTold) {
  for (const char* time : {"2024-01-01T13:30Z", "2024-01-01 13:30:00z", "1/7/2016 0:00+02:00",
                           "2024-01-01 13:30:00.5-0500", "2024-01-01 13:30+02", "2024-01-01T00Z",
                           "20240101T0000-05"}) {
    EXPECT_TRUE(says_zone(time)) << time;
  }
  for (const char* time : {"2024-01-01", "2024-01-01T13:30", "1/7/2016 1:00 PM", "20240101",
                           "20240101T0000", "2024-01-01 00", "01-07-2016 13:30", "1.5", "-3"}) {
    EXPECT_FALSE(says_zone(time)) << time;
  }
}

class ZonesInTablesTest : public testing::FolderTest {
 protected:
  /// Reads a table, and one behind it as the test split.
  void read(const std::string& first, const std::string& second) const {
    CsvImporter importer({}, {.spool = {.output = path("out.h5")}});
    importer.read(file("a.csv", "at,level\n" + first));
    importer.read(file("b.csv", "at,level\n" + second), 2);
  }
  /// What is refused of them.
  std::string refusal(const std::string& first, const std::string& second) const {
    return message_of<FileError>([&] { read(first, second); });
  }
};

TEST_F(ZonesInTablesTest, AreOfAllRowsOrOfNone) {
  const std::string zoned = "2024-01-01T01:00Z,1\n2024-01-01T04:00+02:00,2\n";
  const std::string plain = "2024-01-01T03:00,3\n2024-01-01,4\n";
  read(zoned, zoned);
  read(plain, plain);
  const std::string mixed = refusal(zoned + plain, zoned);
  EXPECT_THAT(mixed, HasSubstr("a.csv:4: column 'at': expected a time with a zone, as in "));
  EXPECT_THAT(mixed,
              HasSubstr("a.csv:2 (all of them have one, or none), found '2024-01-01T03:00'"));
  EXPECT_THAT(refusal(plain + zoned, plain),
              HasSubstr("a.csv:4: column 'at': expected a time without a zone, as in "));
  EXPECT_THAT(refusal(zoned, plain), HasSubstr("b.csv:2: column 'at': expected a time with a "));
  EXPECT_THAT(refusal("1/7/2016 13:30,1\n13/7/2016 13:30Z,2\n", plain),
              HasSubstr("a.csv:3: column 'at'"));
}

}  // namespace
}  // namespace quadgate
