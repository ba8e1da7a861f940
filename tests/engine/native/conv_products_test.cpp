// Sweeps odd and even features and channels around the vectors, kernel sizes, paddings, pools and
// ragged lengths, of one and of several passes of a gradient; every arithmetic on every ISA. The
// truth is PyTorch's formulas in double, of operands that are rounded as bf16.h says. Tolerance:
// epsilon / 2 of a sum's terms for each of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/native/conv.h"
#include "engine/native/stack.h"
#include "kernels/base/panels.h"
#include "tests/kernels/each_isa.h"
#include "tests/support/batches.h"
#include "tests/support/bf16_reference.h"

namespace quadgate::native {
namespace {

constexpr std::int64_t kWords = 40;

/// A convolution of its own over the rows of random tokens, there and back.
class ConvRun {
 public:
  ConvRun(const ConvConfig& conv, std::vector<std::int64_t> lengths, kernels::Arithmetic arithmetic,
          kernels::Isa isa)
      : config(conv),
        model_{.rnn = {.input_size = conv.channels, .hidden_size = 1},
               .output_size = 2,
               .embedding = {.vocabulary_size = kWords},
               .conv = conv},
        arena_(2),
        parameters_(model_),
        gradient_(parameters_),
        workers_(model_.rnn, 1'000'000'000, 1, isa, arena_),
        embedding_(model_, 1000, isa, parameters_, gradient_),
        stack_({.config = model_.rnn,
                .prefix = "rnn.",
                .seq_len = conv.output_length(lengths.front()),
                .batch_size = std::ssize(lengths),
                .cores = 2,
                .has_d_input = true,
                .isa = isa},
               parameters_, gradient_),
        conv_({.model = model_,
               .seq_len = lengths.front(),
               .batch_size = std::ssize(lengths),
               .options = {},
               .isa = isa},
              cell_kernels(Cell::lstm, arithmetic, isa), parameters_, gradient_) {
    parameters_.initialize(3);
    std::ranges::fill(gradient_.values(), std::numeric_limits<float>::quiet_NaN());
    std::vector<PackTask> pack_tasks;
    conv_.add_pack_tasks(pack_tasks);
    for (const auto& task : pack_tasks) task.run();
    testing::Random random(5);
    batch = random_batch(model_, lengths, random);
    go(random);
  }

  std::span<const float> feature(std::int64_t step) const {
    const float* const row = embedding_.row(batch.tokens[static_cast<std::size_t>(step)]);
    return {row, static_cast<std::size_t>(config.input_size)};
  }
  std::span<const float> weight() const { return parameters_.value(slice("conv.weight")); }
  std::span<const float> bias() const { return parameters_.value(slice("conv.bias")); }
  std::span<const float> d_weight() { return of("conv.weight"); }
  std::span<const float> d_bias() { return of("conv.bias"); }
  std::span<const float> d_x() {
    return {conv_.d_input().data, static_cast<std::size_t>(batch.steps() * config.input_size)};
  }

  const ConvConfig config;
  Batch batch;
  std::vector<float> y, d_y;  // [steps that come out of the batch, channels]
  double square = 0;

 private:
  void go(testing::Random& random) {
    const Pass pass = stack_.begin(batch, conv_.assign(batch), nullptr, 1.0F, workers_);
    const std::vector<float> drawn =
        random.values(static_cast<std::size_t>(pass.steps.size() * config.channels));
    std::vector<float> packed = drawn;
    const auto backward = workers_.for_each_range(pass, [&](const WorkRange& work) {
      Conv::Forward conv =
          conv_.forward(work, {.embedding = &embedding_, .tokens = batch.tokens.data()});
      Stack::Forward stack = stack_.forward(stack_.load(work, conv_.output()));
      Stack::Backward back = stack_.backward(std::move(stack), nullptr);
      conv_.backward(std::move(conv), {packed.data(), config.channels});
      return back;
    });
    TaskList tasks;
    conv_.add_gradient_tasks(tasks);
    square = tasks.run(workers_, backward);
    unpack(pass.steps, drawn);
  }

  /// The rows of output and derivative in the order of the batch.
  void unpack(const PackedSteps& steps, const std::vector<float>& drawn) {
    y.resize(drawn.size());
    d_y.resize(drawn.size());
    std::vector<std::int64_t> first{0};
    for (std::size_t row = 0; row + 1 < batch.offsets.size(); ++row) {
      first.push_back(first.back() +
                      config.output_length(batch.offsets[row + 1] - batch.offsets[row]));
    }
    for (std::int64_t row = 0; row < steps.size(); ++row) {
      const auto [place, t] = steps.position_of(row);
      const std::int64_t to =
          (first[static_cast<std::size_t>(steps.row_in_batch(place))] + t) * config.channels;
      std::copy_n(conv_.output().at(row), config.channels, y.begin() + to);
      std::copy_n(drawn.begin() + row * config.channels, config.channels, d_y.begin() + to);
    }
  }

  const ParameterSlice& slice(const char* name) const { return parameters_.slice(name); }
  std::span<const float> of(const char* name) {
    return gradient_.values().subspan(slice(name).offset, slice(name).size);
  }

  ModelConfig model_;
  Arena arena_;
  Parameters parameters_;
  GradientBuffer gradient_;
  Workers workers_;
  Embedding embedding_;
  Stack stack_;
  Conv conv_;
};

/// A sum, and what its rounding depends on.
struct Sum {
  double value = 0;
  double magnitude = 0;
  std::int64_t terms = 0;

