#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/graph/axes.h"
#include "io/graph/graph_file.h"
#include "io/graph/signal.h"
#include "io/graph/tensor.h"

namespace quadgate::graph {

/// Goes through a graph from its inputs to its outputs and finds what part of a model each array
/// is. Nodes that no output needs are left out. Throws FileError, naming the first node that is no
/// part of a model of ours.
class Walk {
 public:
  explicit Walk(GraphFile& file);

  void run();
  const Value& value(const std::string& name) const;
  /// Whether it is the state of the last step, or several.
  bool is_final(const Unrolled& step) const;
  Folder& folder() { return folder_; }
  /// Inputs that give what a model of ours begins with as zeros.
  const std::set<std::string>& given_states() const { return given_states_; }

 private:
  using Step = void (Walk::*)(const Node&);
  static const std::unordered_map<std::string, Step>& steps();

  // walk.cpp
  std::set<std::string> needed() const;
  void trace(const Node& from, int input, std::set<std::string>& inputs) const;
  void add_inputs();
  void visit(const Node& node);
  const Value* find(const std::string& name);
  const Value& input(const Node& node, std::size_t index);
  bool has_input(const Node& node, std::size_t index) const;
  const Signal& signal(const Node& node, std::size_t index);
  TensorPtr constant(const Node& node, std::size_t index);
  std::optional<Integers> integers(const Node& node, const char* attribute, std::size_t index);
  std::optional<std::vector<std::int64_t>> numbers(const Node& node, const char* attribute,
                                                   std::size_t index);
  std::size_t axis_of(const Node& node, std::int64_t axis, std::size_t rank) const;
  std::vector<std::size_t> axes_of(const Node& node, const std::vector<std::int64_t>& numbers,
                                   std::size_t rank) const;
  std::size_t rank(const Node& node, const Value& value) const;
  /// Those of what depends on the input; null of others.
  static Dimensions* dimensions_of(Value& value);
  void set(const Node& node, Value value, std::size_t output = 0);
  [[noreturn]] void refuse_part(const Node& node) const;

  // arranging.cpp
  void keep(const Node& node);
  void cast(const Node& node);
  void drop(const Node& node);
  void transpose(const Node& node);
  void squeeze(const Node& node);
  void unsqueeze(const Node& node);
  void reshape(const Node& node);
  void flatten(const Node& node);
  Value reshaped(const Node& node, const Value& from, const Integers& sizes);
  Value reshaped_states(const Node& node, const Stack& from, const Integers& sizes);
  Value without(const Node& node, const Value& from, std::size_t axis);

  // selecting.cpp
  void slice(const Node& node);
  void gather(const Node& node);
  void split(const Node& node);
  void concat(const Node& node);
  void expand(const Node& node);
  Value turned(const Node& node, const Signal& from, std::size_t axis, const Integer& begin,
               const Integer& end);
  Value sliced(const Node& node, const Value& from, std::size_t axis, const Integer& begin,
               const Integer& end, std::int64_t step);

  // sizes.cpp
  void shape(const Node& node);
  void constant_of_shape(const Node& node);
  void arithmetic(const Node& node);
  void where(const Node& node);

  // unrolled.cpp
  std::optional<Unrolled> as_step(const Value& value) const;
  bool add_steps(const Node& node);
  bool multiply_state(const Node& node, const TensorPtr& weight, const TensorPtr& bias);
  void add_bias(const Node& node, Unrolled& step, const Tensor& bias);
  void activate(const Node& node);
  bool close(const Node& node, std::size_t axis);
  void join_directions(const Node& node, std::size_t axis, const Signal& forward,
                       const Unrolled& reverse);
  void join_finals(const Node& node, std::size_t axis, std::vector<Unrolled> steps);
  void join_steps(const Node& node, std::size_t axis, std::vector<Unrolled> steps);
  PartPtr layer_of(const Node& node, const Unrolled& last);
  Signal final_of(const Node& node, const Unrolled& last);
  PartPtr both_directions(const Node& node, const Part& forward, const Unrolled& reverse);

  // layers.cpp
  void embed(const Node& node);
  void convolve(const Node& node);
  void relu(const Node& node);
  void max_pool(const Node& node);
  void recur(const Node& node);
  Part on_top(const Node& node, const Signal& below, std::size_t steps, std::size_t sequences,
              std::size_t features) const;
  void expect_zeros(const Node& node, std::size_t index, const RecurrentNode& layer);
  std::string lengths_of(const Node& node, const Part& layer);

  // heads.cpp
  void multiply(const Node& node);
  void gemm(const Node& node);
  bool add_bias(const Node& node);
  void reduce(const Node& node);
  void pool_globally(const Node& node);
  void linear(const Node& node, const Signal& x, TensorPtr weight, TensorPtr bias);
  TensorPtr bias_of(const Node& node, const TensorPtr& from, std::int64_t size);
  void pool(const Node& node, const Signal& x, std::vector<std::size_t> over, bool keeps,
            Taken taken);

  GraphFile& file_;
  Axes axes_;
  Folder folder_;
  std::unordered_map<std::string, Value> values_;
  std::set<std::string> states_;   // inputs that begin a layer
  std::set<std::string> lengths_;  // inputs that tell lengths
  std::set<std::string> given_states_;
  std::vector<std::pair<Unrolled, PartPtr>> layers_;  // that are written out, by their last step
};

}  // namespace quadgate::graph
