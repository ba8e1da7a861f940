#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

/// Which rows the folds of a cross-validation are tested on: the rows that scikit-learn's splitters
/// of the same parameters give. Folds are numbered from 0.
namespace quadgate {

/// How series are divided into folds, parameters of TimeSeriesSplit.
struct WalkForward {
  std::int64_t folds = 0;      ///< n_splits
  std::int64_t test_size = 0;  ///< rows of each test part
  std::int64_t gap = 0;        ///< rows between training and test that neither has
  std::optional<std::int64_t> max_train_size{};  ///< rows; empty: all before the test part
};

/// Where a fold of a series lies: it is trained on rows [train, gap) and tested on [test, end).
struct SeriesFold {
  std::int64_t train = 0;
  std::int64_t gap = 0;
  std::int64_t test = 0;
  std::int64_t end = 0;

  bool operator==(const SeriesFold&) const = default;
};

/// The folds of a series of `rows` rows, as TimeSeriesSplit has them: the test parts follow each
/// other up to the last row. Where rows are too few, `gap` is at most `train`.
std::vector<SeriesFold> walk_forward(std::int64_t rows, const WalkForward& how);

/// The fold that each row is tested in, as KFold has it. With a `seed` the rows are shuffled before
/// (Philox). Throws InvalidArgument if there are 2^32 rows or more.
std::vector<std::uint32_t> k_folds(std::int64_t rows, std::uint32_t folds,
                                   std::optional<std::uint64_t> seed);

/// The same for rows of these classes, as StratifiedKFold has it: each class has its share of every
/// fold. With a `seed` the rows of a class are shuffled before (Philox).
std::vector<std::uint32_t> stratified_folds(std::span<const std::uint32_t> classes,
                                            std::uint32_t folds, std::optional<std::uint64_t> seed);

}  // namespace quadgate
