#pragma once

#include <string>

#include "engine/model/config.h"
#include "engine/model/parameters.h"
#include "io/model/onnx_graph.h"
#include "io/model/onnx_lengths.h"

namespace quadgate {

/// The normalization of a forecast's windows.
class OnnxNormalization {
 public:
  /// All that it is given must outlive it.
  OnnxNormalization(OnnxGraph& graph, OnnxLengths& lengths, const ModelConfig& model,
                    const Parameters& parameters)
      : graph_(graph), lengths_(lengths), model_(model), parameters_(parameters) {}

  /// Finds the levels [N, I] of x [N, T, I], and takes them out of it.
  std::string apply(const std::string& x);
  /// Puts the levels back into the head's outputs [N, output_size].
  std::string restore(std::string outputs);

 private:
  std::string mean_over_steps(const std::string& x, const std::string& mask);
  std::string where_level(const std::string& values, float other);

  OnnxGraph& graph_;
  OnnxLengths& lengths_;
  const ModelConfig& model_;
  const Parameters& parameters_;
  std::string level_, scale_, with_level_;
};

}  // namespace quadgate
