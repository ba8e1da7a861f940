#include "engine/native/embedding.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <set>

#include "engine/threads/parallel_tiles.h"

namespace quadgate::native {
namespace {

/// So many tokens are worth a task. So many tasks are enough for any number of cores.
constexpr std::int64_t kTokens = 32;
constexpr std::int64_t kMostTasks = 64;

/// Calls body(row, token) in the order of the rows, see Embedding::assign.
template <typename Body>
void for_each_token(const Batch& batch, const PackedSteps* steps, Body body) {
  if (steps == nullptr) {
    std::int64_t row = 0;
    for (const std::int32_t token : batch.tokens) body(row++, token);
    return;
  }
  for (std::int64_t slice = 0; slice < steps->slices(); ++slice) {
    for (std::int64_t t = 0; t < steps->seq_len(); ++t) {
      const std::int64_t first = steps->first_of(slice);
      for (std::int64_t place = first; place < first + steps->rows_at(slice, t); ++place) {
        const auto row = static_cast<std::size_t>(steps->row_in_batch(place));
        body(steps->row(place, t), batch.tokens[static_cast<std::size_t>(batch.offsets[row] + t)]);
      }
    }
  }
}

}  // namespace

Embedding::Embedding(const ModelConfig& config, std::int64_t capacity, kernels::Isa isa,
                     const Parameters& parameters, GradientBuffer& gradient)
    : sum_of_squares_(kernels::sum_of_squares_kernel(isa)),
      width_(config.input_size()),
      padding_(static_cast<std::int32_t>(config.embedding.padding_index.value_or(-1))),
      tied_(parameters.tied()),
      dense_(tied_ || config.embedding.sparse ? FlatRange{}
                                              : parameters.embedding_weight().range()),
      capacity_(capacity),
      tasks_(std::clamp<std::int64_t>(capacity / kTokens, 1, kMostTasks)),
      table_(parameters.value(parameters.embedding_weight()).data()),
      range_(parameters.embedding_weight().range()),
      gradient_(gradient.of(parameters.embedding_weight())),
      present_(gradient.present_rows()),
      place_(static_cast<std::size_t>(config.embedding.vocabulary_size), -1) {
  const auto most = static_cast<std::size_t>(std::min(capacity, config.embedding.vocabulary_size));
  present_.reserve(most);
  absent_.reserve(most);
  begin_.reserve(most + 1);
  rows_.reserve(static_cast<std::size_t>(capacity));
}

void Embedding::add_pack_tasks(std::vector<PackTask>& tasks) const {
  for (std::size_t i = 0; i < dense_.size; i += kFlatTile) {
    tasks.push_back({{{dense_.begin + i, std::min(kFlatTile, dense_.size - i)}}, [] {}});
  }
}

std::vector<std::int32_t> Embedding::rows_of(const Batch& batch) const {
  std::set<std::int32_t> rows(batch.tokens.begin(), batch.tokens.end());
  rows.erase(padding_);
  return {rows.begin(), rows.end()};
}

void Embedding::assign(const Batch& batch, const PackedSteps* steps) {
  for (const std::int32_t token : present_) place_[static_cast<std::size_t>(token)] = -1;
  present_.swap(absent_);
  present_.clear();
  begin_.assign(1, 0);
  for_each_token(batch, steps, [&](std::int64_t, std::int32_t token) {
    if (!counts(token)) return;
    auto& place = place_[static_cast<std::size_t>(token)];
    if (place < 0) {
      place = static_cast<std::int32_t>(present_.size());
      present_.push_back(token);
      begin_.push_back(0);
    }
    ++begin_[static_cast<std::size_t>(place) + 1];
  });
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  rows_.resize(static_cast<std::size_t>(begin_.back()));
  for_each_token(batch, steps, [&](std::int64_t row, std::int32_t token) {
    if (!counts(token)) return;
    auto& next = begin_[static_cast<std::size_t>(place_[static_cast<std::size_t>(token)])];
    rows_[static_cast<std::size_t>(next++)] = row;
  });
  // Each beginning has moved to its end, where the next one begins.
  std::rotate(begin_.begin(), begin_.end() - 1, begin_.end());
  begin_.front() = 0;
}

/// The first token of a task. Each task has about equally many rows.
std::size_t Embedding::cut(std::int64_t task) const noexcept {
  const std::int64_t row = begin_.back() * task / tasks_;
  return static_cast<std::size_t>(std::ranges::lower_bound(begin_, row) - begin_.begin());
}

void Embedding::clear_absent(std::int64_t task) {
  const auto count = static_cast<std::int64_t>(absent_.size());
  for (std::int64_t i = count * task / tasks_; i < count * (task + 1) / tasks_; ++i) {
    const std::int32_t token = absent_[static_cast<std::size_t>(i)];
    if (place_[static_cast<std::size_t>(token)] < 0) {
      std::fill_n(gradient_ + token * width_, width_, 0.0F);
    }
  }
}

void Embedding::add_gradient_tasks(TaskList& tasks, const RowView& d) {
  const std::int64_t rows = capacity_ + (tied_ ? std::ssize(place_) : 0);
  for (std::int64_t task = 0; task < tasks_; ++task) {
    tasks.add({.cost = static_cast<double>(rows * width_) / static_cast<double>(tasks_),
               .writes = {range_},
               .run = [this, task, d](const Differentiated&, double* square) {
                 *square = tied_ ? add_to_tied(task, d) : gradient(task, d);
               }});
  }
}

/// Adds a token's rows of d to its row of the gradient. If `is_first`, the first of them replaces
/// what is there.
void Embedding::add_rows(std::size_t place, bool is_first, const RowView& d) {
  float* const to = gradient_ + present_[place] * width_;
  auto row = rows_.begin() + begin_[place];
  if (is_first) std::copy_n(d.at(*row++), width_, to);
  for (; row != rows_.begin() + begin_[place + 1]; ++row) {
    const float* from = d.at(*row);
    for (std::int64_t k = 0; k < width_; ++k) to[k] += from[k];
  }
}

/// Computes the gradient of some of the batch's tokens. Returns the sum of the squares.
double Embedding::gradient(std::int64_t task, const RowView& d) {
  clear_absent(task);
  double square = 0;
  for (std::size_t place = cut(task); place < cut(task + 1); ++place) {
    add_rows(place, true, d);
    square += sum_of_squares_(1, width_, gradient_ + present_[place] * width_, width_);
  }
  return square;
}

/// Adds to some rows of the gradient of the head's weight. Returns the sum of their squares.
double Embedding::add_to_tied(std::int64_t task, const RowView& d) {
  const std::int64_t first = std::ssize(place_) * task / tasks_;
  const std::int64_t last = std::ssize(place_) * (task + 1) / tasks_;
  for (std::int64_t token = first; token < last; ++token) {
    const std::int32_t place = place_[static_cast<std::size_t>(token)];
    if (place >= 0) add_rows(static_cast<std::size_t>(place), false, d);
  }
  return sum_of_squares_(last - first, width_, gradient_ + first * width_, width_);
}

}  // namespace quadgate::native
