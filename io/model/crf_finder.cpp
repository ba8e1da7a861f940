#include "io/model/crf_finder.h"

#include <algorithm>
#include <string_view>

namespace quadgate {

std::map<std::string, const NamedTensor*> take_crf(std::vector<DividedTensors::Entry>& entries,
                                                   std::int64_t tags) {
  constexpr std::string_view kTransitions = "transitions";
  using Shape = std::vector<std::int64_t>;
  const auto has = [&](const std::string& name, const Shape& shape) {
    return std::ranges::any_of(entries, [&](const DividedTensors::Entry& entry) {
      return entry.first == name && entry.second->shape == shape;
    });
  };
  std::map<std::string, const NamedTensor*> found;
  for (const auto& [name, tensor] : entries) {
    if (name != kTransitions && !name.ends_with(".transitions")) continue;
    const std::string prefix = name.substr(0, name.size() - kTransitions.size());
    if (!has(name, {tags, tags}) || !has(prefix + "start_transitions", {tags}) ||
        !has(prefix + "end_transitions", {tags})) {
      continue;
    }
    for (const char* const leaf : {"transitions", "start_transitions", "end_transitions"}) {
      const auto entry = std::ranges::find(entries, prefix + leaf, &DividedTensors::Entry::first);
      found[std::string("crf.") + leaf] = entry->second;
      entries.erase(entry);
    }
    break;
  }
  return found;
}

}  // namespace quadgate
