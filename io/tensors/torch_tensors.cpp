#include "io/tensors/torch_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "engine/base/error.h"
#include "io/tensors/torch_names.h"

namespace quadgate {
namespace {

/// Whether every element of a view that is not empty lies in a storage of `size` elements.
bool lies_within(std::int64_t size, std::int64_t offset, std::span<const std::int64_t> shape,
                 std::span<const std::int64_t> strides) {
  if (offset < 0 || offset >= size) return false;
  std::int64_t room = size - 1 - offset;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (strides[i] < 0 || (strides[i] > 0 && shape[i] - 1 > room / strides[i])) return false;
    room -= (shape[i] - 1) * strides[i];
  }
  return true;
}

}  // namespace

TorchTensors::TorchTensors(std::string name, const ZipReader& zip, std::string prefix,
                           const TorchPickle& pickle, std::size_t file_size)
    : name_(std::move(name)),
      zip_(zip),
      prefix_(std::move(prefix)),
      pickle_(pickle),
      file_size_(file_size) {}

void TorchTensors::fail(const std::string& tensor, const std::string& reason) const {
  throw FileError(fmt::format("{}: tensor '{}': {}", name_, tensor, reason));
}

std::vector<std::int64_t> TorchTensors::integers_of(const std::string& tensor,
                                                    std::uint32_t place) const {
  const Pickle::Value& list = pickle_.at(place);
  std::vector<std::int64_t> numbers;
  for (const std::uint32_t item : list.items) {
    if (list.kind != Pickle::Kind::sequence || pickle_.at(item).kind != Pickle::Kind::integer) {
      fail(tensor, "expected integers for its shape and strides");
    }
    numbers.push_back(pickle_.at(item).number);
  }
  return numbers;
}

const TorchTensors::Storage& TorchTensors::storage(const std::string& tensor, std::uint32_t place) {
  const Pickle::Value& reference = pickle_.at(place);
  if (reference.kind != Pickle::Kind::persistent) fail(tensor, "expected a storage");
  // ("storage", type, key, device, number of elements)
  const auto& parts = pickle_.at(reference.items[0]).items;
  if (parts.size() != 5 || pickle_.at(parts[0]).text != "storage" ||
      pickle_.at(parts[1]).kind != Pickle::Kind::global ||
      pickle_.at(parts[2]).kind != Pickle::Kind::text) {
    fail(tensor, "expected a storage");
  }
  const auto* const type = std::ranges::find(torch_names::kStorages, pickle_.at(parts[1]).text,
                                             &decltype(torch_names::kStorages)::value_type::first);
  if (type == torch_names::kStorages.end()) {
    fail(tensor, fmt::format("expected floats or whole numbers, found {}",
                             in_quotes(pickle_.at(parts[1]).text)));
  }
  const std::string& key = pickle_.at(parts[2]).text;
  const auto [found, is_new] = storages_.try_emplace(key);
  if (is_new) found->second = {type->second, zip_.read(prefix_ + "data/" + key)};
  if (found->second.type != type->second) fail(tensor, "its storage has two types");
  return found->second;
}

NamedTensor TorchTensors::read(const std::string& tensor_name, const Pickle::Value& call) {
  const auto& arguments = pickle_.arguments_of(call);
  const Storage& from = storage(tensor_name, arguments[0]);
  const Pickle::Value& offset = pickle_.at(arguments[1]);
  NamedTensor tensor{.name = tensor_name,
                     .shape = integers_of(tensor_name, arguments[2]),
                     .values = {},
                     .whole_numbers = is_whole(from.type)};
  auto strides = integers_of(tensor_name, arguments[3]);
  for (std::size_t i = 0; i < std::min(strides.size(), tensor.shape.size()); ++i) {
    if (tensor.shape[i] == 1) strides[i] = 0;  // it is never stepped along
  }
  const auto most = static_cast<std::int64_t>(kMostTimesOfFile * file_size_ / sizeof(float));
  const std::int64_t count = count_elements(tensor.shape, most);
  if (offset.kind != Pickle::Kind::integer || strides.size() != tensor.shape.size() || count < 0 ||
      (count > 0 && !lies_within(from.size(), offset.number, tensor.shape, strides))) {
    fail(tensor_name, fmt::format("expected a part of its storage of {} elements", from.size()));
  }
  count_out(tensor_name, count);
  tensor.values = gather(from, offset.number, tensor.shape, strides, count);
  return tensor;
}

void TorchTensors::count_out(const std::string& tensor, std::int64_t count) {
  given_ += static_cast<std::size_t>(count) * sizeof(float);
  if (given_ > kMostTimesOfFile * file_size_) {
    fail(tensor, fmt::format("expected tensors of at most {} bytes in all, {} times the file's",
                             kMostTimesOfFile * file_size_, kMostTimesOfFile));
  }
}

// The elements of a view, in row-major order.
std::vector<float> TorchTensors::gather(const Storage& from, std::int64_t offset,
                                        std::span<const std::int64_t> shape,
                                        std::span<const std::int64_t> strides, std::int64_t count) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(count));
  std::vector<std::int64_t> index(shape.size(), 0);
  std::int64_t at = offset;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(to_float(
        from.type, from.bytes.data() + at * static_cast<std::int64_t>(size_of(from.type))));
    for (std::size_t d = shape.size(); d-- > 0;) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= shape[d] * strides[d];
      index[d] = 0;
    }
  }
  return values;
}

}  // namespace quadgate
