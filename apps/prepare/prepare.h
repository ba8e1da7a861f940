#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quadgate::apps {

struct PrepareArguments {
  std::vector<std::filesystem::path>
      inputs;  ///< idx: images and labels; ts, csv, npz: one file; else many
  std::vector<std::filesystem::path> valid;  ///< as `inputs`, or empty
  std::vector<std::filesystem::path> test;   ///< as `inputs`, or empty
  std::filesystem::path output;
  double valid_fraction = 0;
  double test_fraction = 0;
  std::optional<std::uint64_t> seed;  ///< of the draw of their rows; empty: that of PrepareOptions
  bool standardize = false;
  bool gzip = false;
  bool force = false;                 ///< replace a file of another kind
  std::vector<std::string> columns;   ///< names with commas between; this and the next nine: of csv
  std::string time;                   ///< column
  std::string group;                  ///< column
  std::string delimiter;              ///< one character or "tab"; empty: as the file looks
  std::string decimal;                ///< "." or ","; empty: as the file looks
  std::string missing = "error";      ///< or "drop", "forward", "mean"
  std::string date_order;             ///< "day-first" or "month-first"; empty: as the table tells
  std::string resample;               ///< a step like "15min"; empty: rows stay as they are
  std::string valid_from, test_from;  ///< times; empty: rows are not divided by time
  std::string level;  ///< of text and conllu: "characters" or "words"; empty: the kind's own
  std::string column = "UPOS";        ///< of conllu: what the classes are
  std::optional<std::int64_t>
      min_count;  ///< of text and conllu; empty: 2, for characters of text 1
};

/// Throws InvalidArgument if the data set would replace an input, or without `force` a checkpoint.
void expect_free_output(const PrepareArguments& arguments);

/// Each writes a data set from files of its kind.
void prepare_idx(const PrepareArguments& arguments);
void prepare_ts(const PrepareArguments& arguments);
void prepare_csv(const PrepareArguments& arguments);
void prepare_npz(const PrepareArguments& arguments);
void prepare_conllu(const PrepareArguments& arguments);
void prepare_text(const PrepareArguments& arguments);

}  // namespace quadgate::apps
