// Sweeps: series with and without names, of many lengths, every policy for what is missing, and
// every kind of bad line; starts and frequencies. Tolerance: none, numbers are parsed to the
// nearest double.

#include "io/importers/tsf.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/importers/timestamp.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"

namespace quadgate {
namespace {

using testing::doubles_of;
using ::testing::ElementsAre;
using testing::message_of;
using testing::values_of;

const std::string kSeries =
    "# about\n@relation test\n@attribute series_name string\n@attribute start_timestamp date\n"
    "@frequency yearly\n@horizon 4\n@missing false\n@data\n";

class TsfTest : public testing::FolderTest {
 protected:
  Series read(const std::string& content, MissingPolicy missing = MissingPolicy::error) const {
    return read_all(content, missing).series;
  }
  TsfData read_all(const std::string& content, MissingPolicy missing = MissingPolicy::error) const {
    return read_tsf(file("a.tsf", content), missing);
  }
  /// Of series that begin on these days.
  TsfData read_days(const std::string& frequency, const std::vector<std::string>& days) const {
    std::string content = "@attribute start date\n@frequency " + frequency + "\n@data\n";
    for (const std::string& day : days) content += day + ":1,2,3\n";
    return read_all(content);
  }
  std::string error(const std::string& content,
                    MissingPolicy missing = MissingPolicy::error) const {
    const std::string message = message_of<FileError>([&] { read(content, missing); });
    return message.substr(message.find("a.tsf"));
  }
};

TEST_F(TsfTest, ReadsSeriesOfAllLengths) {
  const Series series =
      read(kSeries + "T1:1979-01-01 00-00-00:1,2.5,3\n\nT2:1973-01-01 00-00-00:-4\n");
  EXPECT_THAT(series.feature_names, ElementsAre("value"));
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 2.5, 3, -4));
  ASSERT_EQ(series.parts.size(), 2);
  EXPECT_EQ(series.parts[0].name, "T1");
  EXPECT_THAT(series.parts[0].rows, ElementsAre(3, 0, 0));
  EXPECT_EQ(series.parts[1].name, "T2");
  EXPECT_THAT(series.parts[1].rows, ElementsAre(1, 0, 0));
}

TEST_F(TsfTest, NamesSeriesByAllTexts) {
  const Series groups = read("@attribute g string\n@attribute n\tstring\n@data\nA:1:1,2\nB:1:3\n");
  EXPECT_EQ(groups.parts[0].name, "A/1");
  EXPECT_EQ(groups.parts[1].name, "B/1");
  const Series unnamed = read("@attribute n numeric\n@data\n7:1,2\n8:3\n");
  EXPECT_EQ(unnamed.parts[1].name, "1");
}

// tests/torch/tsf_times_test.py compares the times themselves.
TEST_F(TsfTest, CountsTimesFromTheStartOfEachSeries) {
  const TsfData data = read_all(kSeries + "T1:1979-01-01 13-30-05:1,2,3\nT2:1980-03-01:4\n");
  const TimeStep year{TimeStep::Unit::months, 12};
  EXPECT_EQ(data.recipe.step, year);
  EXPECT_EQ(data.recipe.time_format, "dates");
  EXPECT_EQ(data.without_times, "");
  const double first = parse_timestamp("1979-01-01 13:30:05").value();
  EXPECT_THAT(doubles_of(data.series.times),
              ElementsAre(first, first + 365 * 86400.0, first + (365 + 366) * 86400.0,
                          parse_timestamp("1980-03-01").value()));
}

TEST_F(TsfTest, KnowsTheFrequenciesOfTheArchive) {
  const std::vector<std::pair<std::string, std::string>> steps{
      {"4_seconds", "4s"},       {"minutely", "1min"},     {"10_minutes", "10min"},
      {"15_minutes", "15min"},   {"half_hourly", "30min"}, {"Hourly", "1h"},
      {"daily", "1d"},           {"weekly", "7d"},         {"monthly", "1 month"},
      {"quarterly", "3 months"}, {"yearly", "12 months"}};
  for (const auto& [frequency, step] : steps) {
    EXPECT_EQ(to_string(read_days(frequency, {"2000-01-01"}).recipe.step), step);
  }
  for (const char* frequency :
       {"dayly", "0_days", "-1_days", "4", "_days", "1.5_days", "4_daily"}) {
    EXPECT_EQ(error("@attribute a date\n@frequency " + std::string(frequency) + "\n@data\n"),
              "a.tsf:3: @frequency: expected hourly, daily, weekly, monthly, quarterly, yearly, "
              "half_hourly, 10_minutes or the like, found '" +
                  std::string(frequency) + "'");
  }
}

