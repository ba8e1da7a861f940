#include "engine/training/recurrent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <utility>

#include "engine/base/error.h"
#include "engine/model/batch.h"
#include "engine/model/gradient_buffer.h"
#include "engine/native/stack.h"
#include "engine/native/task_list.h"
#include "engine/native/workers.h"
#include "kernels/base/isa.h"

namespace quadgate {
namespace {

void expect_size(const char* field, const char* part, std::int64_t expected, std::size_t found) {
  if (std::cmp_not_equal(found, expected)) {
    throw InvalidArgument(
        fmt::format("{}{}: expected {} values, found {}", field, part, expected, found));
  }
}

void expect_range(const char* field, std::int64_t least, std::int64_t most, std::int64_t found) {
  if (found < least || found > most) {
    throw InvalidArgument(
        fmt::format("{}: expected {} to {}, found {}", field, least, most, found));
  }
}

/// A view of an array. Nobody writes to a const one.
native::RowView rows(std::span<const float> array, std::int64_t width) {
  return {const_cast<float*>(array.data()), width};
}

RecurrentPlan checked(const RecurrentConfig& config, const RecurrentPlan& plan) {
  constexpr std::int64_t kMostRows = std::int64_t{1} << 31;
  validate(config);
  expect_range("seq_len", 1, kMostRows, plan.seq_len);
  expect_range("batch_size", 1, kMostRows / plan.seq_len, plan.batch_size);
  return plan;
}

}  // namespace

struct Recurrent::Impl {
  Impl(const RecurrentConfig& its_config, const RecurrentPlan& its_plan, Arena& arena)
      : plan(checked(its_config, its_plan)),
        config(its_config),
        parameters(config),
        gradient(plan.forward_only ? GradientBuffer() : GradientBuffer(parameters)),
        workers(config,
                static_cast<std::int64_t>(parameters.size()) * plan.seq_len * plan.batch_size, 0,
                isa, arena),
        stack({.config = config,
               .prefix = "",
               .seq_len = plan.seq_len,
               .batch_size = plan.batch_size,
               .cores = workers.cores(),
               .precision = plan.precision,
               .arithmetic = plan.arithmetic,
               .has_states = true,
               .has_d_input = plan.has_d_input,
               .has_callers = true,
               .forward_only = plan.forward_only,
               .isa = isa},
              parameters, gradient) {
    for (std::int64_t l = 0; l < config.num_layers; ++l) {
      stack.add_input_pack_tasks(l, pack_tasks);
      stack.add_recurrent_pack_tasks(l, pack_tasks);
    }
    if (!plan.forward_only) stack.add_gradient_tasks(gradient_tasks);
  }

  /// Where the caller's arrays have step t of the sequence at a place of the packed steps.
  std::int64_t step(const native::PackedSteps& steps, std::int64_t place,
                    std::int64_t t) const noexcept {
    if (packed) return steps.row(place, t);
    const std::int64_t row = steps.row_in_batch(place);
    return plan.batch_first ? row * seq_len + t : t * batch_size + row;
  }
  /// The steps of the caller's arrays, those of the padding too.
  std::int64_t steps() const noexcept { return packed ? batch.steps() : seq_len * batch_size; }

  void expect_states(const char* field, const RecurrentStates* states, std::int64_t rows) const {
    if (states == nullptr) return;
    const auto expected = RecurrentStates::sizes(config, rows);
    expect_size(field, ".h", expected.h, states->h.size());
    expect_size(field, ".c", expected.c, states->c.size());
  }

  void assign(const Input& input);
  void pack();

  /// Whether the caller's arrays have the packed rows in their order.
  bool has_packed_rows() const noexcept {
    const bool is_time_major = !plan.batch_first || batch_size == 1 || seq_len == 1;
    return packed || (is_time_major && batch.steps() == steps());
  }
  /// Memory for packed rows; allocated once it is asked for.
  native::RowView rows_in(Buffer& own, std::int64_t width) const {
    if (own.size() == 0) own = Buffer(floats(plan.seq_len * plan.batch_size, width));
    return {own.data(), width};
  }

