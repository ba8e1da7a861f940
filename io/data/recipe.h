#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/data/time_step.h"

namespace quadgate {

class AttributeReader;
class AttributeWriter;

/// A column of a table that has one value a series.
struct StaticColumn {
  std::string name{};
  std::vector<std::string> classes{};  ///< a feature each; none: numbers, one feature

  bool operator==(const StaticColumn&) const = default;
};

/// How the files that a data set was made of were read, to read others in the same way.
struct Recipe {
  std::string kind{};          ///< "csv", "ts", "tsf", "npz", "conllu", "text" or "idx"
  std::string time{};          ///< of csv: the column of times, or none
  std::string group{};         ///< of csv: the column that names series, or none
  std::string decimal{};       ///< of csv: "." or "," in front of a number's fraction, if told
  std::string date_order{};    ///< of csv: "day-first" or "month-first", of dates like 1/7/2016
  std::string time_format{};   ///< how times are written (TimeFormat::name)
  std::string resample{};      ///< of csv: the step that rows are the means of, or none
  std::string missing{};       ///< what became of missing values (MissingPolicy)
  std::vector<double> fill{};  ///< [I] of "mean": what a missing value became
  std::vector<std::string> calendar{};  ///< of csv: the parts of a row's time that are features
  std::vector<StaticColumn> statics{};  ///< of csv: in the order of their features
  std::string level{};                  ///< of text: "characters" or "words"
  std::int64_t min_count = 0;           ///< how often a word must occur; 0: no vocabulary was made
  TimeStep step{};                      ///< of the series, if known
  TimeStep source_step{};               ///< of resampled rows: the usual one of those of the file
  std::int64_t other_steps = 0;         ///< rows that were not one step behind the row before

  bool operator==(const Recipe&) const = default;
};

/// The dataset `time` of a forecast holds the times of rows in millionths, as integers.
inline constexpr double kTimesInOne = 1e6;
/// The largest time that it can hold.
inline constexpr double kLargestTime = 9e12;

/// The attribute that tells whether there is a recipe.
inline constexpr const char* kSourceKind = "source_kind";

/// Reads the attributes source_kind, source_time, ...: see docs/formats.md. Each but the kind may
/// be absent. Throws FileError.
Recipe read_recipe(const AttributeReader& from);

/// Writes the fields that are not empty as attributes.
void write_recipe(AttributeWriter& to, const Recipe& recipe);

}  // namespace quadgate
