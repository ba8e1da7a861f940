#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/data/vocabulary.h"
#include "io/files/spool.h"
#include "io/model/known_data.h"

namespace quadgate::apps {

/// What a data set of an input does not tell: its words, which a vocabulary may lack.
struct InputWords {
  WordList words;
  SpooledIntegers tokens;          ///< numbers of words, in the order of the input
  std::vector<std::string> notes;  ///< what was done to its rows, a line a file
  std::int64_t left_out = 0;       ///< sequences
};

struct PrepareArguments {
  /// "idx", "ts", "tsf", "csv", "npz", "conllu" or "text"; empty: that of `like`.
  std::string kind;
  std::filesystem::path like;  ///< a checkpoint or data set whose data the input is like; or empty
  std::vector<std::filesystem::path> inputs;  ///< idx: images and, unless nobody knows them,
                                              ///< labels; ts, csv, npz: one file; else many
  std::vector<std::filesystem::path> valid;   ///< as `inputs`, or empty
  std::vector<std::filesystem::path> test;    ///< as `inputs`, or empty
  std::filesystem::path future;               ///< csv: rows behind of known columns, or empty
  std::filesystem::path output;
  double valid_fraction = 0;
  double test_fraction = 0;
  std::optional<std::uint64_t> seed;  ///< of the draw of their rows; empty: that of PrepareOptions
  bool standardize = false;
  bool standardize_series = false;  ///< each by its own
  bool gzip = false;
  bool force = false;   ///< replace a file of another kind
  std::string missing;  ///< "error", "drop", "forward" or "mean"; empty: "error"

  // Of csv. A list is names with commas between.
  std::vector<std::string> columns;   ///< lists
  std::vector<std::string> statics;   ///< lists
  std::vector<std::string> known;     ///< lists
  std::string calendar;               ///< a list of calendar_parts, or empty
  std::string time;                   ///< column
  std::string group;                  ///< column
  std::string delimiter;              ///< one character or "tab"; empty: as the file looks
  std::string decimal;                ///< "." or ","; empty: as the file looks
  std::string date_order;             ///< "day-first" or "month-first"; empty: as the table tells
  std::string resample;               ///< a step like "15min"; empty: rows stay as they are
  std::string valid_from, test_from;  ///< times; empty: rows are not divided by time

  // Of text and conllu.
  std::string level;                      ///< "characters" or "words"; empty: the kind's own
  std::string column;                     ///< of conllu: what the classes are; empty: "UPOS"
  std::optional<std::int64_t> min_count;  ///< empty: 2, for characters of text 1
};

/// Writes a data set. Throws InvalidArgument if its name is not in .h5 or .hdf5, if it would
/// replace an input, or without `force` a checkpoint, or if options contradict those of `like`.
void prepare(const PrepareArguments& arguments);

/// Writes a data set of an input that is like `known`, from which all options come that `arguments`
/// do not tell, without a word on stdout; its words go to `words`, if it has any.
void prepare_like(PrepareArguments arguments, const KnownData& known, InputWords& words);

}  // namespace quadgate::apps
