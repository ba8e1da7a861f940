#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/config.h"
#include "io/data/recipe.h"

namespace quadgate {

class AttributeReader;
class AttributeWriter;

/// How a forecast cuts its series: `input_len` rows go in, the next `horizon` rows come out.
struct Window {
  std::int64_t input_len = 0;
  std::int64_t horizon = 0;
  std::int64_t stride = 1;             ///< rows from one window to the next
  std::vector<std::string> targets{};  ///< names of the columns to forecast; empty: all

  bool operator==(const Window&) const = default;
};

/// How a language model reads its text: `count` streams side by side, in pieces of `bptt_len`
/// tokens (see StreamSplit).
struct Streams {
  std::int64_t count = 0;
  std::int64_t bptt_len = 0;

  bool operator==(const Streams&) const = default;
};

/// What the tokens of a text are.
enum class TextLevel : std::uint8_t {
  characters,  ///< Unicode code points
  words,
};

std::string_view to_string(TextLevel level);

/// Mean and standard deviation of the features of a series.
struct SeriesScale {
  std::string name{};          ///< of the series
  std::vector<double> mean{};  ///< [I]
  std::vector<double> std{};   ///< [I]

  bool operator==(const SeriesScale&) const = default;
};

/// What a data set says of its columns and classes. A checkpoint keeps it to predict with.
struct DataDescription {
  std::vector<std::string> feature_names{};  ///< [I]
  /// Of a forecast: features that are known of the rows to be forecast as well (see WindowSplit).
  std::vector<std::string> known_names{};
  std::vector<std::string> token_names{};    ///< the vocabulary; tokens have no features
  TextLevel token_level = TextLevel::words;  ///< of tagging; characters: see read_conllu
  /// Of CoNLL-U, what the classes are: "XPOS", "FEATS", "LEMMA" (see lemma_script) or "NER"; empty:
  /// UPOS, or not of CoNLL-U.
  std::string tag_column{};
  std::vector<std::string> class_names{};  ///< of classification and tagging, by label
  std::vector<double> mean{};              ///< [I] if x is standardized, else empty
  std::vector<double> std{};               ///< [I] if x is standardized, else empty
  /// Of a forecast: of each series if each is standardized by its own, else empty, as mean and std
  /// are then.
  std::vector<SeriesScale> series_scales{};
  std::optional<Window> window{};    ///< of a forecast, with its targets named
  std::optional<Streams> streams{};  ///< of a language model
  std::optional<Recipe> recipe{};    ///< how the files were read, unless an older one

  bool operator==(const DataDescription&) const = default;
};

/// Whether x is standardized, by one scale or by that of each series.
bool is_standardized(const DataDescription& description);

/// The columns of x that a forecast's `window->targets` name, in that order. Throws
/// InvalidArgument, naming the column, if x has none of that name or it comes twice.
std::vector<std::int64_t> target_columns(const DataDescription& description);

/// The inverse of to_string(Task); empty for other names.
std::optional<Task> task_from_name(std::string_view name);

/// Reads the attributes feature_names, known_names, token_names, token_level, tag_column,
/// class_names, mean, std, series_names, series_mean, series_std, input_len, horizon, stride,
/// target_names, streams, bptt_len and those of read_recipe. Each may be absent. Throws FileError,
/// also if mean and std, or those of series, are not of one size, not finite, or a std is not above
/// 0.
DataDescription read_data_description(const AttributeReader& from);

/// Writes the fields that are not empty as attributes.
void write_data_description(AttributeWriter& to, const DataDescription& description);

}  // namespace quadgate
