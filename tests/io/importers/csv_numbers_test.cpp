// Sweeps: signs of decimals and thousands in all combinations, those that can be read in two ways,
// and texts that are no numbers. Tolerance: none.

#include "io/importers/csv_numbers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using Texts = std::vector<std::string>;
using Numbers = std::vector<std::optional<double>>;

constexpr std::nullopt_t kNoValue = std::nullopt;

/// What a table of these fields holds, all of which it has learned from.
Numbers read(char delimiter, const Texts& fields, std::optional<char> decimal = {},
             bool is_one_field = false) {
  CsvNumbers numbers(delimiter, decimal, is_one_field);
  for (const std::string& field : fields) numbers.learn(field);
  Numbers values;
  for (const std::string& field : fields) values.push_back(numbers.parse(field));
  return values;
}

TEST(CsvNumbersTest, ReadsPlainNumbers) {
  for (const char delimiter : {',', ';', '\t', '|'}) {
    EXPECT_THAT(read(delimiter, {"1.5", "-0.25", "+3", "4e1", "25E-2", ".5", "5."}),
                ElementsAre(1.5, -0.25, 3, 40, 0.25, 0.5, 5));
  }
}

TEST(CsvNumbersTest, ReadsDecimalCommas) {
  EXPECT_THAT(read(';', {"1,5", "-0,25", "3", "1,5e2", ",5"}),
              ElementsAre(1.5, -0.25, 3, 150, 0.5));
  EXPECT_THAT(read(',', {"1,5", "2,375"}), ElementsAre(1.5, 2.375)) << "in quotes";
}

TEST(CsvNumbersTest, ReadsThousands) {
  EXPECT_THAT(read(';', {"1.234,5", "12.500", "1.234.567", "7"}),
              ElementsAre(1234.5, 12500, 1234567, 7));
  EXPECT_THAT(read(';', {"12.500", "0,5"}), ElementsAre(12500, 0.5));
  EXPECT_THAT(read('|', {"2,334", "0.5", "-12,000.25"}), ElementsAre(2334, 0.5, -12000.25));
  EXPECT_THAT(read(';', {"2 334", "1 234 567,5", "0,5"}), ElementsAre(2334, 1234567.5, 0.5));
  EXPECT_THAT(read(';', {"2\xC2\xA0"
                         "334",
                         "2\xE2\x80\xAF"
                         "334,5"}),
              ElementsAre(2334, 2334.5));
  EXPECT_THAT(read('\t', {"2'334.5", "12'000"}), ElementsAre(2334.5, 12000));
  EXPECT_THAT(read(';', {"1\xE2\x80\x99"
                         "000"}),
              ElementsAre(1000));
  EXPECT_THAT(read(',', {"12,000", "7"}), ElementsAre(12000, 7)) << "in quotes";
}

TEST(CsvNumbersTest, RefusesWhatCanBeReadInTwoWays) {
  EXPECT_THAT(read('|', {"2,334", "12,000", "5"}), ElementsAre(kNoValue, kNoValue, 5));
  EXPECT_THAT(read(';', {"12.500", "8.750"}), ElementsAre(kNoValue, kNoValue));
  EXPECT_THAT(read('\t', {"12.500"}), ElementsAre(kNoValue));
  EXPECT_THAT(read(',', {"12.500"}), ElementsAre(12.5)) << "other signs would divide fields";
  EXPECT_THAT(read(';', {"12.500"}, '.'), ElementsAre(12.5));
  EXPECT_THAT(read(';', {"12.500"}, ','), ElementsAre(12500));
  EXPECT_THAT(read('|', {"2,375"}, ','), ElementsAre(2.375));
  EXPECT_THAT(read('|', {"2,334"}, '.'), ElementsAre(2334));
  CsvNumbers numbers('|', {}, false);
  EXPECT_EQ(numbers.expected("2,334"),
            "a number that can be read in one way (--decimal says 2334 or 2.334)");
}

TEST(CsvNumbersTest, RefusesSignsOfAnotherKind) {
  EXPECT_THAT(read(';', {"0,5", "1.5"}), ElementsAre(kNoValue, 1.5)) << "a point settles it";
  EXPECT_THAT(read(';', {"0,5", "1.234", "1 234"}), ElementsAre(0.5, 1234, kNoValue));
  EXPECT_THAT(read(';', {"1 234", "1'234"}), ElementsAre(1234, kNoValue));
  EXPECT_THAT(read(',', {"0.5", "1,5"}), ElementsAre(0.5, kNoValue));
}

TEST(CsvNumbersTest, KnowsThatABlankMayDivideFields) {
  EXPECT_THAT(read(',', {"1 234"}, {}, true), ElementsAre(kNoValue));
  CsvNumbers numbers(',', {}, true);
  EXPECT_EQ(numbers.expected("1 234"),
            "a number (if blanks divide fields, say so with --delimiter)");
}

TEST(CsvNumbersTest, RefusesWhatIsNoNumber) {
  for (const char* text :
       {"",      "x",          "1x",          "nan",       "inf",          "1e39",
        "+",     "-",          ".",           ",",         "+-1",          "--1",
        "1.2.3", "1..2",       "1,2,3",       "12,34,567", "1234,567,890", "1 2",
        "0 123", "01.07.2016", "1.234,567.8", "12:30",     "1 234 5",      "1_000",
        "0x10",  "1.234e",     "$5",          "5 %"}) {
    CsvNumbers numbers(';', {}, false);
    EXPECT_EQ(numbers.parse(text), kNoValue) << text;
    EXPECT_FALSE(looks_like_number(text)) << text;
    EXPECT_EQ(numbers.expected(text), "a number");
  }
  EXPECT_FALSE(looks_like_number(std::string(100, '1')));
}

TEST(CsvNumbersTest, TellsTheSigns) {
  CsvNumbers numbers(';', {}, false);
  EXPECT_EQ(numbers.about(), "decimal point");
  EXPECT_EQ(numbers.parse("1.234,5"), 1234.5);
  EXPECT_EQ(numbers.about(), "decimal comma, thousands like 1.000");
  EXPECT_EQ(numbers.expected("1.5"),
            "a number like those before it, with a decimal comma, thousands like 1.000");
  CsvNumbers assumed(',', {}, false);
  EXPECT_EQ(assumed.parse("12,500"), 12500);
  EXPECT_EQ(assumed.about(), "decimal point (assumed: --decimal tells), thousands like 1,000");
}

}  // namespace
}  // namespace quadgate
