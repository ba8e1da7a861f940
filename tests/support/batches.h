#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "tests/support/numbers.h"

namespace quadgate::testing {

/// Draws `rows` lengths between `shortest` and `seq_len`. The first one is seq_len.
inline std::vector<std::int64_t> random_lengths(std::int64_t rows, std::int64_t seq_len,
                                                Random& random, std::int64_t shortest = 1) {
  std::vector<std::int64_t> lengths{seq_len};
  while (std::cmp_less(lengths.size(), rows)) lengths.push_back(random.integer(shortest, seq_len));
  return lengths;
}

/// Draws sequences of these lengths, with the targets of `config.task`.
inline Batch random_batch(const ModelConfig& config, const std::vector<std::int64_t>& lengths,
                          Random& random) {
  Batch batch;
  batch.offsets.resize(lengths.size() + 1);
  std::partial_sum(lengths.begin(), lengths.end(), batch.offsets.begin() + 1);
  if (config.has_embedding()) {
    batch.tokens.resize(static_cast<std::size_t>(batch.steps()));
    for (auto& token : batch.tokens) {
      token = static_cast<std::int32_t>(random.integer(0, config.embedding.vocabulary_size - 1));
    }
  } else {
    batch.x = random.values(static_cast<std::size_t>(batch.steps() * config.input_size()));
  }
  if (config.task == Task::regression) {
    batch.targets = random.values(lengths.size() * static_cast<std::size_t>(config.target_size()));
    return batch;
  }
  const std::int64_t items = config.task == Task::tagging ? batch.steps() : batch.rows();
  batch.labels.resize(static_cast<std::size_t>(items));
  for (auto& label : batch.labels) label = random.integer(0, config.output_size - 1);
  return batch;
}

/// A batch of some rows of `batch`.
inline Batch select_rows(const ModelConfig& config, const Batch& batch,
                         const std::vector<std::int64_t>& rows) {
  Batch selected;
  selected.offsets = {0};
  const auto append = [](auto& to, const auto& from, std::int64_t first, std::int64_t last) {
    to.insert(to.end(), from.begin() + first, from.begin() + last);
  };
  for (const std::int64_t row : rows) {
    const std::int64_t first = batch.offsets[static_cast<std::size_t>(row)];
    const std::int64_t last = batch.offsets[static_cast<std::size_t>(row) + 1];
    if (config.has_embedding()) {
      append(selected.tokens, batch.tokens, first, last);
    } else {
      append(selected.x, batch.x, first * config.input_size(), last * config.input_size());
    }
    selected.offsets.push_back(selected.offsets.back() + last - first);
    if (config.task == Task::classification) append(selected.labels, batch.labels, row, row + 1);
    if (config.task == Task::tagging) append(selected.labels, batch.labels, first, last);
    if (config.task == Task::regression) {
      append(selected.targets, batch.targets, row * config.target_size(),
             (row + 1) * config.target_size());
    }
  }
  return selected;
}

}  // namespace quadgate::testing
