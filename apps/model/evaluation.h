#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/loss.h"
#include "engine/training/network.h"
#include "io/data/dataset.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// Sums over all rows of a split, from states of zeros; empty if `stop` said so between two
/// batches.
std::optional<Metrics> evaluate_split(Network& network, Split& split, std::int64_t batch_size,
                                      const std::function<bool()>& stop);

/// Throws DataError if no target of the split counts: there is no mean.
void expect_counting(const Metrics& metrics, std::string_view split);

/// Before the first piece of a text: where states are carried, they become zeros.
void reset_carried_states(Network& network);

/// The means of `metrics` under their contract names: loss, and accuracy (classification, tagging)
/// or mse and mae (regression), and perplexity (language model).
std::vector<std::pair<std::string, double>> named_metrics(const ModelDescription& model,
                                                          const Metrics& metrics);

}  // namespace quadgate::apps
