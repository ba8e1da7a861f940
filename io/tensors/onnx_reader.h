#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "io/tensors/tensor_file.h"

namespace quadgate {

/// Reads the LSTM, GRU or RNN nodes of an ONNX file as the layers of a stack, in the graph's order.
/// The tensors get PyTorch's names and gate order (rnn.weight_ih_l0, ...); the metadata are the
/// file's own and tell the cell. It also reads the constants that write_onnx names after parameters
/// (head.weight, ...). `name` stands for the file in messages. External weights lie in files of
/// `folder`. Throws FileError, also if a node computes what PyTorch's cells do not: clip,
/// peepholes, other activations, a GRU without linear_before_reset.
TensorFile parse_onnx(std::span<const std::byte> bytes, const std::string& name,
                      const std::filesystem::path& folder = {});

}  // namespace quadgate
