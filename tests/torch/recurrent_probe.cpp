// Runs Recurrent for recurrent_test.py and dropout_test.py: reads cases from stdin, each a line of
// JSON (sizes, and in which arrays come) followed by the arrays as raw floats, and answers
// likewise.

#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/training/optimizer.h"
#include "engine/training/recurrent.h"

namespace quadgate {
namespace {

using nlohmann::json;

std::vector<float> read_array(std::size_t size) {
  std::vector<float> values(size);
  std::cin.read(reinterpret_cast<char*>(values.data()),
                static_cast<std::streamsize>(size * sizeof(float)));
  return values;
}

/// Arrays that go back, by name.
class Answer {
 public:
  void add(const std::string& name, std::span<const float> values) {
    sizes_.push_back({name, values.size()});
    values_.insert(values_.end(), values.begin(), values.end());
  }
  void send() const {
    std::cout << json(sizes_).dump() << '\n';
    std::cout.write(reinterpret_cast<const char*>(values_.data()),
                    static_cast<std::streamsize>(values_.size() * sizeof(float)));
    std::cout.flush();
  }

 private:
  std::vector<std::pair<std::string, std::size_t>> sizes_;
  std::vector<float> values_;
};

RecurrentConfig config_of(const json& c) {
  return {.input_size = c["input_size"],
          .hidden_size = c["hidden_size"],
          .num_layers = c["num_layers"],
          .bidirectional = c["bidirectional"],
          .dropout = c.value("dropout", 0.0),
          .cell = parse_cell(c["cell"].get<std::string>()).value(),
          .proj_size = c["proj_size"],
          .bias = c["bias"],
          .input_dropout = c.value("input_dropout", 0.0),
          .output_dropout = c.value("output_dropout", 0.0),
          .locked_dropout = c.value("locked_dropout", false),
          .weight_dropout = c.value("weight_dropout", 0.0)};
}

/// Of a case with "seed" and "step".
std::optional<DropoutKey> key_of(const json& c) {
  if (!c.contains("seed")) return {};
  return DropoutKey{c["seed"], c["step"]};
}

OptimizerConfig optimizer_of(const json& c) {
  auto config = pytorch_defaults(parse_optimizer(c["optimizer"].get<std::string>()).value());
  config.lr = c["lr"];
  config.momentum = c["momentum"];
  config.eps = c["eps"];
  return config;
}

void run(const json& c) {
  Arena arena(c["threads"].get<int>());
  const RecurrentPlan plan{.seq_len = c["seq_len"],
                           .batch_size = c["batch"],
                           .batch_first = c["batch_first"],
                           .precision = parse_precision(c["precision"].get<std::string>()).value()};
  Recurrent rnn(config_of(c), plan, arena);
  {
    ParameterEditor editor = rnn.parameters().edit();
    for (const auto& slice : rnn.parameters().slices()) {
      const auto weights = read_array(slice.size);
      std::copy(weights.begin(), weights.end(), editor.value(slice).begin());
    }
  }
  const auto x = read_array(c["x"]);
  const auto d_output = read_array(c["d_output"]);
  const RecurrentStates states{read_array(c["h"]), read_array(c["c"])};
  const RecurrentStates d_states{read_array(c["h"]), read_array(c["c"])};
  const auto lengths = c["lengths"].get<std::vector<std::int64_t>>();
  const bool with_states = c["states"];
  const Recurrent::Input input{.x = x,
                               .seq_len = plan.seq_len,
                               .batch = plan.batch_size,
                               .lengths = lengths,
                               .states = with_states ? &states : nullptr};
  Optimizer optimizer(optimizer_of(c), rnn.parameters().values().size());
  Answer answer;
  for (int step = 0; step < 5; ++step) {
    Recurrent::Forward forward = rnn.forward(input, key_of(c));
    if (step == 0) {
      answer.add("output", forward.output());
      answer.add("h_n", forward.final_states().h);
      answer.add("c_n", forward.final_states().c);
    }
    const Recurrent::Backward backward =
        rnn.backward(std::move(forward), d_output, with_states ? &d_states : nullptr);
    if (step == 0) {
      answer.add("d_input", backward.d_input());
      answer.add("d_h_0", backward.d_states().h);
      answer.add("d_c_0", backward.d_states().c);
      for (const auto& slice : rnn.parameters().slices()) {
        answer.add("d_" + slice.name, backward.gradient().of(slice));
      }
    }
    optimizer.step(arena, rnn.parameters(), backward.gradient());
  }
  for (const auto& slice : rnn.parameters().slices()) {
    answer.add(slice.name, rnn.parameters().value(slice));
  }
  answer.send();
}

}  // namespace
}  // namespace quadgate

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    if (!line.empty()) quadgate::run(nlohmann::json::parse(line));
  }
}
