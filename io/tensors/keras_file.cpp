#include "io/tensors/keras_file.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <vector>

#include "io/hdf5/file.h"
#include "io/tensors/keras_config.h"
#include "io/tensors/keras_weights.h"
#include "io/tensors/zip.h"

namespace quadgate {
namespace {

constexpr const char* kConfig = "config.json";
constexpr const char* kWeights = "model.weights.h5";

/// Reads config.json and weights of a zip file.
TensorFile read_whole_model(const std::filesystem::path& path,
                            const std::map<std::string, std::string>& parts) {
  const std::string name = path.string();
  const std::vector<std::byte> bytes = read_bytes(path);
  const ZipReader zip(bytes, name);
  const std::vector<std::byte> config = zip.read(kConfig);
  const std::string_view text(reinterpret_cast<const char*>(config.data()), config.size());
  const keras::Layers layers = keras::check_layers(keras::read_config(text, name), name);
  const std::vector<std::byte> weights = zip.read(kWeights);
  const auto file = hdf5::File::open_image(weights, fmt::format("{}: {}", name, kWeights));
  return keras::read_weights(file, layers, parts);
}

}  // namespace

bool is_keras_name(const std::filesystem::path& path) {
  return path.filename().string().ends_with(".weights.h5");
}

TensorFile read_keras_file(const std::filesystem::path& path,
                           const std::map<std::string, std::string>& parts) {
  if (path.extension() == ".keras") return read_whole_model(path, parts);
  const hdf5::File file = hdf5::File::open(path);
  return keras::read_weights(file, keras::list_layers(file), parts);
}

}  // namespace quadgate
