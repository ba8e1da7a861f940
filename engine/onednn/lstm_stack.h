#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/config.h"
#include "engine/model/dropout.h"
#include "engine/model/parameters.h"
#include "engine/onednn/lstm_direction.h"
#include "engine/threads/arena.h"

namespace quadgate::onednn {

/// The weights of a whole stack as oneDNN wants them, shared by all slices of shape [T, n].
/// Directions are numbered layer * num_directions + direction everywhere.
class StackWeights {
 public:
  /// Reads the tensors rnn.* of `parameters`, which must outlive this object.
  StackWeights(const RecurrentConfig& config, const Parameters& parameters, std::int64_t seq_len,
               std::int64_t batch);

  /// Takes over the parameters' values, on the cores of `arena`.
  void pack(Arena& arena);

  const std::vector<DirectionWeights>& directions() const noexcept { return directions_; }
  /// Where the gradients of each direction start in an array of `gradient_size` floats.
  const std::vector<std::size_t>& gradient_offsets() const noexcept { return gradient_offsets_; }
  std::size_t gradient_size() const noexcept { return gradient_size_; }

 private:
  std::vector<DirectionWeights> directions_;
  std::vector<std::size_t> gradient_offsets_;
  std::size_t gradient_size_ = 0;
};

/// The masks of one slice in one step. A row of a batch gets the same mask in every slice.
struct DropoutMask {
  DropoutKey key;
  std::int64_t first_row = 0;  ///< of the slice, in the batch
};

/// A multi-layer LSTM, in one direction or both, over one slice of n rows, time-major and padded at
/// the end. It has the numbers of torch.nn.LSTM on a PackedSequence: the reverse direction starts
/// at each row's true end. Fill `input` and the initial states, run, and read the rest. All arrays
/// are planned once. Beyond a row's length `output` has no meaning, and d_input is 0.
class LstmStack {
 public:
  /// Plans for `batch` rows of `seq_len` steps, the shape of `weights`. `weights` must outlive it.
  /// Make it within Arena::for_each.
  LstmStack(const RecurrentConfig& config, const StackWeights& weights, std::int64_t seq_len,
            std::int64_t batch);

  /// x [T, n, I]. It must be finite, also in the padding.
  std::span<float> input() noexcept { return input_.span(); }
  /// Initial states [num_layers * num_directions, n, H], zero unless filled.
  std::span<float> h0() noexcept { return h0_.span(); }
  std::span<float> c0() noexcept { return c0_.span(); }

  /// A forward pass, for `backward`.
  class Forward {
   public:
    Forward(Forward&&) noexcept = default;
    Forward& operator=(Forward&&) noexcept = default;

   private:
    friend class LstmStack;
    Forward(std::span<const std::int64_t> lengths, const DropoutMask* dropout) noexcept
        : lengths_(lengths), dropout_(dropout) {}

    std::span<const std::int64_t> lengths_;
    const DropoutMask* dropout_;
  };

  /// Runs all layers over rows of these `lengths` [n]; a row of length 0 is only padding. `dropout`
  /// is null outside training. Both must outlive what it returns.
  Forward forward(std::span<const std::int64_t> lengths, const DropoutMask* dropout);

  /// The last layer's output [T, n, num_directions * H].
  std::span<const float> output() const noexcept { return outputs_.back().span(); }
  /// Final states [num_layers * num_directions, n, H] after T steps: the true ones of rows of
  /// length T. (Of shorter rows h_n lies in `output`; oneDNN does not give c_n.)
  std::span<const float> h_n() const noexcept { return h_n_.span(); }
  std::span<const float> c_n() const noexcept { return c_n_.span(); }

  /// The gradients that `backward` starts from: of `output`, 0 in the padding; of h_n and c_n, zero
  /// unless filled. It overwrites d_output.
  std::span<float> d_output() noexcept {
    return d_between(config_.num_layers).span().first(outputs_.back().size());
  }
  std::span<float> d_h_n() noexcept { return d_h_n_.span(); }
  std::span<float> d_c_n() noexcept { return d_c_n_.span(); }

  /// Backpropagation through time. Writes the weight gradients to `gradients`
  /// (StackWeights::gradient_offsets).
  void backward(const Forward& forward, float* gradients);

  /// The gradients that `backward` gives: of x [T, n, I] and of the initial states.
  std::span<const float> d_input() const noexcept {
    return d_between(0).span().first(input_.size());
  }
  std::span<const float> d_h0() const noexcept { return d_h0_.span(); }
  std::span<const float> d_c0() const noexcept { return d_c0_.span(); }

 private:
  LstmArrays arrays_of(std::int64_t layer, std::int64_t direction) noexcept;
  void forward_layer(std::int64_t layer, std::span<const std::int64_t> lengths);
  void backward_layer(std::int64_t layer, std::span<const std::int64_t> lengths, float* gradients);
  void drop(std::int64_t layer, const DropoutMask& mask, float* values) const;
  /// Where layer l - 1 finds the gradient of its output and layer l puts that of its input.
  Buffer& d_between(std::int64_t layer) noexcept {
    return d_between_[static_cast<std::size_t>(layer % 2)];
  }
  const Buffer& d_between(std::int64_t layer) const noexcept {
    return d_between_[static_cast<std::size_t>(layer % 2)];
  }
  std::size_t direction_index(std::int64_t layer, std::int64_t direction) const noexcept {
    return static_cast<std::size_t>(layer * config_.num_directions() + direction);
  }

  RecurrentConfig config_;
  Dropout dropout_;
  std::int64_t seq_len_;
  std::int64_t batch_;
  std::vector<std::size_t> gradient_offsets_;
  std::vector<LstmDirection> directions_;
  std::vector<std::optional<LstmDirection::Forward>> forwards_;  // of each
  Buffer input_;
  std::vector<Buffer> outputs_;   // of each layer: directions side by side, after dropout
  std::vector<Buffer> y_;         // of each direction, where that is not the layer's output itself
  std::vector<Buffer> reversed_;  // of each layer, if bidirectional: its input, rows back to front
  Buffer h0_, c0_, h_n_, c_n_, d_h0_, d_c0_, d_h_n_, d_c_n_;
  std::array<Buffer, 2> d_between_;
  Buffer dy_, dx_;  // of one direction, if bidirectional
};

}  // namespace quadgate::onednn
