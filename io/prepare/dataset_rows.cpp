#include "io/prepare/dataset_rows.h"

#include <algorithm>
#include <string>

#include "io/data/loader.h"

namespace quadgate {
namespace {

/// The part of row `n`, where each of `rows` rows has as many values.
template <typename T>
std::span<const T> part_of(const std::vector<T>& values, std::int64_t n, std::int64_t rows) {
  const auto size = values.size() / static_cast<std::size_t>(rows);
  return std::span(values).subspan(static_cast<std::size_t>(n) * size, size);
}

}  // namespace

void for_each_row(Dataset& data, const std::function<void(const SequenceRow&)>& visit) {
  constexpr std::int64_t kRowsAtOnce = 64;
  std::int64_t number = 0;
  for (const std::string& name : data.split_names()) {
    Split& split = data.split(name);
    Loader loader(split, std::min(kRowsAtOnce, split.size()));
    for (Batch batch; loader.next(batch);) {
      for (std::int64_t n = 0; n < batch.rows(); ++n) {
        const auto row = static_cast<std::size_t>(n);
        const auto first = static_cast<std::size_t>(batch.offsets[row]);
        const auto length = static_cast<std::size_t>(batch.offsets[row + 1]) - first;
        const auto width = static_cast<std::size_t>(data.input_size());
        SequenceRow one{.number = number++, .length = static_cast<std::int64_t>(length)};
        if (batch.tokens.empty()) {
          one.x = std::span<const float>(batch.x).subspan(first * width, length * width);
        } else {
          one.tokens = std::span<const std::int32_t>(batch.tokens).subspan(first, length);
        }
        if (data.task() == Task::tagging) {
          one.labels = std::span<const std::int64_t>(batch.labels).subspan(first, length);
        } else {
          one.labels = part_of(batch.labels, n, batch.rows());
        }
        one.targets = part_of(batch.targets, n, batch.rows());
        visit(one);
      }
    }
  }
}

}  // namespace quadgate
