#include "io/importers/ts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "engine/model/loss_config.h"
#include "io/importers/csv_dialect.h"
#include "io/importers/missing_values.h"
#include "io/importers/text.h"
#include "io/importers/ts_lines.h"

namespace quadgate {
namespace {

/// Reads a .ts file line by line into `data_`.
class TsReader {
 public:
  TsReader(const std::filesystem::path& path, MissingPolicy missing, const ImportOptions& options)
      : lines_(path, options),
        missing_(missing),
        spool_(options.spool),
        unlabelled_(options.unlabelled),
        data_(path, options.spool) {}

  LabelledSequences read(const PieceTaker<LabelledSequences>& take) {
    bool is_empty = true;
    for (std::string_view line; !in_data_ && lines_.next(line);) read_header(line);
    for (std::string_view line; lines_.next(line); is_empty = false) {
      read_sequence(line);
      if (lines_.at_pause()) take(taken(), lines_.line_number());
    }
    if (is_empty) {
      throw FileError(data_.path.string() + ": expected sequences after a line @data, found none");
    }
    return taken();
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { lines_.fail(problem); }

  /// What was read since it was called before.
  LabelledSequences taken() {
    data_.has_targets = has_labels_ && !lacks_target_;
    LabelledSequences next = empty_like(data_, spool_);
    return fill_missing(std::exchange(data_, std::move(next)), missing_, spool_);
  }

  void read_header(std::string_view line) {
    const auto& [tag, value] = lines_.tag_of(line);
    if (tag == "@timestamps") data_.has_times = is_true(tag, value);
    if (tag == "@targetlabel" && is_true(tag, value)) {
      data_.task = Task::regression;
      data_.output_size = 1;
    }
    if (tag == "@classlabel") read_class_names(value);
    if (tag != "@data") return;
    in_data_ = true;
    if (data_.task == Task::regression) {
      data_.class_names.clear();
    } else if (data_.class_names.empty() && unlabelled_) {
      data_.task = *unlabelled_;
      data_.output_size = data_.task == Task::regression ? 1 : 0;
      lines_have_labels_ = false;
    } else if (data_.class_names.empty()) {
      fail("expected a line @classLabel true ... or @targetLabel true before @data");
    }
  }

  bool is_true(std::string_view tag, std::string_view value) const {
    const std::string flag = lower(value);
    if (flag != "true" && flag != "false") {
      fail(fmt::format("{}: expected true or false, found '{}'", tag, value));
    }
    return flag == "true";
  }

  void read_class_names(std::string_view text) {
    const std::string flag = lower(take_word(text));
    if (flag == "false") return;  // a line @targetLabel may come
    if (flag != "true" || text.empty()) fail("@classLabel: expected 'true' and the class names");
    while (!text.empty()) {
      const std::string_view name = take_word(text);
      if (std::ranges::find(data_.class_names, name) != data_.class_names.end()) {
        fail(fmt::format("@classLabel: expected each class once, found '{}' twice", name));
      }
      data_.class_names.emplace_back(name);
    }
  }

  // A line "1,2,3:4,5,6:label", a dimension after the other.
  void read_sequence(std::string_view text) {
    const std::size_t colon = lines_have_labels_ ? text.rfind(':') : text.size();
    if (colon == std::string_view::npos) fail("expected dimensions, then ':' and the label");
    std::string_view dimensions = text.substr(0, colon);
    values_.clear();
    times_.clear();
    std::int64_t count = 0;
    std::size_t length = 0;
    for (bool goes_on = true; goes_on;) {
      const std::size_t before = values_.size();
      ++count;
      goes_on = data_.has_times ? read_times_and_values(dimensions, count)
                                : read_values(dimensions, count);
      const std::size_t found = values_.size() - before;
      if (count == 1) length = found;
      if (found != length) {
        fail(fmt::format("dimension {}: expected {} values, as in dimension 1, found {}", count,
                         length, found));
      }
    }
    if (data_.input_size == 0) data_.input_size = count;
    if (count != data_.input_size) {
      fail(fmt::format("expected {} dimensions, as in the first sequence, found {}",
                       data_.input_size, count));
    }
    add_transposed(length, lines_have_labels_ ? trim(text.substr(colon + 1)) : kUnknown);
  }

  std::int64_t label_of(std::string_view name) {
    if (unlabelled_ && name == kUnknown) return kIgnoreIndex;
    has_labels_ = true;
    const auto& names = data_.class_names;
    auto found = std::ranges::find(names, name);
    if (found == names.end()) {  // aeon takes "Up" for "up"
      const std::string wanted = lower(name);
      const auto is_wanted = [&](const std::string& other) { return lower(other) == wanted; };
      if (std::ranges::count_if(names, is_wanted) == 1)
        found = std::ranges::find_if(names, is_wanted);
    }
    if (found == names.end()) {
      fail(fmt::format("label: expected one of {}, found '{}'", fmt::join(names, ", "), name));
    }
    return found - names.begin();
  }

  // Takes a dimension "1,2,3", and the colon behind it, off the front of `text`; whether there was
  // one.
  bool read_values(std::string_view& text, std::int64_t dimension) {
    const bool has_colon = text.find(':') != std::string_view::npos;
    std::string_view values = trim(cut(text, ':'));
    for (bool goes_on = !values.empty(); goes_on;) {
      goes_on = values.find(',') != std::string_view::npos;
      read_value(trim(cut(values, ',')), dimension);
    }
    return has_colon;
  }

  void read_value(std::string_view field, std::int64_t dimension) {
    const auto number = parse_number(field);
    if (!number && (!is_missing(field) || missing_ == MissingPolicy::error)) {
      fail(fmt::format("dimension {}: expected a number, found '{}'{}", dimension, field,
                       is_missing(field) ? way_out_of_missing("ts") : ""));
    }
    values_.push_back(number.value_or(std::numeric_limits<double>::quiet_NaN()));
  }

  // The same of "(time,value),(time,value)". Values of one step have one time.
  bool read_times_and_values(std::string_view& text, std::int64_t dimension) {
    for (std::size_t step = 0;; ++step) {
      const std::string_view pair = trim(cut(text, ')'));
      const std::size_t comma = pair.rfind(',');
      if (!pair.starts_with('(') || comma == std::string_view::npos) {
        fail(fmt::format("dimension {}: expected (time,value), found '{}'", dimension, pair));
      }
      const std::string_view time = trim(pair.substr(1, comma - 1));
      if (dimension == 1) times_.push_back(time);
      if (step < times_.size() && time != times_[step]) {
        fail(fmt::format("dimension {}: expected the time {}, as in dimension 1, found {}",
                         dimension, times_[step], time));
      }
      read_value(trim(pair.substr(comma + 1)), dimension);
      text = trim(text);
      const bool goes_on = text.starts_with(',');
      const bool has_colon = text.starts_with(':');
      if (!text.empty() && !goes_on && !has_colon) {
        fail(fmt::format("dimension {}: expected ',' or ':' after (time,value), found '{}'",
                         dimension, text.substr(0, 1)));
      }
      if (!text.empty()) text.remove_prefix(1);
      if (!goes_on) return has_colon;
    }
  }

  // Adds values_ [dimensions, length] as [length, dimensions].
  void add_transposed(std::size_t length, std::string_view label) {
    if (length == 0) fail("expected at least one value a dimension, found none");
    steps_.clear();
    for (std::size_t step = 0; step < length; ++step) {
      for (std::size_t i = step; i < values_.size(); i += length) steps_.push_back(values_[i]);
    }
    if (data_.task != Task::regression) {
      data_.add(steps_, label_of(label));
      return;
    }
    const bool is_unknown = unlabelled_ && label == kUnknown;
    const auto target = is_unknown ? 0.0 : parse_number(label);
    has_labels_ = has_labels_ || !is_unknown;
    lacks_target_ = lacks_target_ || is_unknown;
    if (!target) fail(fmt::format("target: expected a number, found '{}'", label));
    data_.x.append(steps_);
    data_.lengths.push_back(static_cast<std::int64_t>(length));
    data_.targets.append(std::array{*target});
  }

  static constexpr std::string_view kUnknown = "?";  // a label that nobody knows

  TsLines lines_;
  MissingPolicy missing_;
  SpoolOptions spool_;
  std::optional<Task> unlabelled_;
  bool in_data_ = false;
  bool lines_have_labels_ = true;
  bool has_labels_ = false;    // that are known
  bool lacks_target_ = false;  // of a sequence of a regression: no value stands for an unknown one
  LabelledSequences data_;
  std::vector<std::string_view> times_;  // of the sequence being read
  std::vector<double> values_;           // of the same, a dimension after the other
  std::vector<double> steps_;            // the same, a step after the other
};

}  // namespace

LabelledSequences read_ts(const std::filesystem::path& path, MissingPolicy missing,
                          const ImportOptions& options, const PieceTaker<LabelledSequences>& take) {
  return TsReader(path, missing, options).read(take);
}

bool is_tsf(const std::filesystem::path& path) {
  if (std::filesystem::exists(path) && !std::filesystem::is_regular_file(path)) return false;
  TsLines lines(path, {});
  for (std::string_view line; lines.next(line) && line.starts_with('@');) {
    const std::string tag = lines.tag_of(line).first;
    if (tag == "@attribute") return true;
    if (tag == "@data") return false;
  }
  return false;
}

}  // namespace quadgate
