#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/config.h"
#include "engine/model/sparse_rows.h"

namespace quadgate {

/// One named tensor inside the flat arrays, row-major.
struct ParameterSlice {
  std::string name;                 ///< PyTorch's dotted name, e.g. "rnn.weight_ih_l0"
  std::vector<std::int64_t> shape;  ///< as in PyTorch, e.g. [4H, I]
  std::size_t offset = 0;           ///< of its first element, a multiple of 16
  std::size_t size = 0;             ///< number of elements
};

/// The number of weights that a model of these sizes has, whatever they are, without making it.
double count_parameters(const ModelConfig& config) noexcept;

/// All weights of a model and all their gradients, each in one flat 64-byte-aligned array.
///
/// Clip and optimizer see the flat arrays; layers and checkpoints see the named slices. The gap
/// between two slices stays zero in both arrays.
class Parameters {
 public:
  /// Lays out the tensors of `config` in PyTorch's order, all zero: embedding.weight
  /// [vocabulary_size, I] if there is one, conv.weight [channels, I, kernel_size] and conv.bias
  /// likewise, rnn.{weight_ih,weight_hh,bias_ih,bias_hh,weight_hr}_l{k}[_reverse], weight_hr only
  /// with proj_size, the biases only with bias, then, if output_size is
  /// not 0, head.{weight,bias}.
  explicit Parameters(const ModelConfig& config);
  /// Those of the recurrent stack alone, under the names of torch.nn.LSTM, GRU and RNN:
  /// weight_ih_l0 and so on.
  explicit Parameters(const RecurrentConfig& config);

  /// Every tensor, in order.
  std::span<const ParameterSlice> slices() const noexcept { return slices_; }
  /// The tensor called `name`. Throws InvalidArgument if there is none.
  const ParameterSlice& slice(std::string_view name) const;

  /// The last two: head.weight [O, D], unless it is tied to embedding.weight, and head.bias [O].
  const ParameterSlice& head_weight() const noexcept {
    return tied() ? slices_.front() : slices_[slices_.size() - 2];
  }
  const ParameterSlice& head_bias() const noexcept { return slices_.back(); }

  /// The first one, if the model has an embedding.
  const ParameterSlice& embedding_weight() const noexcept { return slices_.front(); }
  /// Whether it is the head's weight, too.
  bool tied() const noexcept { return config_.embedding.tie_weights; }
  /// The rows of its gradient that may not be zero, which the backend keeps.
  std::vector<std::int32_t>& present_rows() noexcept { return present_rows_; }
  /// The embedding, for the optimizer, if only its present rows are updated; none if every row is:
  /// without `sparse`, and if it is tied, since every row has a gradient then.
  SparseRows table() const noexcept;

  /// Both flat arrays, gaps included.
  std::span<float> values() noexcept { return values_.span(); }
  std::span<const float> values() const noexcept { return values_.span(); }
  std::span<float> gradients() noexcept { return gradients_.span(); }
  std::span<const float> gradients() const noexcept { return gradients_.span(); }

  /// The weights of one tensor.
  std::span<float> value(const ParameterSlice& slice) noexcept {
    return values().subspan(slice.offset, slice.size);
  }
  std::span<const float> value(const ParameterSlice& slice) const noexcept {
    return values().subspan(slice.offset, slice.size);
  }

  /// Fills every tensor from the distribution that PyTorch takes: an embedding from N(0, 1), with
  /// zeros at padding_index, unless it is tied; all else from U(-k, k), k = 1/sqrt(hidden_size) in
  /// the cells, 1/sqrt(in_features) in the head and 1/sqrt(I * kernel_size) in the convolution. The
  /// numbers depend on `seed` only (Philox), not on torch's.
  void initialize(std::uint64_t seed);

 private:
  void add_recurrent(const std::string& prefix);
  std::int64_t fan_in(std::size_t tensor) const noexcept;
  void allocate();
  void add(std::string name, std::vector<std::int64_t> shape);
  std::size_t end() const noexcept;  // of the last slice, rounded up to a cache line
  void initialize_embedding(std::uint64_t seed);

  ModelConfig config_;
  std::vector<ParameterSlice> slices_;
  std::vector<std::int32_t> present_rows_;
  Buffer values_;
  Buffer gradients_;
};

}  // namespace quadgate
