#include "io/prepare/row_splits.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "engine/base/error.h"
#include "engine/base/random.h"

namespace quadgate {
namespace {

/// All rows in an order drawn at random.
std::vector<std::uint32_t> shuffled_rows(std::int64_t total, std::uint64_t seed) {
  if (total > std::numeric_limits<std::uint32_t>::max()) {
    throw InvalidArgument(fmt::format(
        "--valid-fraction and --test-fraction: expected at most 2^32 - 1 rows to draw from, "
        "found {}; give the splits files of their own",
        total));
  }
  std::vector<std::uint32_t> rows(static_cast<std::size_t>(total));
  std::iota(rows.begin(), rows.end(), 0U);
  shuffle(rows, seed, RandomUse::split, 0);
  return rows;
}

/// Counts the rows of each class, and makes one class, the last, of those that have a single row.
std::vector<std::int64_t> gather_single_rows(std::vector<std::uint32_t>& classes) {
  const std::uint32_t singles = std::ranges::max(classes) + 1;
  std::vector<std::int64_t> rows(std::size_t{singles} + 1);
  for (const std::uint32_t one : classes) ++rows[one];
  for (std::uint32_t& one : classes) {
    if (rows[one] != 1) continue;
    rows[one] = 0;
    one = singles;
    ++rows[singles];
  }
  return rows;
}

/// Of each class, the rows of every split. Fractions of rows add up from class to class, so that
/// the splits get their sizes where no class has too few rows.
std::vector<SplitSizes> shares(const SplitSizes& sizes, const std::vector<std::int64_t>& rows) {
  const auto total = static_cast<std::uint64_t>(std::reduce(sizes.begin(), sizes.end()));
  std::uint64_t before = 0;  // rows of the classes before
  std::vector<SplitSizes> shares;
  for (const std::int64_t count : rows) {
    const std::uint64_t end = before + static_cast<std::uint64_t>(count);
    const auto share = [&](std::size_t split, std::int64_t most) {
      const auto size = static_cast<std::uint64_t>(sizes.at(split));
      const auto part = static_cast<std::int64_t>(end * size / total - before * size / total);
      return size == 0 ? 0 : std::min(std::max<std::int64_t>(part, 1), most);
    };
    const std::int64_t most = std::max<std::int64_t>(count - 1, 0);  // one stays in train
    const bool shares_with_test = sizes[2] > 0 && count > 2;
    const std::int64_t valid = share(1, shares_with_test ? most - 1 : most);
    const std::int64_t test = share(2, most - valid);
    shares.push_back({count - valid - test, valid, test});
    before = end;
  }
  return shares;
}

}  // namespace

RowSplits::RowSplits(const SplitSizes& sizes, std::uint64_t seed,
                     std::vector<std::uint32_t> classes) {
  if (sizes[1] == 0 && sizes[2] == 0) return;
  const std::int64_t total = std::reduce(sizes.begin(), sizes.end());
  const std::vector<std::uint32_t> rows = shuffled_rows(total, seed);
  const bool has_classes = !classes.empty();
  std::vector<SplitSizes> left =
      has_classes ? shares(sizes, gather_single_rows(classes)) : std::vector{sizes};
  splits_.resize(rows.size(), 0);
  for (const std::uint32_t row : rows) {
    SplitSizes& of_class = left[has_classes ? classes[row] : 0];
    std::size_t split = 0;
    while (of_class.at(split) == 0) ++split;
    --of_class.at(split);
    splits_[row] = static_cast<std::uint8_t>(split);
  }
}

}  // namespace quadgate
