#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/files/replace_file.h"
#include "io/hdf5/file_writer.h"
#include "io/tensors/keras_file.h"
#include "io/tensors/keras_layers.h"

namespace quadgate {
namespace {

/// Writes one file.
class KerasWriter {
 public:
  KerasWriter(const std::filesystem::path& path, const ModelConfig& model,
              const Parameters& parameters, const KerasScale& scale)
      : model_(model),
        parameters_(parameters),
        cell_(keras::layout_of(model.rnn.cell)),
        file_(hdf5::FileWriter::create(path)) {
    group("layers");
    group("vars");
    normalization(scale.mean, scale.std);
    if (model_.has_embedding()) {
      const ParameterSlice& table = parameters_.slice("embedding.weight");
      layer("layers/embedding");
      variable("layers/embedding", 0, table.shape, parameters_.value(table));
    }
    if (model_.conv) convolution();
    for (std::int64_t l = 0; l < model_.rnn.num_layers; ++l) recurrent(l);
    head();
    normalization(scale.output_mean, scale.output_std);
    describe();
  }

  std::span<const std::byte> image() { return file_.image(); }

 private:
  void group(const std::string& name) {
    if (groups_.insert(name).second) file_.create_group(name);
  }
  void layer(const std::string& name) {
    group(name);
    group(name + "/vars");
  }
  void variable(const std::string& layer, int number, std::span<const std::int64_t> shape,
                std::span<const float> values) {
    file_.write(fmt::format("{}/vars/{}", layer, number), shape, values);
  }
  std::span<const float> value(const std::string& name) const {
    return parameters_.value(parameters_.slice(name));
  }

  /// Its third variable counts what it was adapted to.
  void normalization(std::span<const double> mean, std::span<const double> std) {
    if (mean.empty()) return;
    const std::string name = "layers/" + keras::numbered("normalization", num_normalizations_++);
    layer(name);
    std::vector<float> variance;
    for (const double one : std) variance.push_back(static_cast<float>(one * one));
    variable(name, 0, std::array{std::ssize(mean)}, std::vector<float>(mean.begin(), mean.end()));
    variable(name, 1, std::array{std::ssize(mean)}, variance);
    file_.write(name + "/vars/2", {}, std::array{std::int32_t{0}});
  }

  void convolution() {
    const ParameterSlice& weight = parameters_.slice("conv.weight");
    const auto& shape = weight.shape;
    layer("layers/conv1d");
    variable("layers/conv1d", 0, std::array{shape[2], shape[1], shape[0]},
             keras::turned(parameters_.value(weight), static_cast<std::size_t>(shape[0]),
                           static_cast<std::size_t>(shape[1]), static_cast<std::size_t>(shape[2])));
    variable("layers/conv1d", 1, std::array{shape[0]}, value("conv.bias"));
  }

  void recurrent(std::int64_t number) {
    if (!model_.rnn.bidirectional) {
      direction("layers/" + keras::numbered(cell_.layer, number), fmt::format("_l{}", number));
      return;
    }
    const std::string both = "layers/" + keras::numbered("bidirectional", number);
    layer(both);
    direction(both + "/forward_layer", fmt::format("_l{}", number));
    direction(both + "/backward_layer", fmt::format("_l{}_reverse", number));
  }

  void direction(const std::string& name, const std::string& suffix) {
    layer(name);
    layer(name + "/cell");
    for (const auto& [number, weight] : {std::pair{0, "weight_ih"}, {1, "weight_hh"}}) {
      const ParameterSlice& slice = parameters_.slice("rnn." + std::string(weight) + suffix);
      const auto rows = keras::with_gates(parameters_.value(slice), cell_, false);
      variable(name + "/cell", number, std::array{slice.shape[1], slice.shape[0]},
               keras::transposed(rows, static_cast<std::size_t>(slice.shape[0])));
    }
    if (!model_.rnn.bias) return;
    const auto ih = keras::with_gates(value("rnn.bias_ih" + suffix), cell_, false);
    const auto hh = keras::with_gates(value("rnn.bias_hh" + suffix), cell_, false);
    std::vector<float> bias(ih);
    if (model_.rnn.cell == Cell::gru) {
      bias.insert(bias.end(), hh.begin(), hh.end());
      variable(name + "/cell", 2, std::array{std::int64_t{2}, std::ssize(ih)}, bias);
      return;
    }
    std::ranges::transform(ih, hh, bias.begin(), std::plus<>());
    variable(name + "/cell", 2, std::array{std::ssize(bias)}, bias);
  }

  void head() {
    const ParameterSlice& weight = parameters_.head_weight();
    layer("layers/dense");
    variable(
        "layers/dense", 0, std::array{weight.shape[1], weight.shape[0]},
        keras::transposed(parameters_.value(weight), static_cast<std::size_t>(weight.shape[0])));
    variable("layers/dense", 1, parameters_.head_bias().shape, value("head.bias"));
  }

  /// What the weights do not tell: Keras looks at no attributes of the file.
  void describe() {
    file_.write_string("", kCellKey, std::string(to_string(model_.rnn.cell)));
    file_.write_string("", kTaskKey, to_string(model_.task));
    file_.write_string("", kPoolingKey, std::string(to_string(model_.pooling)));
    // Of a loss with several outputs a target, a head alone would be taken for more targets.
    if (model_.loss.kind && model_.loss.outputs_per_target() == 1) {
      file_.write_string("", kLossKey, std::string(to_string(*model_.loss.kind)));
    }
    if (!model_.conv) return;
    file_.write_string("", kConvPaddingKey, std::to_string(model_.conv->padding));
    file_.write_string("", kConvPoolSizeKey, std::to_string(model_.conv->pool_size));
  }

  const ModelConfig& model_;
  const Parameters& parameters_;
  keras::CellLayout cell_;
  hdf5::FileWriter file_;
  std::set<std::string> groups_;  // that are there
  std::int64_t num_normalizations_ = 0;
};

}  // namespace

void write_keras_file(const std::filesystem::path& path, const ModelConfig& model,
                      const Parameters& parameters, const KerasScale& scale) {
  validate(model);
  if (model.crf) {
    throw InvalidArgument(path.string() + ": Keras has no crf: expected none, found one");
  }
  if (model.rnn.proj_size > 0) {
    throw InvalidArgument(fmt::format("{}: Keras has no proj_size: expected 0, found {}",
                                      path.string(), model.rnn.proj_size));
  }
  if (const NormalizationConfig& normalization = model.normalization; normalization.is_on()) {
    throw InvalidArgument(
        normalization.residual
            ? fmt::format("{}: Keras has no residual: expected false, found true", path.string())
            : fmt::format("{}: Keras has no normalize: expected none, found {}", path.string(),
                          to_string(normalization.kind)));
  }
  replace_file(path, KerasWriter(path, model, parameters, scale).image());
}

}  // namespace quadgate