  void add(double term) {
    value += term;
    magnitude += std::abs(term);
    ++terms;
  }
};

void expect_near(std::span<const float> found, const std::vector<Sum>& expected, const char* what) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& [value, magnitude, terms] = expected[i];
    const double slack =
        0.5 * std::numeric_limits<float>::epsilon() * static_cast<double>(terms + 1) * magnitude;
    EXPECT_NEAR(found[i], value, slack + 1e-30) << what << ' ' << i;
  }
}

/// All that a run should have computed, sequence by sequence.
class Formulas {
 public:
  Formulas(const ConvRun& run, bool rounds)
      : d_x(static_cast<std::size_t>(run.batch.steps() * run.config.input_size)),
        d_weight(run.weight().size()),
        d_bias(run.bias().size()),
        run_(run),
        rounds_(rounds) {
    for (std::size_t row = 0; row + 1 < run.batch.offsets.size(); ++row) {
      const std::int64_t begin = run.batch.offsets[row];
      add_sequence(begin, run.batch.offsets[row + 1] - begin);
    }
  }

  std::vector<Sum> y, d_x, d_weight, d_bias;

 private:
  double operand(float value) const { return rounds_ ? testing::rounded_to_bf16(value) : value; }

  /// Calls body(index of x, index of the weight) for the terms of a channel of a step of z.
  template <typename Body>
  void for_each_term(std::int64_t begin, std::int64_t length, std::int64_t step,
                     std::int64_t channel, Body body) const {
    const auto& [input_size, channels, kernel_size, padding, pool_size] = run_.config;
    for (std::int64_t tap = 0; tap < kernel_size; ++tap) {
      const std::int64_t t = step + tap - padding;
      if (t < 0 || t >= length) continue;
      for (std::int64_t i = 0; i < input_size; ++i) {
        body(begin + t, i,
             static_cast<std::size_t>((channel * input_size + i) * kernel_size + tap));
      }
    }
  }

  Sum z(std::int64_t begin, std::int64_t length, std::int64_t step, std::int64_t channel) const {
    Sum sum;
    sum.add(run_.bias()[static_cast<std::size_t>(channel)]);
    for_each_term(begin, length, step, channel,
                  [&](std::int64_t token, std::int64_t i, std::size_t at) {
                    sum.add(operand(run_.feature(token)[static_cast<std::size_t>(i)]) *
                            operand(run_.weight()[at]));
                  });
    return sum;
  }

