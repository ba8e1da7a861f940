#include "io/importers/npz.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/base/error.h"
#include "engine/model/loss_config.h"
#include "io/files/file_progress.h"

namespace quadgate {
namespace {

using Shape = std::vector<std::int64_t>;
constexpr std::int64_t kPiece = 1 << 14;               // elements read at a time
constexpr std::int64_t kMostUnnamedClasses = 1 << 20;  // a larger label is a mistake

[[noreturn]] void fail(const NpzArray& array, std::string_view expected) {
  throw FileError(fmt::format("{}: expected {}, found shape [{}]", array.where(), expected,
                              fmt::join(array.shape(), ", ")));
}

/// Calls body(values) for all elements, a piece at a time.
template <typename T, typename Body>
void for_each_piece(NpzArray& array, Body body) {
  std::vector<T> values;
  for (std::int64_t left = array.size(); left > 0; left -= std::ssize(values)) {
    values.resize(static_cast<std::size_t>(std::min(left, kPiece)));
    array.read(values);
    body(std::span<const T>(values));
  }
}

void read_x(NpzArray& x, const std::filesystem::path& path, const ImportOptions& options,
            SpooledFloats& out) {
  WorkMeter meter(options.observer, "reading", path, 4 * x.size());
  const auto add = [&](auto values) {
    out.append(values);
    meter.add(4 * values.size());
  };
  x.is_wide() ? for_each_piece<double>(x, add) : for_each_piece<float>(x, add);
}

std::vector<std::string> read_names(const NpzFile& file, const std::string& name) {
  return file.has(name) ? file.open(name).read_texts() : std::vector<std::string>();
}

/// One a feature, or none.
void expect_names(const NpzFile& file, const std::vector<std::string>& names, std::int64_t count) {
  if (names.empty() || std::ssize(names) == count) return;
  throw FileError(fmt::format("{}: array 'feature_names': expected {} names, found {}",
                              file.path().string(), count, names.size()));
}

/// Lengths out of `offsets`, of sequences that have `steps` together.
void read_offsets(NpzArray& offsets, std::int64_t steps, SpooledIntegers& lengths) {
  if (offsets.shape().size() != 1 || offsets.size() < 2) fail(offsets, "[n + 1]");
  std::int64_t last = -1;
  for_each_piece<std::int64_t>(offsets, [&](std::span<const std::int64_t> values) {
    for (const std::int64_t value : values) {
      if (last < 0 ? value != 0 : value <= last) {
        throw FileError(fmt::format("{}: expected 0 and numbers that grow, found {} after {}",
                                    offsets.where(), value, last));
      }
      if (last >= 0) lengths.push_back(value - last);
      last = value;
    }
  });
  if (last != steps) {
    throw FileError(fmt::format("{}: expected {} at its end, the steps of x, found {}",
                                offsets.where(), steps, last));
  }
}

/// Labels, and names for all of them unless there are some.
void read_labels(NpzArray& y, LabelledSequences& data) {
  std::int64_t largest = 0;
  for_each_piece<std::int64_t>(y, [&](std::span<const std::int64_t> labels) {
    for (const std::int64_t label : labels) {
      const std::int64_t most =
          data.class_names.empty() ? kMostUnnamedClasses : std::ssize(data.class_names);
      if (label != kIgnoreIndex && (label < 0 || label >= most)) {
        throw FileError(
            fmt::format("{}: expected labels from 0 to {}, or {} where none counts, found {}",
                        y.where(), most - 1, kIgnoreIndex, label));
      }
      largest = std::max(largest, label);
      data.labels.push_back(label);
    }
  });
  for (std::int64_t label = 0; label <= largest && std::ssize(data.class_names) <= largest;
       ++label) {
    data.class_names.push_back(std::to_string(label));
  }
}

/// Labels that are names; the classes are those that there are, in order, unless they are given.
void read_named_labels(NpzArray& y, LabelledSequences& data) {
  const std::vector<std::string> names = y.read_texts();
  if (data.class_names.empty()) {
    const std::set<std::string> classes(names.begin(), names.end());
    data.class_names.assign(classes.begin(), classes.end());
  }
  std::unordered_map<std::string_view, std::int64_t> labels;
  for (std::size_t i = 0; i < data.class_names.size(); ++i) {
    labels.emplace(data.class_names[i], static_cast<std::int64_t>(i));
  }
  for (const std::string& name : names) {
    const auto found = labels.find(name);
    if (found == labels.end()) {
      throw FileError(fmt::format("{}: expected one of class_names, found '{}'", y.where(), name));
    }
    data.labels.push_back(found->second);
  }
}

void read_y(NpzArray& y, std::int64_t steps, LabelledSequences& data) {
  const Shape& shape = y.shape();
  const std::int64_t count = data.size();
  const bool one_each = shape == Shape{count};
  if (y.kind() == NpzArray::Kind::floating) {
    if (!one_each && (shape.size() != 2 || shape[0] != count || shape[1] < 1)) {
      fail(y, fmt::format("[{}, O] or [{}], values of each sequence", count, count));
    }
    data.task = Task::regression;
    data.output_size = one_each ? 1 : shape[1];
    for_each_piece<float>(y, [&](std::span<const float> values) { data.targets.append(values); });
    return;
  }
  const bool one_a_step =
      shape == Shape{steps} || (shape.size() == 2 && shape[0] == count && y.size() == steps);
  if (!one_each && !one_a_step) {
    fail(y, fmt::format("a label each of {} sequences or {} steps", count, steps));
  }
  data.task = one_each ? Task::classification : Task::tagging;
  y.kind() == NpzArray::Kind::text ? read_named_labels(y, data) : read_labels(y, data);
}

/// Of a task whose targets nobody knows.
void take_no_labels(Task task, std::int64_t steps, LabelledSequences& data) {
  data.has_targets = false;
  data.task = task;
  if (task == Task::regression) {
    data.output_size = 1;
    for (std::int64_t i = 0; i < data.size(); ++i) data.targets.append(std::array{0.0F});
    return;
  }
  const std::int64_t count = task == Task::tagging ? steps : data.size();
  for (std::int64_t i = 0; i < count; ++i) data.labels.push_back(kIgnoreIndex);
}

}  // namespace

std::vector<std::string> unread_arrays(const NpzFile& file, std::span<const std::string> suffixes) {
  std::set<std::string> known{"feature_names", "class_names"};
  if (suffixes.empty()) known.insert("x");
  for (const std::string& suffix : suffixes) {
    for (const char* array : {"x", "y", "offsets"}) known.insert(array + suffix);
  }
  std::vector<std::string> unread;
  std::ranges::copy_if(file.names(), std::back_inserter(unread),
                       [&](const std::string& name) { return !known.contains(name); });
  return unread;
}

LabelledSequences read_npz(const NpzFile& file, const std::string& suffix,
                           const ImportOptions& options) {
  LabelledSequences data(file.path(), options.spool);
  data.feature_names = read_names(file, "feature_names");
  data.class_names = read_names(file, "class_names");
  NpzArray x = file.open("x" + suffix);
  const Shape& shape = x.shape();
  const bool has_offsets = file.has("offsets" + suffix);
  const std::size_t rank = has_offsets ? 1 : 2;  // without features
  if (shape.size() < rank || shape.size() > rank + 1 || x.size() == 0) {
    fail(x, has_offsets ? "[sum of lengths, I] beside offsets" : "[n, T, I] or [n, T]");
  }
  data.input_size = shape.size() > rank ? shape[rank] : 1;
  expect_names(file, data.feature_names, data.input_size);
  const std::int64_t steps = x.size() / data.input_size;
  if (has_offsets) {
    NpzArray offsets = file.open("offsets" + suffix);
    read_offsets(offsets, steps, data.lengths);
  } else {
    for (std::int64_t row = 0; row < shape[0]; ++row) data.lengths.push_back(shape[1]);
  }
  if (options.unlabelled && !file.has("y" + suffix)) {
    take_no_labels(*options.unlabelled, steps, data);
  } else {
    NpzArray y = file.open("y" + suffix);
    read_y(y, steps, data);
  }
  read_x(x, file.path(), options, data.x);
  return data;
}

Series read_npz_series(const NpzFile& file, const ImportOptions& options) {
  Series series(file.path(), options.spool);
  NpzArray x = file.open("x");
  const Shape& shape = x.shape();
  if (shape.empty() || shape.size() > 2 || x.size() == 0) {
    fail(x, "a series [L, C] (an array y would make it sequences)");
  }
  const std::int64_t columns = shape.size() == 2 ? shape[1] : 1;
  series.feature_names = read_names(file, "feature_names");
  expect_names(file, series.feature_names, columns);
  for (std::int64_t i = 0; i < columns && std::ssize(series.feature_names) <= i; ++i) {
    series.feature_names.push_back(std::to_string(i));
  }
  series.parts = {{.rows = {shape[0], 0, 0}}};
  read_x(x, file.path(), options, series.x);
  return series;
}

}  // namespace quadgate
