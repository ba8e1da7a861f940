#include "io/tensors/torch_pickle.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/tensors/torch_names.h"

namespace quadgate {

const Pickle::Value* TorchPickle::tensor_call(std::uint32_t place) const {
  const Pickle::Value* call = &at(place);
  const bool wrapped =
      std::ranges::any_of(torch_names::kParameters,
                          [&](std::string_view function) { return is_call(*call, function); });
  if (wrapped && !arguments_of(*call).empty()) call = &at(arguments_of(*call).front());
  return is_call(*call, torch_names::kTensor) && arguments_of(*call).size() >= 4 ? call : nullptr;
}

std::optional<TorchPickle::Entries> TorchPickle::entries_of(std::uint32_t place) const {
  const Pickle::Value& value = at(place);
  if (value.kind == Pickle::Kind::mapping) return value.items;
  if (is_call(value, torch_names::kOrderedDict) && arguments_of(value).empty()) {
    return std::span(value.items).subspan(2);
  }
  return {};
}

std::string in_quotes(const std::string& name) {
  constexpr std::size_t kShown = 100;
  return fmt::format("'{}{}'", name.substr(0, kShown), name.size() > kShown ? "..." : "");
}

}  // namespace quadgate