TEST_F(TsfTest, CountsEndsOfMonthsWhereAllSeriesStartOnOne) {
  EXPECT_EQ(to_string(read_days("monthly", {"2000-01-31", "2001-02-28"}).recipe.step),
            "1 month end");
  EXPECT_EQ(to_string(read_days("monthly", {"2000-02-28", "2000-01-01"}).recipe.step), "1 month");
  EXPECT_EQ(to_string(read_days("weekly", {"2000-01-31", "2000-01-01"}).recipe.step), "7d");
  const TsfData mixed = read_days("monthly", {"2000-01-01", "2000-01-30"});
  EXPECT_FALSE(mixed.recipe.step.is_known());
  EXPECT_EQ(mixed.series.times.size(), 0);
  EXPECT_EQ(mixed.without_times,
            "some series start after day 28 of a month, but not all on the last day of one");
}

TEST_F(TsfTest, HasNoTimesWithoutADateOrFrequency) {
  const TsfData undated = read_all("@attribute n string\n@frequency daily\n@data\na:1,2\n");
  EXPECT_EQ(to_string(undated.recipe.step), "1d") << "to compare with that of other files";
  EXPECT_EQ(undated.series.times.size(), 0);
  EXPECT_EQ(undated.without_times, "");
  EXPECT_FALSE(
      read_all("@attribute n string\n@frequency odd\n@data\na:1\n").recipe.step.is_known());
  const TsfData unknown = read_all("@attribute d date\n@data\n2000-01-01:1,2\n");
  EXPECT_EQ(unknown.series.times.size(), 0);
  EXPECT_EQ(unknown.without_times, "no line @frequency tells how far they are from each other");
}

TEST_F(TsfTest, TimesGoWithTheRowsThatAreLeftOut) {
  const TsfData data =
      read_all(kSeries + "T1:1979-01-01:?,1,?\nT2:1981-01-01:?,2,3\n", MissingPolicy::drop);
  EXPECT_THAT(doubles_of(data.series.times), ElementsAre(parse_timestamp("1980-01-01").value(),
                                                         parse_timestamp("1982-01-01").value(),
                                                         parse_timestamp("1983-01-01").value()));
  EXPECT_EQ(data.recipe.other_steps, 3);
}

TEST_F(TsfTest, FillsWhatIsMissing) {
  const std::string lines = kSeries + "T1:1979-01-01:?,1,?\nT2:1979-01-01:?,?\nT3:1979-01-01:2\n";
  const Series dropped = read(lines, MissingPolicy::drop);
  EXPECT_THAT(values_of(dropped.x), ElementsAre(1, 2));
  EXPECT_EQ(dropped.parts.size(), 2) << "one is empty";
  EXPECT_EQ(dropped.dropped_rows, 4);
  const Series forward = read(lines, MissingPolicy::forward);
  EXPECT_THAT(values_of(forward.x), ElementsAre(1, 1, 2));
  EXPECT_EQ(forward.filled_values, 1);
  EXPECT_TRUE(read(lines, MissingPolicy::mean).fill_with_mean);
  EXPECT_EQ(error(kSeries + "T1:1979-01-01:?,?\n", MissingPolicy::drop),
            "a.tsf: --missing drop: left out all 2 rows, as each lacks a value");
}

TEST_F(TsfTest, NamesFileLineAndField) {
  EXPECT_EQ(error(kSeries + "T1:1979-01-01:1,x\n"), "a.tsf:9: expected a number, found 'x'");
  EXPECT_EQ(error(kSeries + "T1:1979-01-01:1,?\n"),
            "a.tsf:9: expected a number, found '?' (prepare tsf with --missing, beside --like too, "
            "drops or fills what is missing)");
  EXPECT_EQ(error(kSeries + "T1:1,2\n"),
            "a.tsf:9: expected 2 attributes with ':' behind each, as the header has them");
  EXPECT_EQ(error(kSeries + "T1:1979-01-01 00:00:1,2\n"),
            "a.tsf:9: expected a date like 2016-07-01 13-30-00, found '1979-01-01 00'");
  EXPECT_EQ(error(kSeries + "T1:1979-01-01:1:2\n"),
            "a.tsf:9: expected values behind 2 attributes, found another ':'");
  EXPECT_EQ(error(kSeries + "T1:1979-02-30:1\n"),
            "a.tsf:9: expected a date like 2016-07-01 13-30-00, found '1979-02-30'");
  EXPECT_EQ(error(kSeries + "T1:9998-01-01:1,2,3\n"),
            "a.tsf: series 'T1': 3 values, one every 12 months, go beyond the year 9999");
  EXPECT_EQ(error("@attribute a date\n@attribute b date\n"),
            "a.tsf:2: @attribute b: expected one date, that of the first value, found a second");
  EXPECT_EQ(error(kSeries + "T1:1979-01-01:1\nT1:1979-01-01:2\n"),
            "a.tsf:10: expected names that differ from each other, found 'T1' twice");
  EXPECT_EQ(error("@attribute a\n"),
            "a.tsf:1: @attribute: expected a name and a type, string, date or numeric");
  EXPECT_EQ(error("a\n"), "a.tsf:1: expected a header line, beginning with '@'");
  EXPECT_EQ(error(kSeries), "a.tsf: expected series after a line @data, found none");
}

}  // namespace
}  // namespace quadgate
