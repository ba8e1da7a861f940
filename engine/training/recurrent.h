#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/model/config.h"
#include "engine/model/dropout_key.h"
#include "engine/model/gradient.h"
#include "engine/model/network_options.h"
#include "engine/model/parameters.h"
#include "engine/model/recurrent_states.h"
#include "engine/threads/arena.h"

namespace quadgate {

/// What a Recurrent is planned for.
struct RecurrentPlan {
  std::int64_t seq_len = 0;     ///< most steps
  std::int64_t batch_size = 0;  ///< most sequences
  bool batch_first = false;     ///< arrays are [N, T, features], not [T, N, features]
  Precision precision = Precision::f32;
  Arithmetic arithmetic = Arithmetic::fastest;
  bool x_stays = false;       ///< Input::x stays as it is until `backward`, which reads it: no copy
  bool has_d_input = true;    ///< `backward` computes the gradient of the input
  bool forward_only = false;  ///< there is no `backward`; less memory is planned
};

/// What torch.nn.LSTM, GRU and RNN are in PyTorch
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.LSTM.html), with the same numbers. It
/// runs recurrent layers, in one direction or both, forward and back on the cores of an arena. The
/// bits are the same at every number of cores.
class Recurrent {
  struct Impl;

 public:
  /// Plans all memory and fills the weights with PyTorch's initialization, U(-1/sqrt(H),
  /// 1/sqrt(H)), from `seed`. `arena` must outlive it. Throws InvalidArgument (see validate), also
  /// if the plan does not have 1 to 2^31 steps in all.
  Recurrent(const RecurrentConfig& config, const RecurrentPlan& plan, Arena& arena,
            std::uint64_t seed = 1);
  ~Recurrent();

  const RecurrentConfig& config() const noexcept;
  /// The weights under PyTorch's names: weight_ih_l0, bias_hh_l1_reverse, ... `forward` takes over
  /// what an editor has changed, or where they lie now. It throws InvalidArgument while an editor
  /// is open.
  Parameters& parameters() noexcept;
  const Parameters& parameters() const noexcept;

  /// One batch, padded or packed. The output and the gradients of both have the layout of x.
  struct Input {
    std::span<const float> x;                 ///< [T, N, I], or [N, T, I] with batch_first; packed:
                                              ///< [sum of lengths, I]
    std::int64_t seq_len = 0;                 ///< T
    std::int64_t batch = 0;                   ///< N, may be 0
    std::span<const std::int64_t> lengths{};  ///< [N], 1 to T, in any order; empty: all T. Steps
                                              ///< beyond them count for nothing
    bool packed = false;  ///< x as PyTorch's PackedSequence.data: all steps 0, then all steps 1,
                          ///< ..., without padding; lengths fall
    const RecurrentStates* states = nullptr;  ///< h_0 and c_0; null: zeros
  };

  /// A forward pass. `backward` asks for it. Its results are valid until the next call.
  class Forward {
   public:
    Forward(Forward&&) noexcept = default;
    Forward& operator=(Forward&&) noexcept = default;

    /// The output of the last layer, [T, N, output_size] or [N, T, output_size], zeros beyond the
    /// lengths; packed: [sum of lengths, output_size].
    std::span<const float> output() const noexcept;
    /// h_n and c_n, those of each sequence's own last step.
    const RecurrentStates& final_states() const noexcept;

   private:
    friend class Recurrent;
    Forward(const Impl& of, std::uint64_t number) noexcept : of_(&of), number_(number) {}

    const Impl* of_;
    std::uint64_t number_;  // of the call
  };

  /// Runs the layers, with `dropout` as in training, without as in evaluation. The output goes to
  /// `output`, which must stay until the next call, or, if that is empty, to memory of its own.
  /// Throws InvalidArgument, naming the field, if sizes do not fit each other or the plan.
  Forward forward(const Input& input, std::optional<DropoutKey> dropout = {},
                  std::span<float> output = {});

  /// The gradients of a backward pass, valid until the next call.
  class Backward {
   public:
    /// Of the parameters.
    const Gradient& gradient() const noexcept { return gradient_; }
    /// Of the input, in its layout, zeros beyond the lengths; empty without has_d_input.
    std::span<const float> d_input() const noexcept;
    /// Of h_0 and c_0.
    const RecurrentStates& d_states() const noexcept;

   private:
    friend class Recurrent;
    Backward(const Impl& of, const Gradient& gradient) noexcept : of_(&of), gradient_(gradient) {}

    const Impl* of_;
    Gradient gradient_;
  };

  /// Computes the gradients from those of the output, in its layout, and of the final states (null:
  /// zeros). Those beyond the lengths count for nothing. The input's goes to `d_input`, that of the
  /// parameters to `gradient`, laid out as the flat array, the gaps of which mean nothing; if
  /// these are empty, to memory of its own. It uses the pass up. It throws InvalidArgument, and
  /// leaves the pass, if it is forward_only, sizes do not fit or the last call made another pass.
  Backward backward(Forward&& forward, std::span<const float> d_output,
                    const RecurrentStates* d_final_states = nullptr, std::span<float> d_input = {},
                    std::span<float> gradient = {});

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace quadgate
