#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/tensors/tensor_file.h"
#include "io/tensors/torch_pickle.h"
#include "io/tensors/zip.h"

namespace quadgate {

/// Makes tensors of the storages in PyTorch's zip file, which are 1-D arrays. A tensor is a view of
/// one.
class TorchTensors {
 public:
  /// `name` stands for the file of `file_size` bytes in messages; its members lie in the folder
  /// `prefix`. Zip file and pickle must outlive it.
  TorchTensors(std::string name, const ZipReader& zip, std::string prefix,
               const TorchPickle& pickle, std::size_t file_size);

  /// The tensor that a call makes (see TorchPickle::tensor_call). Throws FileError.
  NamedTensor read(const std::string& tensor_name, const Pickle::Value& call);

 private:
  struct Storage {
    ElementType type = ElementType::f32;
    std::vector<std::byte> bytes;

    std::int64_t size() const noexcept {
      return static_cast<std::int64_t>(bytes.size() / size_of(type));
    }
  };

  [[noreturn]] void fail(const std::string& tensor, const std::string& reason) const;
  std::vector<std::int64_t> integers_of(const std::string& tensor, std::uint32_t place) const;
  const Storage& storage(const std::string& tensor, std::uint32_t place);
  void count_out(const std::string& tensor, std::int64_t count);
  static std::vector<float> gather(const Storage& from, std::int64_t offset,
                                   std::span<const std::int64_t> shape,
                                   std::span<const std::int64_t> strides, std::int64_t count);

  std::string name_;
  const ZipReader& zip_;
  std::string prefix_;
  const TorchPickle& pickle_;
  std::size_t file_size_;
  std::map<std::string, Storage> storages_;
  std::size_t given_ = 0;  // bytes of the tensors so far
};

}  // namespace quadgate
