#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/backtest/fold_plan.h"
#include "engine/base/error.h"
#include "io/files/checksum.h"
#include "io/prepare/dataset_rows.h"
#include "io/prepare/fold_writer.h"
#include "io/prepare/folds.h"
#include "io/prepare/row_splits.h"

namespace quadgate::apps {
namespace {

/// What a pass over all rows tells.
struct Rows {
  std::int64_t count = 0;
  std::uint64_t checksum = 0;
  std::vector<std::uint32_t> classes{};  // of a classification; rows that do not count are one more
};

/// The division of all rows.
struct RowPlan {
  Rows rows;
  std::vector<std::uint32_t> fold_of{};  // by row
  std::int64_t train = 0;                // rows of the data set's splits
  std::int64_t valid = 0;
  std::uint64_t seed = 1;

  /// The split of each row in a fold.
  std::vector<std::uint8_t> splits(std::size_t fold) const;
};

constexpr std::uint8_t kValid = 1;
constexpr std::uint8_t kTest = 2;

std::vector<std::uint8_t> RowPlan::splits(std::size_t fold) const {
  std::vector<std::uint32_t> others;  // rows that are not tested
  std::vector<std::uint32_t> their_classes;
  for (std::uint32_t row = 0; row < fold_of.size(); ++row) {
    if (fold_of[row] == fold) continue;
    others.push_back(row);
    if (!rows.classes.empty()) their_classes.push_back(rows.classes[row]);
  }
  std::vector<std::uint8_t> split_of(fold_of.size(), kTest);
  const std::int64_t to_valid = share_of_valid(std::ssize(others), train, valid);
  const RowSplits drawn({std::ssize(others) - to_valid, to_valid, 0}, seed,
                        std::move(their_classes));
  for (std::size_t i = 0; i < others.size(); ++i) {
    split_of[others[i]] = static_cast<std::uint8_t>(drawn[static_cast<std::int64_t>(i)]);
  }
  return split_of;
}

void expect_sequence_options(const BacktestArguments& arguments, const std::string& data) {
  const auto refuse = [&](const char* option) {
    throw InvalidArgument(fmt::format(
        "{}: expected only for series, found for {}, which holds sequences", option, data));
  };
  if (arguments.sliding) refuse("--sliding");
  if (arguments.max_train_size) refuse("--max-train-size");
  if (arguments.test_size) refuse("--test-size");
  if (arguments.gap) refuse("--gap");
  if (arguments.seed && arguments.no_shuffle) {
    throw InvalidArgument(
        fmt::format("--seed: expected none beside --no-shuffle, found {}", *arguments.seed));
  }
}

Rows read_rows(Dataset& data) {
  Rows rows;
  const auto add = [&](auto values) {
    rows.checksum = checksum_of(std::as_bytes(values), rows.checksum);
  };
  const auto others = static_cast<std::uint32_t>(data.output_size());
  for_each_row(data, [&](const SequenceRow& row) {
    add(std::span(&row.length, 1));
    add(row.x);
    add(row.tokens);
    add(row.labels);
    add(row.targets);
    ++rows.count;
    if (data.task() != Task::classification) return;
    const std::int64_t label = row.labels.front();
    const bool counts = label >= 0 && label < data.output_size();
    rows.classes.push_back(counts ? static_cast<std::uint32_t>(label) : others);
  });
  return rows;
}

/// Throws InvalidArgument unless each fold gets a row, DataError unless it gets one of each class.
void expect_enough(const Rows& rows, const Dataset& data, std::int64_t folds) {
  const std::string name = data.path().string();
  if (folds > rows.count) {
    throw InvalidArgument(fmt::format("--folds: expected 2 to {}, the rows of {}, found {}",
                                      rows.count, name, folds));
  }
  if (rows.classes.empty()) return;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(data.output_size()) + 1);
  for (const std::uint32_t one : rows.classes) ++counts[one];
  counts.pop_back();  // of rows that do not count
  const auto fewest = std::ranges::min_element(counts, [](std::int64_t a, std::int64_t b) {
    return a != 0 && (b == 0 || a < b);  // a class may have no row at all
  });
  if (*fewest == 0 || *fewest >= folds) return;
  throw DataError(
      fmt::format("{}: class '{}' has {} row{}: expected at least as many as --folds, {}", name,
                  data.description().class_names[static_cast<std::size_t>(fewest - counts.begin())],
                  *fewest, *fewest == 1 ? "" : "s", folds));
}

std::string sequence_rows_text(const RowPlan& plan, std::size_t fold) {
  const std::vector<std::uint8_t> splits = plan.splits(fold);
  nlohmann::ordered_json rows;
  const auto list = [&](const char* name, std::uint8_t split) {
    rows[name] = nlohmann::ordered_json::array();
    for (std::size_t row = 0; row < splits.size(); ++row) {
      if (splits[row] == split) rows[name].push_back(row);
    }
  };
  if (plan.valid > 0) list("valid", kValid);
  list("test", kTest);
  return rows.dump();
}

}  // namespace

FoldPlan plan_sequences(Dataset& data, const BacktestArguments& arguments) {
  expect_sequence_options(arguments, data.path().string());
  const auto plan = std::make_shared<RowPlan>(RowPlan{.rows = read_rows(data)});
  expect_enough(plan->rows, data, arguments.folds);
  plan->seed = arguments.seed.value_or(plan->seed);
  plan->train = data.split("train").size();
  plan->valid = data.has_split("valid") ? data.split("valid").size() : 0;
  const auto folds = static_cast<std::uint32_t>(arguments.folds);
  const auto shuffled = arguments.no_shuffle ? std::nullopt : std::optional(plan->seed);
  const bool is_stratified = data.task() == Task::classification;
  plan->fold_of = is_stratified ? stratified_folds(plan->rows.classes, folds, shuffled)
                                : k_folds(plan->rows.count, folds, shuffled);
  FoldPlan result{
      .text = fmt::format("{} folds{} of {} sequences", folds, is_stratified ? ", stratified," : "",
                          plan->rows.count),
      .checksum = plan->rows.checksum,
  };
  for (std::size_t i = 0; i < folds; ++i) {
    const auto splits = plan->splits(i);
    if (std::ranges::find(splits, 0) == splits.end()) {
      throw DataError(fmt::format(
          "{}: fold {}: no row is left to train on beside {} for valid and test (fewer --folds or "
          "no valid split leave more)",
          data.path().string(), i, splits.size()));
    }
    if (plan->valid > 0 && std::ranges::find(splits, kValid) == splits.end()) {
      throw DataError(fmt::format("{}: fold {}: its share of the valid split is no row",
                                  data.path().string(), i));
    }
    result.folds.push_back(sequence_rows_text(*plan, i));
  }
  result.write = [plan, &data](std::size_t fold, const std::filesystem::path& path) {
    write_fold(path, data, plan->splits(fold));
  };
  return result;
}

}  // namespace quadgate::apps
