#include "io/model/recurrent_finder.h"

#include <fmt/format.h>

#include "engine/base/error.h"

namespace quadgate {
namespace {

class RecurrentFinder {
 public:
  RecurrentFinder(const std::map<std::string, const NamedTensor*>& tensors,
                  const std::map<std::string, std::string>& metadata, const ImportChoices& choices,
                  const std::string& name, std::vector<std::string>& notes)
      : tensors_(tensors), metadata_(metadata), choices_(choices), name_(name), notes_(notes) {}

  RecurrentConfig run() {
    RecurrentConfig rnn;
    const NamedTensor& ih = weight("weight_ih_l0");
    const NamedTensor& hh = weight("weight_hh_l0");
    rnn.input_size = ih.shape[1];
    rnn.hidden_size = hh.shape[1];
    if (has("weight_hr_l0")) {
      rnn.proj_size = weight("weight_hr_l0").shape[0];
      rnn.hidden_size = weight("weight_hr_l0").shape[1];
    }
    rnn.bidirectional = has("weight_ih_l0_reverse");
    rnn.bias = has("bias_ih_l0");
    while (has(fmt::format("weight_ih_l{}", rnn.num_layers))) ++rnn.num_layers;
    rnn.cell = find_cell(ih.shape[0], rnn.hidden_size);
    return rnn;
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw FileError(fmt::format("{}: {}", name_, reason));
  }

  /// A tensor of the recurrent layers, which has two dimensions.
  const NamedTensor& weight(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) fail(fmt::format("tensor '{}': missing", name));
    if (found->second->shape.size() != 2) {
      fail(fmt::format("tensor '{}': expected 2 dimensions, found {}", name,
                       found->second->shape.size()));
    }
    return *found->second;
  }
  bool has(const std::string& name) const { return tensors_.contains(name); }

  Cell find_cell(std::int64_t rows, std::int64_t hidden_size) {
    const auto fits = [&](Cell cell) {
      return hidden_size > 0 && rows == num_gates(cell) * hidden_size;
    };
    if (choices_.nonlinearity && fits(*choices_.nonlinearity)) return *choices_.nonlinearity;
    if (choices_.nonlinearity) {
      fail("--nonlinearity: expected a plain RNN, found a cell with gates");
    }
    if (const auto told = metadata_.find(kCellKey); told != metadata_.end()) {
      const auto cell = parse_cell(told->second);
      if (cell && fits(*cell)) return *cell;
    }
    for (const Cell cell : {Cell::lstm, Cell::gru}) {
      if (fits(cell)) return cell;
    }
    if (!fits(Cell::rnn_tanh)) {
      fail(fmt::format("tensor 'weight_ih_l0': expected 4, 3 or 1 gates of {} units, found {} rows",
                       hidden_size, rows));
    }
    notes_.emplace_back(
        "assumed, as weights do not tell it: nonlinearity tanh of the RNN (--nonlinearity relu)");
    return Cell::rnn_tanh;
  }

  const std::map<std::string, const NamedTensor*>& tensors_;
  const std::map<std::string, std::string>& metadata_;
  const ImportChoices& choices_;
  const std::string& name_;
  std::vector<std::string>& notes_;
};

}  // namespace

RecurrentConfig find_recurrent(const std::map<std::string, const NamedTensor*>& tensors,
                               const std::map<std::string, std::string>& metadata,
                               const ImportChoices& choices, const std::string& name,
                               std::vector<std::string>& notes) {
  return RecurrentFinder(tensors, metadata, choices, name, notes).run();
}

}  // namespace quadgate
