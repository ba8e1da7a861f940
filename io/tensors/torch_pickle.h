#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/tensors/pickle.h"

namespace quadgate {

/// A pickle in which PyTorch's objects are found.
class TorchPickle {
 public:
  /// Places of key, value, key, value, ...
  using Entries = std::span<const std::uint32_t>;

  explicit TorchPickle(Pickle pickle) : pickle_(std::move(pickle)) {}

  std::uint32_t root() const noexcept { return pickle_.root; }
  const Pickle::Value& at(std::uint32_t place) const { return pickle_.at(place); }

  /// The call that makes a tensor; null for any other value.
  const Pickle::Value* tensor_call(std::uint32_t place) const;
  const std::vector<std::uint32_t>& arguments_of(const Pickle::Value& call) const {
    return at(call.items[1]).items;
  }
  /// Keys and values of a dict or OrderedDict, or empty.
  std::optional<Entries> entries_of(std::uint32_t place) const;

 private:
  bool is_call(const Pickle::Value& value, std::string_view function) const {
    return value.kind == Pickle::Kind::call && at(value.items[0]).text == function;
  }

  Pickle pickle_;
};

/// A name of the file in quotes, as much of it as a message needs.
std::string in_quotes(const std::string& name);

}  // namespace quadgate
