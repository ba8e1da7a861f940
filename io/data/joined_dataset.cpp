#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "engine/base/error.h"
#include "io/data/dataset_kinds.h"
#include "io/data/joined_split.h"

namespace quadgate::detail {
namespace {

/// Says where a file differs from the first one.
class Comparison {
 public:
  Comparison(const OpenDataset& first, const OpenDataset& other) : first_(first), other_(other) {}

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
    throw FileError(fmt::format("{}: {}: expected {}, as in {}, found {}", other_.path.string(),
                                field, expected, first_.path.string(), found));
  }

  const OpenDataset& first_;
  const OpenDataset& other_;
};

}  // namespace

void expect_same(OpenDataset& first, const OpenDataset& other) {
  DataDescription& ours = first.description;
  const DataDescription& theirs = other.description;
  const Comparison comparison(first, other);
  if (first.has_class_names || other.has_class_names) {
    comparison.expect("class_names", ours.class_names, theirs.class_names);
    comparison.expect("values to predict", first.output_size, other.output_size);
  } else if (other.output_size > first.output_size) {
    ours.class_names = theirs.class_names;
    first.output_size = other.output_size;
  }
  comparison.expect("feature_names", ours.feature_names, theirs.feature_names);
  comparison.expect("known_names", ours.known_names, theirs.known_names);
  comparison.expect("token_names", ours.token_names, theirs.token_names);
  comparison.expect("attribute 'token_level'", to_string(ours.token_level),
                    to_string(theirs.token_level));
  comparison.expect("attribute 'tag_column'", ours.tag_column, theirs.tag_column);
  comparison.expect("mean", ours.mean, theirs.mean);
  comparison.expect("std", ours.std, theirs.std);
  comparison.expect("standardized by series", !ours.series_scales.empty(),
                    !theirs.series_scales.empty());
  for (const SeriesScale& scale : theirs.series_scales) {
    const auto same = std::ranges::find(ours.series_scales, scale.name, &SeriesScale::name);
    if (same == ours.series_scales.end()) continue;
    const auto expect = [&](const char* name, const auto& expected, const auto& found) {
      comparison.expect(fmt::format("{} of {}", name, scale.name).c_str(), expected, found);
    };
    expect("series_mean", same->mean, scale.mean);
    expect("series_std", same->std, scale.std);
  }
}

OpenDataset join(std::vector<OpenDataset> files) {
  std::map<std::string, std::vector<std::unique_ptr<Split>>> parts;
  for (OpenDataset& file : files) {
    for (auto& [name, split] : file.splits) parts[name].push_back(std::move(split));
  }
  std::vector<std::function<std::unique_ptr<Split>()>> futures;
  futures.reserve(files.size());
  for (OpenDataset& file : files) futures.push_back(std::move(file.open_future));
  OpenDataset joined = std::move(files.front());
  joined.open_future = [futures] {
    std::vector<std::unique_ptr<Split>> ends;
    ends.reserve(futures.size());
    for (const auto& open : futures) ends.push_back(open());
    return std::make_unique<JoinedSplit>(std::move(ends));
  };
  for (const OpenDataset& file : std::span(files).subspan(1)) {
    joined.empty.insert(file.empty.begin(), file.empty.end());
    std::ranges::copy(file.description.series_scales,
                      std::back_inserter(joined.description.series_scales));
    joined.notes.insert(joined.notes.end(), file.notes.begin(), file.notes.end());
  }
  for (auto& [name, splits] : parts) {
    joined.splits[name] = std::make_unique<JoinedSplit>(std::move(splits));
  }
  return joined;
}

}  // namespace quadgate::detail
