#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "io/graph/tensor.h"

namespace onnx {
class TensorProto;
}

namespace quadgate::graph {

/// Whether a type of ONNX's, a TensorProto::DataType, is of whole numbers.
bool is_whole_type(std::int32_t type);

/// Reads the constants of an ONNX file.
class ConstantReader {
 public:
  /// Those that lie outside of the file are in files of `folder`.
  explicit ConstantReader(std::filesystem::path folder);

  /// Throws FileError, naming the constant.
  TensorPtr read(const onnx::TensorProto& from);
  /// Of the files of the folder that were read so far.
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> outside(const onnx::TensorProto& from);

  std::filesystem::path folder_;
  std::map<std::string, std::vector<std::byte>> files_;  // by name
  std::size_t bytes_ = 0;
};

}  // namespace quadgate::graph
