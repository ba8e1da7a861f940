#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/model/loss.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// Throws DataError if no target of the split counts: there is no mean.
void expect_counting(const Metrics& metrics, std::string_view source);

/// The means of `metrics` under their contract names: loss, and accuracy (classification, tagging)
/// or mse and mae (regression), and perplexity (language model).
std::vector<std::pair<std::string, double>> named_metrics(const ModelDescription& model,
                                                          const Metrics& metrics);

}  // namespace quadgate::apps
