#include "io/state_dict.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "engine/error.h"
#include "io/checkpoint.h"
#include "io/hdf5.h"
#include "io/json_attributes.h"
#include "io/model_tensors.h"
#include "io/seal.h"

namespace quadgate {
namespace {

constexpr const char* kGroup = "state_dict";

}  // namespace

bool has_state_dict(const std::filesystem::path& path) {
  check_seal(path);
  return hdf5::File::open(path).has(kGroup);
}

TensorFile read_state_dict(const std::filesystem::path& path) {
  check_seal(path);
  const hdf5::File file = hdf5::File::open(path);
  TensorFile result;
  for (const std::string& name : file.members(kGroup)) {
    const hdf5::Array array = file.array(fmt::format("{}/{}", kGroup, name));
    if (array.element() != hdf5::Element::float32 || array.shape().empty()) {
      throw FileError(fmt::format("{}: expected float32 with at least one dimension, found {} {}",
                                  array.where(), array.type_text(),
                                  hdf5::shape_text(array.shape())));
    }
    NamedTensor tensor{.name = name,
                       .shape = array.shape(),
                       .values = std::vector<float>(static_cast<std::size_t>(array.size()))};
    array.read(0, array.shape().front(), tensor.values);
    result.tensors.push_back(std::move(tensor));
  }
  if (file.has("model")) result.metadata[kModelKey] = to_json(read_model_description(path));
  return result;
}

}  // namespace quadgate