  /// Calls body(packed row, step of the caller's arrays, count) for the steps of the work's
  /// sequences that are a member's. So many follow each other in both.
  template <typename Body>
  void for_each_run(const native::WorkRange& work, Body body) {
    const auto share = work.member.share(work.pass.steps.seq_len());
    if (has_packed_rows()) {
      work.for_each_run(share.begin, share.end,
                        [&](std::int64_t row, std::int64_t count) { body(row, row, count); });
      return;
    }
    for (std::int64_t t = share.begin; t < share.end; ++t) {
      for (std::int64_t i = 0; i < work.rows(t); ++i) {
        body(work.row(t) + i, step(work.pass.steps, work.first + i, t), std::int64_t{1});
      }
    }
  }

  /// The caller's array for `size` features of each step, or, if that is empty, `own`. Its padding,
  /// if there is any, is zeros.
  std::span<float> results(const char* field, std::span<float> callers, std::int64_t size,
                           std::vector<float>& own) const {
    const std::int64_t count = steps() * size;
    if (callers.empty()) {
      own.resize(static_cast<std::size_t>(count));
      callers = own;
    }
    expect_size(field, "", count, callers.size());
    if (batch.steps() != steps()) std::ranges::fill(callers, 0.0F);
    return callers;
  }

  RecurrentPlan plan;
  RecurrentConfig config;
  kernels::Isa isa = kernels::active_isa();
  Parameters parameters;
  GradientBuffer gradient;
  std::uint64_t packed_version = 0;  // of the parameters; 0: none
  native::Workers workers;
  native::Stack stack;
  std::vector<PackTask> pack_tasks;
  native::TaskList gradient_tasks;
  Batch batch;
  std::int64_t seq_len = 0;                                           // of the last forward pass
  std::int64_t batch_size = 0;                                        // likewise
  bool packed = false;                                                // likewise
  std::uint64_t calls = 0;                                            // of forward and backward
  std::optional<native::Everywhere<native::Stack::Forward>> forward;  // the last one, of a batch
  std::optional<DropoutKey> dropout;
  Buffer x_rows, d_output_rows, d_input_rows;  // packed rows of arrays that have another order
  std::vector<float> own_output, own_d_input;
  std::span<float> output, d_input;  // of the last passes, the caller's or those
  RecurrentStates final_states, d_states;
};

/// The stack keeps the weights in a layout of its own.
void Recurrent::Impl::pack() {
  const std::uint64_t version = parameters.version();
  if (version == packed_version) return;
  stack.weights_changed();
  workers.share(std::ssize(pack_tasks),
                [&](std::int64_t task) { pack_tasks[static_cast<std::size_t>(task)].run(); });
  packed_version = version;
}

/// Checks the input and takes its lengths over as the batch.
void Recurrent::Impl::assign(const Input& input) {
  expect_range("seq_len", 1, plan.seq_len, input.seq_len);
  expect_range("batch", 0, plan.batch_size, input.batch);
  if (!input.lengths.empty()) expect_size("lengths", "", input.batch, input.lengths.size());
  batch.offsets.assign(1, 0);
  std::int64_t most = input.seq_len;
  for (std::int64_t row = 0; row < input.batch; ++row) {
    const std::int64_t length =
        input.lengths.empty() ? input.seq_len : input.lengths[static_cast<std::size_t>(row)];
    if (length < 1 || length > most) {
      throw InvalidArgument(fmt::format("lengths: row {}: expected 1 to {} ({}), found {}", row,
                                        most, most == input.seq_len ? "seq_len" : "falling",
                                        length));
    }
    if (input.packed) most = length;
    batch.offsets.push_back(batch.offsets.back() + length);
  }
  seq_len = input.seq_len;
  packed = input.packed;
  if (std::exchange(batch_size, input.batch) != input.batch)
    final_states = d_states = RecurrentStates::zeros(config, batch_size);
  expect_size("x", "", steps() * config.input_size, input.x.size());
  expect_states("states", input.states, input.batch);
}

Recurrent::Recurrent(const RecurrentConfig& config, const RecurrentPlan& plan, Arena& arena,
                     std::uint64_t seed)
    : impl_(std::make_unique<Impl>(config, plan, arena)) {
  impl_->parameters.initialize(seed, &arena);
}

Recurrent::~Recurrent() = default;

const RecurrentConfig& Recurrent::config() const noexcept { return impl_->config; }
Parameters& Recurrent::parameters() noexcept { return impl_->parameters; }
const Parameters& Recurrent::parameters() const noexcept { return impl_->parameters; }

std::span<const float> Recurrent::Forward::output() const noexcept { return of_->output; }
const RecurrentStates& Recurrent::Forward::final_states() const noexcept {
  return of_->final_states;
}
std::span<const float> Recurrent::Backward::d_input() const noexcept { return of_->d_input; }
const RecurrentStates& Recurrent::Backward::d_states() const noexcept { return of_->d_states; }

Recurrent::Forward Recurrent::forward(const Input& input, std::optional<DropoutKey> dropout,
                                      std::span<float> output) {
  Impl& of = *impl_;
  native::Stack& stack = of.stack;
  ++of.calls;
  of.assign(input);
  of.pack();
  of.dropout = of.config.has_dropout() ? dropout : std::nullopt;
  native::Pass pass =
      stack.begin(of.batch, of.batch.offsets, of.dropout ? &*of.dropout : nullptr, {}, of.workers);
  const std::int64_t width = of.config.input_size;
  const std::int64_t size = of.config.output_size();
  of.output = of.results("output", output, size, of.own_output);
  if (of.batch_size == 0) return {of, of.calls};
  const bool stays = (of.plan.x_stays || of.plan.forward_only) && of.config.input_dropout == 0;
  pass.callers.loads = !stays || !of.has_packed_rows();
  pass.callers.x = pass.callers.loads ? of.rows_in(of.x_rows, width) : rows(input.x, width);
  of.forward.emplace(of.workers.for_each_range(pass, [&](const native::WorkRange& work) {
    native::Stack::Loaded loaded = stack.load_rows(work, [&](std::int64_t place, std::int64_t t) {
      return input.x.data() + of.step(pass.steps, place, t) * width;
    });
    stack.load_states(loaded, input.states);
    native::Stack::Forward forward = stack.forward(std::move(loaded));
    of.for_each_run(work, [&](std::int64_t row, std::int64_t step, std::int64_t count) {
      std::copy_n(stack.output(forward).at(row), count * size, of.output.data() + step * size);
    });
    stack.store_states(forward, of.final_states);
    return forward;
  }));
  return {of, of.calls};
}

Recurrent::Backward Recurrent::backward(Forward&& forward, std::span<const float> d_output,
                                        const RecurrentStates* d_final_states,
                                        std::span<float> d_input, std::span<float> gradient) {
  Impl& of = *impl_;
  native::Stack& stack = of.stack;
  if (forward.of_ != &of || forward.number_ != of.calls) {
    throw InvalidArgument("backward: expected the last forward pass, found another or one used");
  }
  if (of.plan.forward_only) throw InvalidArgument("backward: the plan is forward_only");
  const std::int64_t size = of.config.output_size();
  const std::int64_t width = of.plan.has_d_input ? of.config.input_size : 0;
  expect_size("d_output", "", std::ssize(of.output), d_output.size());
  of.expect_states("d_final_states", d_final_states, of.batch_size);
  if (!gradient.empty()) {
    expect_size("gradient", "", static_cast<std::int64_t>(of.parameters.size()), gradient.size());
  }
  of.d_input = of.results("d_input", d_input, width, of.own_d_input);
  of.gradient.lie_in(gradient);
  ++of.calls;
  if (of.batch_size == 0) {
    std::ranges::fill(of.gradient.values(), 0.0F);
    return {of, of.gradient.view(0)};
  }
  native::Pass pass = of.forward->pass();
  const bool copies = !of.has_packed_rows() || of.config.output_dropout > 0;  // it drops in place
  pass.callers.d_output = copies ? of.rows_in(of.d_output_rows, size) : rows(d_output, size);
  if (width > 0)
    pass.callers.d_x = copies ? of.rows_in(of.d_input_rows, width) : rows(of.d_input, width);
  const auto backward = of.workers.for_each_range(pass, [&](const native::WorkRange& work) {
    if (copies) {
      of.for_each_run(work, [&](std::int64_t row, std::int64_t step, std::int64_t count) {
        std::copy_n(d_output.data() + step * size, count * size, stack.d_output(work).at(row));
      });
      work.member.wait();
    }
    native::Stack::Backward done = stack.backward(of.forward->of(work), d_final_states);
    if (copies && width > 0) {
      of.for_each_run(work, [&](std::int64_t row, std::int64_t step, std::int64_t count) {
        std::copy_n(stack.d_input(work).at(row), count * width, of.d_input.data() + step * width);
      });
    }
    stack.store_d_states(done, of.d_states);
    return done;
  });
  return {of, of.gradient.view(std::sqrt(of.gradient_tasks.run(of.workers, backward)))};
}

}  // namespace quadgate
