#include "io/importers/ts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/importers/text.h"

namespace quadgate {
namespace {

/// Reads a .ts file line by line into `data_`.
class TsReader {
 public:
  TsReader(const std::filesystem::path& path, const ImportOptions& options)
      : reader_(path, options), data_(path, options.spool) {}

  LabelledSequences read() {
    bool in_data = false;
    for (std::string_view line; reader_.line(line);) {
      line = trim(line);
      if (line.empty() || line.starts_with('#')) continue;
      if (in_data) {
        read_sequence(line);
      } else {
        in_data = read_header(line);
      }
    }
    if (data_.size() == 0) {
      throw FileError(data_.path.string() + ": expected sequences after a line @data, found none");
    }
    return std::move(data_);
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { reader_.fail(problem); }

  // True if this is the line @data.
  bool read_header(std::string_view text) {
    if (!text.starts_with('@')) fail("expected a header line, beginning with '@'");
    std::string tag(cut(text, ' '));
    std::ranges::transform(tag, tag.begin(), [](unsigned char c) { return std::tolower(c); });
    if (tag == "@timestamps" && trim(text) != "false") {
      fail(fmt::format("@timeStamps: expected false, found '{}'", trim(text)));
    }
    if (tag == "@classlabel") read_class_names(trim(text));
    if (tag != "@data") return false;
    if (data_.class_names.empty()) fail("expected a line @classLabel true ... before @data");
    return true;
  }

  void read_class_names(std::string_view text) {
    if (cut(text, ' ') != "true") fail("@classLabel: expected 'true' and the class names");
    while (!text.empty()) {
      const std::string_view name = trim(cut(text, ' '));
      if (!name.empty()) data_.class_names.emplace_back(name);
    }
  }

  // A line "1,2,3:4,5,6:label", a dimension after the other.
  void read_sequence(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) fail("expected dimensions, then ':' and the label");
    const std::int64_t label = label_of(trim(text.substr(colon + 1)));
    values_.clear();
    std::string_view dimensions = text.substr(0, colon);
    std::int64_t count = 0;
    std::size_t length = 0;
    while (!dimensions.empty()) {
      const std::size_t before = values_.size();
      read_dimension(cut(dimensions, ':'), ++count);
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
    add_transposed(length, label);
  }

  std::int64_t label_of(std::string_view name) const {
    const auto found = std::ranges::find(data_.class_names, name);
    if (found == data_.class_names.end()) {
      fail(fmt::format("label: expected one of {}, found '{}'", fmt::join(data_.class_names, ", "),
                       name));
    }
    return found - data_.class_names.begin();
  }

  void read_dimension(std::string_view text, std::int64_t dimension) {
    while (!text.empty()) {
      const std::string_view field = trim(cut(text, ','));
      const auto number = parse_number(field);
      if (!number) {
        fail(fmt::format("dimension {}: expected a number, found '{}'", dimension, field));
      }
      values_.push_back(*number);
    }
  }

  // Adds values_ [dimensions, length] as [length, dimensions].
  void add_transposed(std::size_t length, std::int64_t label) {
    if (length == 0) fail("expected at least one value a dimension, found none");
    steps_.clear();
    for (std::size_t step = 0; step < length; ++step) {
      for (std::size_t i = step; i < values_.size(); i += length) steps_.push_back(values_[i]);
    }
    data_.add(steps_, label);
  }

  TextReader reader_;
  LabelledSequences data_;
  std::vector<double> values_;  // of the sequence being read, a dimension after the other
  std::vector<double> steps_;   // the same, a step after the other
};

}  // namespace

LabelledSequences read_ts(const std::filesystem::path& path, const ImportOptions& options) {
  return TsReader(path, options).read();
}

}  // namespace quadgate
