// Sweeps the cells, layers 1 to 2, directions, ragged lengths and every element of every input of
// the tests' reference LSTM. Tolerance: 1e-12 of the largest element; the complex step has no
// truncation error, so what is left are the roundings of a few hundred double operations.

#include "tests/support/lstm_reference.h"

#include <gtest/gtest.h>

#include <complex>

namespace quadgate::testing {
namespace {

using Complex = std::complex<double>;

std::vector<Complex> to_complex(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

LstmInputs<Complex> to_complex(const LstmInputs<double>& inputs) {
  LstmInputs<Complex> result{
      to_complex(inputs.x), to_complex(inputs.h0), to_complex(inputs.c0), {}};
  for (const auto& tensors : inputs.directions) {
    result.directions.push_back({to_complex(tensors.weight_ih), to_complex(tensors.weight_hh),
                                 to_complex(tensors.bias_ih), to_complex(tensors.bias_hh),
                                 to_complex(tensors.weight_hr)});
  }
  return result;
}

/// The sum of all outputs, weighted: its gradient with respect to the outputs are the weights.
Complex loss(const LstmOutputs<Complex>& outputs, const LstmOutputs<double>& weights) {
  Complex sum = 0;
  const auto add = [&](const std::vector<Complex>& values, const std::vector<double>& weight) {
    for (std::size_t i = 0; i < values.size(); ++i) sum += values[i] * weight[i];
  };
  add(outputs.output, weights.output);
  add(outputs.h_n, weights.h_n);
  add(outputs.c_n, weights.c_n);
  return sum;
}

/// f'(x) = Im f(x + ih) / h (Squire and Trapp, SIAM Review 40, 1998).
void expect_complex_step_derivative(const RecurrentConfig& config, std::int64_t seq_len,
                                    const std::vector<std::int64_t>& lengths) {
  constexpr double kStep = 1e-30;
  Random random(1);
  const auto batch = static_cast<std::int64_t>(lengths.size());
  const auto inputs = random_lstm_inputs(config, seq_len, batch, random);
  const auto d_outputs = random_lstm_gradients(config, seq_len, lengths, true, random);
  auto gradients = LstmReference<double>(config, seq_len, lengths, inputs).backward(d_outputs);
  auto shifted = to_complex(inputs);
  const auto expected = gradients.tensors();
  const auto tensors = shifted.tensors();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    std::vector<double> derivatives;
    for (Complex& element : *tensors[i].second) {
      element += Complex(0, kStep);
      const LstmReference<Complex> reference(config, seq_len, lengths, shifted);
      derivatives.push_back(loss(reference.outputs(), d_outputs).imag() / kStep);
      element = element.real();
    }
    EXPECT_LE(relative_error(*expected[i].second, derivatives), 1e-12) << tensors[i].first;
  }
}

TEST(LstmReferenceTest, OneLayerHasTheComplexStepDerivative) {
  expect_complex_step_derivative({.input_size = 3, .hidden_size = 4}, 5, {5, 5});
}

TEST(LstmReferenceTest, BidirectionalLayersOfRaggedRowsHaveTheComplexStepDerivative) {
  expect_complex_step_derivative(
      {.input_size = 2, .hidden_size = 3, .num_layers = 2, .bidirectional = true}, 4, {4, 1, 3});
}

TEST(LstmReferenceTest, TheOtherCellsHaveTheComplexStepDerivative) {
  for (const Cell cell : {Cell::gru, Cell::rnn_tanh, Cell::rnn_relu}) {
    SCOPED_TRACE(to_string(cell));
    expect_complex_step_derivative(
        {.input_size = 2, .hidden_size = 3, .num_layers = 2, .bidirectional = true, .cell = cell},
        4, {4, 1, 3});
  }
}

TEST(LstmReferenceTest, AProjectedStateHasTheComplexStepDerivative) {
  expect_complex_step_derivative(
      {.input_size = 2, .hidden_size = 4, .num_layers = 2, .bidirectional = true, .proj_size = 3},
      4, {4, 1, 3});
}

TEST(LstmReferenceTest, FollowsTheFormulaByHand) {
  // One unit, one step: gates from z = w x + u h + b + b' with w = (1, 2, 3, 4) / 10.
  LstmInputs<double> inputs{
      {2}, {0.5}, {-1}, {{{0.1, 0.2, 0.3, 0.4}, {1, 1, 1, 1}, {0, 0, 0, 0}, {0.5, 0.5, 0.5, 0.5}}}};
  const LstmReference<double> reference({.input_size = 1, .hidden_size = 1}, 1, {1}, inputs);
  const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
  const double c = sigmoid(1.4) * -1 + sigmoid(1.2) * std::tanh(1.6);
  EXPECT_DOUBLE_EQ(reference.outputs().c_n[0], c);
  EXPECT_DOUBLE_EQ(reference.outputs().output[0], sigmoid(1.8) * std::tanh(c));
}

}  // namespace
}  // namespace quadgate::testing
