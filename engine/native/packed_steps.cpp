#include "engine/native/packed_steps.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "engine/base/ceil_div.h"

namespace quadgate::native {

PackedSteps::PackedSteps(std::int64_t seq_len, std::int64_t batch_size,
                         const PackedStepsOptions& options)
    : initial_rows_(options.has_states ? batch_size : 0),
      has_neighbours_(options.has_neighbours && options.slice_rows == 0),
      slice_rows_(options.slice_rows > 0 ? options.slice_rows : batch_size) {
  const auto rows = static_cast<std::size_t>(batch_size);
  const auto steps = static_cast<std::size_t>(seq_len);
  order_.reserve(rows);
  lengths_.reserve(rows);
  rows_at_.reserve(steps + 2);
  offset_at_.reserve(static_cast<std::size_t>(ceil_div(batch_size, slice_rows_)) * (steps + 1));
  if (!has_neighbours_) return;
  before_.reserve(rows * steps);
  after_.reserve(rows * steps);
}

void PackedSteps::assign(std::span<const std::int64_t> offsets) {
  const std::size_t rows = offsets.empty() ? 0 : offsets.size() - 1;
  const auto length_of = [&](std::int64_t row) {
    const auto offset = offsets.begin() + row;
    return offset[1] - offset[0];
  };
  order_.resize(rows);
  std::iota(order_.begin(), order_.end(), 0);
  std::sort(order_.begin(), order_.end(), [&](std::int64_t a, std::int64_t b) {
    return length_of(a) != length_of(b) ? length_of(a) > length_of(b) : a < b;
  });
  lengths_.resize(rows);
  std::transform(order_.begin(), order_.end(), lengths_.begin(), length_of);

  const std::int64_t seq_len = rows == 0 ? 0 : lengths_.front();
  rows_at_.assign(static_cast<std::size_t>(seq_len + 2), 0);
  auto alive = static_cast<std::int64_t>(rows);
  for (std::int64_t t = 0; t < seq_len; ++t) {
    while (length(alive - 1) <= t) --alive;
    rows_at_[static_cast<std::size_t>(t + 1)] = alive;
  }
  offset_at_.clear();
  std::int64_t row = 0;
  for (std::int64_t slice = 0; slice < std::max<std::int64_t>(slices(), 1); ++slice) {
    for (std::int64_t t = 0; t <= seq_len; ++t) {
      offset_at_.push_back(row);
      row += rows_at(slice, t);
    }
  }
  if (has_neighbours_) find_neighbours();
}

void PackedSteps::find_neighbours() {
  before_.resize(static_cast<std::size_t>(size()));
  after_.resize(static_cast<std::size_t>(size()));
  auto before = before_.begin();
  auto after = after_.begin();
  const auto put = [](auto& to, std::int64_t count, std::int64_t first) {
    std::iota(to, to + count, first);
    to += count;
  };
  // Of the sequences from a place on, which begin or end.
  const auto put_none = [&](auto& to, std::int64_t count, std::int64_t place) {
    if (initial_rows_ > 0) return put(to, count, place);
    to = std::fill_n(to, count, -1);
  };
  for (std::int64_t t = 0; t < seq_len(); ++t) {
    const std::int64_t going_on = rows_at(t + 1);
    t == 0 ? put_none(before, rows_at(t), 0)
           : put(before, rows_at(t), initial_rows_ + row(0, t - 1));
    put(after, going_on, initial_rows_ + row(0, t + 1));
    put_none(after, rows_at(t) - going_on, going_on);
  }
}

PackedSteps::Position PackedSteps::position_of(std::int64_t row) const noexcept {
  const auto at = std::ranges::upper_bound(offset_at_, row) - offset_at_.begin() - 1;
  const std::int64_t slice = at / (seq_len() + 1);
  const std::int64_t t = at % (seq_len() + 1);
  return {first_of(slice) + row - offsets(slice)[static_cast<std::size_t>(t)], t};
}

std::int64_t PackedSteps::cut(std::int64_t part, std::int64_t parts) const noexcept {
  const std::int64_t wanted = size() * part / parts;
  std::int64_t place = 0;
  for (std::int64_t steps = 0; place < rows() && 2 * steps + length(place) <= 2 * wanted; ++place) {
    steps += length(place);
  }
  return part == parts ? rows() : place;
}

}  // namespace quadgate::native
