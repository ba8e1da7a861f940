#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Reads the LSTM, GRU or RNN nodes of an ONNX file: the layers of a stack, in the graph's order,
/// under PyTorch's names and in its gate order (rnn.weight_ih_l0, ...), and the cell as metadata.
/// Beside them, the constants that write_onnx names after parameters (head.weight, ...), and the
/// file's own metadata. `name` stands for the file in messages; weights that lie outside of it are
/// read from files in `folder`. Throws FileError, also if the nodes compute something that
/// PyTorch's cells do not (clip, peepholes, other activations, a GRU without linear_before_reset).
TensorFile parse_onnx(std::span<const std::byte> bytes, const std::string& name,
                      const std::filesystem::path& folder = {});

}  // namespace quadgate
