#include "io/model/state_dict.h"

#include <fmt/format.h>

#include <string>

#include "io/hdf5/attributes.h"
#include "io/hdf5/file.h"
#include "io/model/json_attributes.h"
#include "io/model/model_tensors.h"

namespace quadgate {
namespace {

constexpr const char* kGroup = "state_dict";

}  // namespace

std::optional<TensorFile> read_state_dict(const std::filesystem::path& path) {
  const hdf5::File file = hdf5::File::open(path);
  if (!file.has(kGroup)) return {};
  TensorFile result;
  for (const std::string& name : file.members(kGroup)) {
    const hdf5::Array array = file.array(fmt::format("{}/{}", kGroup, name));
    result.tensors.push_back({.name = name, .shape = array.shape(), .values = array.read_floats()});
  }
  if (file.has("model")) {
    result.metadata[kModelKey] =
        to_json(read_model_description(hdf5::ObjectReader(file, "model"), path.string()));
  }
  return result;
}

}  // namespace quadgate
