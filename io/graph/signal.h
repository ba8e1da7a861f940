#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "io/graph/axes.h"
#include "io/graph/graph_file.h"
#include "io/graph/recurrent_node.h"
#include "io/graph/tensor.h"

namespace quadgate::graph {

/// What goes into the graph.
struct DataInput {
  bool is_whole = false;  ///< tokens
};
struct Embedding {
  TensorPtr table;  ///< [V, E]
};
struct Convolution {
  TensorPtr weight;  ///< [channels, I, kernel_size]
  TensorPtr bias;    ///< [channels] or null
  std::int64_t padding = 0;
  bool has_relu = false;
  std::int64_t pool_size = 1;
};
struct Linear {
  TensorPtr weight;  ///< [O, I]
  TensorPtr bias;    ///< [O] or null
};

/// A part of a model, on top of the part below.
struct Part {
  std::variant<DataInput, Embedding, Convolution, RecurrentNode, Linear> what;
  std::shared_ptr<const Part> below{};
  const Node* node = nullptr;  ///< null of an input
  /// What it puts out; each has one axis or none. Until a layer or a convolution tells, it is not
  /// known which axes of an input are steps and sequences.
  Dimension steps{};
  Dimension sequences{};
  Dimension directions{};
  Dimension features{};
  std::int64_t num_directions = 1;
  std::string lengths{};  ///< the input that tells them: steps beyond are zeros; empty: none does

  template <typename What>
  const What* as() const {
    return std::get_if<What>(&what);
  }
  /// All features of a step: those of the directions one after the other.
  Dimension all_features() const;
};
using PartPtr = std::shared_ptr<const Part>;

/// What of a part's output it is.
enum class Taken {
  every,  ///< all steps
  first,
  last,
  one,    ///< another one
  final,  ///< the last step of the forward direction, the first of the reverse one
  mean,
  max,
  cell,  ///< c of the last steps
};

/// An array that depends on the graph's input, and how its elements are arranged.
struct Signal {
  PartPtr part{};
  Dimensions dimensions{};
  Taken taken = Taken::every;
  int direction = -1;        ///< the one that it is of; -1: all
  std::int64_t step = -1;    ///< the one that was taken, if the number of steps is known
  const Node* by = nullptr;  ///< the node that took steps or a direction

  bool is_one_step() const {
    return taken == Taken::first || taken == Taken::last || taken == Taken::one;
  }
  /// Whether it is of one direction of a layer that computes both.
  bool is_one_direction() const { return direction != -1 && !is_of_reverse_layer(); }
  /// Whether its layer reads from the last step to the first alone.
  bool is_of_reverse_layer() const;
  /// Those that its steps have.
  Dimension all_features() const;
};

/// Zeros of some shape; with the name of an input, what a caller gives where zeros could stand.
struct Zeros {
  Integers shape;
  std::string input{};
};

/// How many steps each sequence has, as an input tells.
struct Lengths {
  std::string input;
};

/// States of layers, one after the other along an axis.
struct Stack {
  std::size_t axis = 0;
  std::vector<Signal> states;
};

/// All steps, the last one first.
struct Turned {
  Signal signal;
};

/// An array of a layer of an RNN that is written out step by step, as PyTorch exports nn.RNN.
struct Unrolled {
  enum class Stage {
    projected,  ///< W_ih x + b_ih of a step
    recurrent,  ///< W_hh h + b_hh of the step before
    summed,     ///< both
    state,      ///< h of a step
    layer,      ///< h of all steps of the reverse direction
    states,     ///< h of the last steps of several directions, which only come along
  };
  Stage stage{};
  PartPtr projection{};  ///< null before the first step
  Dimensions dimensions{};
  bool is_reverse = false;
  std::int64_t step = -1;  ///< how many come before it in its direction
  TensorPtr r{};           ///< [H, H], once a step has shown it
  TensorPtr bias{};        ///< [H], what the steps up to this one have shown; or null
  bool has_bias = false;   ///< this step has shown it
  Integers sizes{};        ///< of the zeros before the first step
  Cell cell = Cell::rnn_tanh;
};

using Value = std::variant<TensorPtr, Zeros, Lengths, Signal, Stack, Turned, Unrolled>;

/// From `first` on, up to `behind`, of `axis` of a signal, all of it, one step, or one direction;
/// else FileError that names the node.
Signal select(const Axes& axes, const Node& node, Signal from, std::size_t axis,
              const Integer& first, const Integer& behind);
/// The same of states of layers.
Value select(const Axes& axes, const Node& node, const Stack& from, const Integer& first,
             const Integer& behind);
/// Both directions, or states of several layers, along an axis; else FileError that names the node.
Value join(const Axes& axes, const Node& node, std::vector<Signal> signals, std::size_t axis);

}  // namespace quadgate::graph
