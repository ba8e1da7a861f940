#include "io/data/data_identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "io/data/dataset.h"
#include "io/files/checksum.h"

namespace quadgate {
namespace {

template <typename T>
std::uint64_t add(const std::vector<T>& values, std::uint64_t checksum) {
  return checksum_of(std::as_bytes(std::span(values)), checksum);
}

/// How many rows of a split to read: all, or as many as are quick to read wherever they lie.
std::int64_t rows_to_read(const Split& split, std::int64_t input_size) {
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 25;
  constexpr std::int64_t kFewRows = 256;
  const std::int64_t step_bytes = 4 * std::max<std::int64_t>(input_size, 1);
  const std::int64_t most_steps = std::max<std::int64_t>(kMostBytes / step_bytes, 1);
  const std::int64_t fit = std::max<std::int64_t>(most_steps / split.max_len(), 1);
  return fit >= split.size() ? split.size() : std::min(fit, kFewRows);
}

std::uint64_t add_rows(Split& split, std::int64_t input_size, std::uint64_t checksum) {
  constexpr std::int64_t kRowsAtOnce = 64;
  const std::int64_t count = rows_to_read(split, input_size);
  const double distance = static_cast<double>(split.size()) / static_cast<double>(count);
  std::vector<std::int64_t> rows;
  Batch batch;
  for (std::int64_t i = 0; i < count; ++i) {
    rows.push_back(static_cast<std::int64_t>(static_cast<double>(i) * distance));
    if (std::ssize(rows) < kRowsAtOnce && i + 1 < count) continue;
    split.read(rows, batch);
    checksum = add(batch.offsets, checksum);
    checksum = add(batch.x, checksum);
    checksum = add(batch.tokens, checksum);
    checksum = add(batch.labels, checksum);
    checksum = add(batch.targets, checksum);
    rows.clear();
  }
  return checksum;
}

}  // namespace

DataIdentity identify(Dataset& data) {
  DataIdentity identity;
  for (const auto& [name, rows] :
       {std::pair{"train", &identity.train_rows}, {"valid", &identity.valid_rows}}) {
    if (!data.has_split(name)) continue;
    *rows = data.split(name).size();
    identity.checksum = add_rows(data.split(name), data.input_size(), identity.checksum);
  }
  return identity;
}

std::string difference(const DataIdentity& expected, const DataIdentity& found) {
  const auto rows = [](const char* split, std::int64_t wanted, std::int64_t there) {
    return fmt::format("{}: expected {} rows, found {}", split, wanted, there);
  };
  if (expected.train_rows != found.train_rows) {
    return rows("train", expected.train_rows, found.train_rows);
  }
  if (expected.valid_rows != found.valid_rows) {
    return rows("valid", expected.valid_rows, found.valid_rows);
  }
  return expected.checksum == found.checksum ? "" : "expected other values and targets";
}

}  // namespace quadgate
