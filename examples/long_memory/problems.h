#pragma once

#include <cstdint>

#include "engine/model/batch.h"
#include "engine/model/config.h"

namespace long_memory {

// Two problems whose answer lies far back (Hochreiter and Schmidhuber, "Long short-term memory",
// 1997), in the form that Arjovsky, Shah and Bengio give them ("Unitary evolution recurrent neural
// networks", 2016, https://arxiv.org/abs/1511.06464).

enum class Problem {
  adding,  ///< `lag` steps of a number from U(0, 1) and a mark, which is 1 at one step of either
           ///< half and else 0. After the last step: the sum of the two marked numbers
  copy,    ///< kRecalled symbols out of kSymbols, `lag` - 1 blanks, a signal, kRecalled blanks. At
           ///< each of these last steps: one of the symbols, in their order
};

/// "adding" or "copy".
const char* to_string(Problem problem) noexcept;

inline constexpr std::int64_t kSymbols = 8;   ///< classes of the copy problem
inline constexpr std::int64_t kRecalled = 5;  ///< of them in a sequence
inline constexpr std::int64_t kBlank = kSymbols;
inline constexpr std::int64_t kSignal = kSymbols + 1;

/// Steps of a sequence.
std::int64_t seq_len(Problem problem, std::int64_t lag) noexcept;
/// One layer of `cell` with the problem's inputs, a step's number and mark or its symbol as one of
/// kSignal + 1 features that is 1, and its task: regression or tagging.
quadgate::ModelConfig model_for(Problem problem, quadgate::Cell cell, std::int64_t hidden_size);

/// Random batches of a problem, each a function of the seed and its number.
struct BatchStream {
  Problem problem;
  std::int64_t lag;         ///< at least 2
  std::int64_t batch_size;  ///< sequences of a batch
  std::uint64_t seed;

  /// The batch called `number`. Steps of the copy problem at which nothing is to be said have
  /// quadgate::kIgnoreIndex as their label.
  void fill(std::uint32_t number, quadgate::Batch& batch) const;
};

}  // namespace long_memory
