#include "io/prepare/folds.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "engine/base/error.h"
#include "engine/base/random.h"

namespace quadgate {

std::vector<SeriesFold> walk_forward(std::int64_t rows, const WalkForward& how) {
  std::vector<SeriesFold> folds;
  for (std::int64_t left = how.folds; left > 0; --left) {
    SeriesFold& fold = folds.emplace_back();
    fold.test = rows - left * how.test_size;
    fold.end = fold.test + how.test_size;
    fold.gap = fold.test - how.gap;
    if (how.max_train_size) fold.train = std::max<std::int64_t>(fold.gap - *how.max_train_size, 0);
  }
  return folds;
}

std::vector<std::uint32_t> k_folds(std::int64_t rows, std::uint32_t folds,
                                   std::optional<std::uint64_t> seed) {
  if (rows > std::numeric_limits<std::uint32_t>::max()) {
    throw InvalidArgument(
        fmt::format("folds: expected at most 2^32 - 1 rows to divide, found {}", rows));
  }
  std::vector<std::uint32_t> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), 0U);
  if (seed) shuffle(order, *seed, RandomUse::folds, 0);
  std::vector<std::uint32_t> fold_of(order.size());
  std::size_t begin = 0;
  for (std::uint32_t fold = 0; fold < folds; ++fold) {
    const std::size_t size = order.size() / folds + (fold < order.size() % folds ? 1 : 0);
    for (std::size_t i = begin; i < begin + size; ++i) fold_of[order[i]] = fold;
    begin += size;
  }
  return fold_of;
}

std::vector<std::uint32_t> stratified_folds(std::span<const std::uint32_t> classes,
                                            std::uint32_t folds,
                                            std::optional<std::uint64_t> seed) {
  std::vector<std::vector<std::uint32_t>> rows;  // of each class
  std::vector<std::uint32_t> order;              // of classes, by their first row
  for (std::uint32_t row = 0; row < classes.size(); ++row) {
    if (classes[row] >= rows.size()) rows.resize(std::size_t{classes[row]} + 1);
    if (rows[classes[row]].empty()) order.push_back(classes[row]);
    rows[classes[row]].push_back(row);
  }
  // Fold i has every `folds`-th row from row i on, of rows sorted by class; which rows of its class
  // these are, the order of the rows tells.
  std::vector<std::uint32_t> fold_of(classes.size());
  std::size_t begin = 0;
  for (const std::uint32_t one : order) {
    std::vector<std::uint32_t> its(rows[one].size());
    for (std::size_t i = 0; i < its.size(); ++i) {
      its[i] = static_cast<std::uint32_t>((begin + i) % folds);
    }
    std::ranges::sort(its);
    if (seed) shuffle(its, *seed, RandomUse::folds, one);
    for (std::size_t i = 0; i < its.size(); ++i) fold_of[rows[one][i]] = its[i];
    begin += its.size();
  }
  return fold_of;
}

}  // namespace quadgate
