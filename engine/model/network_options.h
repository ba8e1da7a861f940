#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace quadgate {

/// What computes the recurrent layers.
enum class BackendKind : std::uint8_t {
  automatic,  ///< the faster one on this machine
  onednn,     ///< oneDNN's training primitives: no proj_size, teams or consistent arithmetic, bf16
              ///< where the CPU has it (AVX-512), and nobody hears of gradients during a pass
  native,     ///< our own kernels
};

/// "auto", "onednn" or "native".
std::string_view to_string(BackendKind kind) noexcept;
/// The inverse of to_string; empty for any other text.
std::optional<BackendKind> parse_backend(std::string_view text) noexcept;

/// The numbers that are multiplied.
enum class Precision : std::uint8_t {
  f32,
  bf16,  ///< recurrent layers, and a head of many classes at every step, multiply bf16 numbers and
         ///< sum in f32; all else stays f32
};

/// "f32" or "bf16".
std::string_view to_string(Precision precision) noexcept;
/// The inverse of to_string; empty for any other text.
std::optional<Precision> parse_precision(std::string_view text) noexcept;

/// How bf16 products are summed. Each gives the same bits at every number of threads and ranks.
enum class Arithmetic : std::uint8_t {
  fastest,     ///< as this kind of CPU does it the fastest: with AMX or, to other bits, without it
  consistent,  ///< to the same bits on every CPU, without AMX, the norm of the gradient as well
};

/// "fastest" or "consistent".
std::string_view to_string(Arithmetic arithmetic) noexcept;
/// The inverse of to_string; empty for any other text.
std::optional<Arithmetic> parse_arithmetic(std::string_view text) noexcept;

/// How a network computes. Within a backend, a precision and an arithmetic only carries_states
/// changes a result; all else leaves every bit as it is.
struct NetworkOptions {
  BackendKind backend = BackendKind::automatic;
  Precision precision = Precision::f32;
  Arithmetic arithmetic = Arithmetic::fastest;  ///< of bf16
  std::int64_t team_size = 0;   ///< native: cores that share the same sequences; 0: the plan tells
  bool carries_states = false;  ///< row n of a batch goes on where row n of the one before ended,
                                ///< for truncated backpropagation through time
  bool forward_only = false;    ///< evaluate and predict alone; native keeps nothing of a pass that
                                ///< only a backward pass reads
};

}  // namespace quadgate
