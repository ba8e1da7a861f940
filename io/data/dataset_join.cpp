#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/data/dataset.h"
#include "io/data/joined_split.h"

namespace quadgate {
namespace {

const std::filesystem::path& first_of(std::span<const std::filesystem::path> paths) {
  if (paths.empty()) throw InvalidArgument("data set: expected at least one file, found none");
  return paths.front();
}

/// Says where a file differs from the first one.
class Comparison {
 public:
  Comparison(const Dataset& first, const Dataset& other) : first_(first), other_(other) {}

  template <typename T>
  void expect(const char* field, const T& expected, const T& found) const {
    if (expected != found) fail(field, fmt::format("{}", expected), fmt::format("{}", found));
  }

  template <typename T>
  void expect(const char* attribute, const std::vector<T>& expected,
              const std::vector<T>& found) const {
    const std::string field = fmt::format("attribute '{}'", attribute);
    if (expected.size() != found.size()) {
      fail(field, fmt::format("{} values", expected.size()), fmt::format("{}", found.size()));
    }
    const auto [ours, theirs] = std::ranges::mismatch(expected, found);
    if (ours != expected.end()) {
      fail(field, fmt::format("'{}' as number {}", *ours, ours - expected.begin()),
           fmt::format("'{}'", *theirs));
    }
  }

 private:
  [[noreturn]] void fail(std::string_view field, const std::string& expected,
                         const std::string& found) const {
    throw FileError(fmt::format("{}: {}: expected {}, as in {}, found {}", other_.path().string(),
                                field, expected, first_.path().string(), found));
  }

  const Dataset& first_;
  const Dataset& other_;
};

}  // namespace

Dataset::Dataset(std::span<const std::filesystem::path> paths, const std::optional<Window>& window,
                 const std::optional<Streams>& streams, std::int64_t ignore_index)
    : Dataset(first_of(paths), window, streams, ignore_index) {
  if (paths.size() == 1) return;
  if (streams) {
    throw InvalidArgument(
        fmt::format("{}: a second file of a text; prepare text makes one data set of several files",
                    paths[1].string()));
  }
  const std::string task = read_dataset_task(path());
  for (const std::filesystem::path& other : paths.subspan(1)) {
    if (const std::string found = read_dataset_task(other); found != task) {
      throw FileError(fmt::format("{}: attribute 'task': expected {}, as in {}, found {}",
                                  other.string(), task, path().string(), found));
    }
    expect_same(others_.emplace_back(other, window, streams, ignore_index));
  }
  join_splits();
}

// Throws unless they agree. Classes without names in any file are as many as the largest label of
// all tells.
void Dataset::expect_same(const Dataset& other) {
  const DataDescription& theirs = other.description_;
  const Comparison comparison(*this, other);
  if (has_class_names_ || other.has_class_names_) {
    comparison.expect("class_names", description_.class_names, theirs.class_names);
    comparison.expect("values to predict", output_size_, other.output_size_);
  } else if (other.output_size_ > output_size_) {
    description_.class_names = theirs.class_names;
    output_size_ = other.output_size_;
  }
  comparison.expect("feature_names", description_.feature_names, theirs.feature_names);
  comparison.expect("token_names", description_.token_names, theirs.token_names);
  comparison.expect("attribute 'token_level'", to_string(description_.token_level),
                    to_string(theirs.token_level));
  comparison.expect("mean", description_.mean, theirs.mean);
  comparison.expect("std", description_.std, theirs.std);
}

void Dataset::join_splits() {
  std::map<std::string, std::vector<Split*>> parts;
  own_splits_ = std::exchange(splits_, {});
  for (const auto& [name, split] : own_splits_) parts[name].push_back(split.get());
  for (const Dataset& other : others_) {
    for (const auto& [name, split] : other.splits_) parts[name].push_back(split.get());
  }
  for (auto& [name, splits] : parts) {
    splits_[name] = std::make_unique<JoinedSplit>(std::move(splits));
  }
}

}  // namespace quadgate
