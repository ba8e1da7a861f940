#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace quadgate::onednn {

/// The shape of one direction of one LSTM layer over a slice, from x [T, N, I] to y [T, N, H].
struct LstmShape {
  std::int64_t seq_len = 0;
  std::int64_t batch = 0;
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
};

/// Where the weight gradients of one direction lie in an array of `size` floats. Each matrix is
/// transposed: element [gate, k] lies at k * stride + gate. The order of gates is i f g o.
struct LstmGradientLayout {
  std::size_t weight_ih = 0;  ///< offset of [I, 4H]
  std::size_t weight_hh = 0;  ///< offset of [H, 4H]
  std::size_t bias = 0;       ///< offset of [4H], the gradient of either bias
  std::int64_t stride_ih = 0;
  std::int64_t stride_hh = 0;
  std::size_t size = 0;
};

/// The weights of one direction in the layouts that oneDNN prefers, shared by all slices.
class DirectionWeights {
 public:
  /// Takes PyTorch's weight_ih [4H, I], weight_hh [4H, H], bias_ih [4H] and bias_hh [4H]. They must
  /// outlive this object, and stay where they are.
  DirectionWeights(const LstmShape& shape, const float* weight_ih, const float* weight_hh,
                   const float* bias_ih, const float* bias_hh);
  ~DirectionWeights();
  DirectionWeights(DirectionWeights&&) noexcept;

  /// Takes over changed values of weight_ih and the biases, and of weight_hh. Two calls, so that
  /// two cores can share the work.
  void pack_input();
  void pack_hidden();

  const LstmGradientLayout& gradient_layout() const noexcept;

 private:
  friend class LstmDirection;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The arrays of a direction: x, dx [T, N, I]; y, dy [T, N, H]; states and their gradients [N, H].
/// All must outlive it.
struct LstmArrays {
  float* x = nullptr;
  float* h0 = nullptr;
  float* c0 = nullptr;
  float* y = nullptr;
  float* h_n = nullptr;
  float* c_n = nullptr;
  float* dx = nullptr;
  float* dh0 = nullptr;
  float* dc0 = nullptr;
  float* dy = nullptr;
  float* dh_n = nullptr;
  float* dc_n = nullptr;
};

/// One direction of one LSTM layer through oneDNN's training primitives: the formulas of
/// https://docs.pytorch.org/docs/2.13/generated/torch.nn.LSTM.html at a fixed shape, T steps from
/// first to last. It keeps the activations between forward and backward.
class LstmDirection {
 public:
  /// Plans. Make it where its calls run, within Arena::for_each.
  LstmDirection(const DirectionWeights& weights, const LstmArrays& arrays);
  ~LstmDirection();
  LstmDirection(LstmDirection&&) noexcept;

  /// Says that the forward pass has run; `backward` asks for it.
  class Forward {
   public:
    Forward(Forward&&) noexcept = default;
    Forward& operator=(Forward&&) noexcept = default;

   private:
    friend class LstmDirection;
    Forward() = default;
  };

  /// Computes y, h_n and c_n from x, h0 and c0.
  Forward forward();

  /// Computes dx, dh0 and dc0 from dy, dh_n and dc_n. Writes the weight gradients to `gradients`
  /// (DirectionWeights::gradient_layout).
  void backward(const Forward& forward, float* gradients);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quadgate::onednn