  void add_sequence(std::int64_t begin, std::int64_t length) {
    for (std::int64_t out = 0; out < run_.config.output_length(length); ++out) {
      for (std::int64_t channel = 0; channel < run_.config.channels; ++channel) {
        Sum largest;
        std::int64_t of_step = -1;
        for (std::int64_t i = 0; i < run_.config.pool_size; ++i) {
          const std::int64_t step = out * run_.config.pool_size + i;
          const Sum sum = z(begin, length, step, channel);
          if (sum.value <= largest.value) continue;
          largest = sum;
          of_step = step;
        }
        const double d = operand(run_.d_y[y.size()]);
        y.push_back(largest);
        if (of_step >= 0) go_back(begin, length, of_step, channel, d);
      }
    }
  }

  void go_back(std::int64_t begin, std::int64_t length, std::int64_t step, std::int64_t channel,
               double d) {
    d_bias[static_cast<std::size_t>(channel)].add(d);
    for_each_term(begin, length, step, channel,
                  [&](std::int64_t token, std::int64_t i, std::size_t at) {
                    d_x[static_cast<std::size_t>(token * run_.config.input_size + i)].add(
                        d * operand(run_.weight()[at]));
                    d_weight[at].add(d * operand(run_.feature(token)[static_cast<std::size_t>(i)]));
                  });
  }

  const ConvRun& run_;
  bool rounds_;
};

class ConvProductsTest : public kernels::EachIsa {
 protected:
  void TearDown() override { kernels::cap_isa(kernels::detected_isa()); }

  /// Compares all of a run with the formulas. Tiles are emulated but on amx_bf16, and slowly.
  static void expect_formulas(const ConvConfig& conv, const std::vector<std::int64_t>& lengths) {
    kernels::cap_isa(GetParam());
    for (const auto arithmetic :
         {kernels::Arithmetic::floats, kernels::Arithmetic::pairs, kernels::Arithmetic::tiles}) {
      if (arithmetic == kernels::Arithmetic::tiles && GetParam() != kernels::Isa::scalar &&
          GetParam() != kernels::Isa::amx_bf16) {
        continue;
      }
      SCOPED_TRACE(::testing::Message()
                   << conv.input_size << " features, " << conv.channels << " channels, kernel "
                   << conv.kernel_size << ", padding " << conv.padding << ", pool "
                   << conv.pool_size << ", arithmetic " << static_cast<int>(arithmetic));
      ConvRun run(conv, lengths, arithmetic, GetParam());
      const Formulas formulas(run, arithmetic != kernels::Arithmetic::floats);
      expect_near(run.y, formulas.y, "y");
      expect_near(run.d_x(), formulas.d_x, "d(x)");
      expect_near(run.d_weight(), formulas.d_weight, "d(weight)");
      expect_near(run.d_bias(), formulas.d_bias, "d(bias)");
      double square = 0;
      for (const auto part : {run.d_weight(), run.d_bias()}) {
        for (const float d : part) square += double{d} * d;
      }
      EXPECT_NEAR(run.square, square, 1e-6 * square);
    }
  }
};

TEST_P(ConvProductsTest, HaveTheNumbersOfTheFormulasAtEveryWidth) {
  for (const std::int64_t features : {1, 2, 15, 33, 34}) {
    for (const std::int64_t channels : {1, 15, 16, 33, 66}) {
      expect_formulas({.input_size = features,
                       .channels = channels,
                       .kernel_size = 3,
                       .padding = 1,
                       .pool_size = 2},
                      {7, 3, 5});
      ASSERT_FALSE(HasFailure());
    }
  }
}

TEST_P(ConvProductsTest, HaveThemAtEveryWindow) {
  for (const std::int64_t kernel_size : {1, 2, 5}) {
    for (std::int64_t padding = 0; padding < kernel_size; ++padding) {
      for (const std::int64_t pool_size : {1, 3}) {
        expect_formulas({.input_size = 5,
                         .channels = 7,
                         .kernel_size = kernel_size,
                         .padding = padding,
                         .pool_size = pool_size},
                        {9, 7, 8});
        ASSERT_FALSE(HasFailure());
      }
    }
  }
}

TEST_P(ConvProductsTest, HaveThemOverManySteps) {
  expect_formulas({.input_size = 9, .channels = 35, .kernel_size = 3, .padding = 2}, {263, 262});
}

INSTANTIATE_TEST_SUITE_P(Isa, ConvProductsTest, kernels::all_isas(), kernels::isa_name);

}  // namespace
}  // namespace quadgate::native
