#include "engine/training/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/training/gradient_norm.h"
#include "engine/training/make_backend.h"
#include "engine/training/optimizer.h"

namespace quadgate {
namespace {

void expect(bool holds, const char* field, std::int64_t expected, std::size_t found) {
  if (!holds) {
    throw InvalidArgument(fmt::format("{}: expected {} values, found {}", field, expected, found));
  }
}

std::int64_t shortest_of(const ModelConfig& config) noexcept {
  return config.conv ? config.conv->shortest() : 1;
}

/// The end of a message that a sequence is too short, and why. Empty without a convolution.
std::string conv_text(const ModelConfig& config) {
  if (!config.conv) return "";
  return fmt::format(" (kernel_size {}, padding {}, pool_size {})", config.conv->kernel_size,
                     config.conv->padding, config.conv->pool_size);
}

void validate_inputs(const ModelConfig& config, std::int64_t seq_len, const Batch& batch) {
  const std::int64_t shortest = shortest_of(config);
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const auto offset = batch.offsets.begin() + row;
    const std::int64_t length = offset[1] - offset[0];
    if (length < shortest || length > seq_len) {
      throw InvalidArgument(fmt::format("batch row {}: length: expected {} to {}, found {}{}", row,
                                        shortest, seq_len, length,
                                        length < shortest ? conv_text(config) : ""));
    }
  }
  const std::int64_t tokens = config.has_embedding() ? batch.steps() : 0;
  const std::int64_t values = config.has_embedding() ? 0 : batch.steps() * config.input_size();
  expect(std::cmp_equal(batch.tokens.size(), tokens), "batch tokens", tokens, batch.tokens.size());
  expect(std::cmp_equal(batch.x.size(), values), "batch x", values, batch.x.size());
  for (const std::int32_t token : batch.tokens) {
    if (token < 0 || token >= config.embedding.vocabulary_size) {
      throw DataError(fmt::format("token: expected 0 to {}, found {}",
                                  config.embedding.vocabulary_size - 1, token));
    }
  }
}

/// The model as it runs forward: nothing is dropped.
ModelConfig without_dropout(ModelConfig config) {
  RecurrentConfig& rnn = config.rnn;
  rnn.dropout = rnn.input_dropout = rnn.output_dropout = rnn.weight_dropout = 0;
  rnn.locked_dropout = false;
  return config;
}

}  // namespace

Network::Network(const ModelConfig& config, std::int64_t seq_len, std::int64_t batch_size,
                 Arena& arena, const NetworkOptions& options)
    : config_((validate(config), config)),
      seq_len_(seq_len),
      batch_size_(batch_size),
      forward_only_(options.forward_only),
      loss_(config),
      arena_(arena),
      parameters_(config) {
  if (seq_len < 1 || batch_size < 1) {
    throw InvalidArgument(fmt::format(
        "seq_len and batch_size: expected at least 1, found {} and {}", seq_len, batch_size));
  }
  if (seq_len < shortest_of(config)) {
    throw InvalidArgument(fmt::format("seq_len: expected at least {}, found {}{}",
                                      shortest_of(config), seq_len, conv_text(config)));
  }
  if (options.team_size < 0 || options.team_size > arena.threads()) {
    throw InvalidArgument(fmt::format("team_size: expected 0 to {} (threads), found {}",
                                      arena.threads(), options.team_size));
  }
  if (options.team_size > 0 && options.backend == BackendKind::onednn) {
    throw InvalidArgument(
        fmt::format("team_size: expected 0 for the backend onednn, found {}", options.team_size));
  }
  if (options.carries_states && config.rnn.bidirectional) {
    throw InvalidArgument("carries_states: expected one direction, found bidirectional");
  }
  if (options.carries_states && config.crf) {
    throw InvalidArgument("carries_states: expected no crf, found one");
  }
  if (options.carries_states && config.conv) {
    throw InvalidArgument("carries_states: expected no convolution, found one");
  }
  backend_ =
      make_backend({forward_only_ ? without_dropout(config) : config, seq_len, batch_size, options},
                   parameters_, arena);
  if (options.arithmetic == Arithmetic::consistent) {
    norm_ = std::make_unique<GradientNorm>(parameters_);
  }
}

Network::~Network() = default;

Parameters& Network::parameters() {
  std::as_const(*this).parameters();
  return parameters_;
}

const Parameters& Network::parameters() const {
  if (arrival_) arrival_({0, parameters_.values().size()}, true);
  return parameters_;
}

void Network::set_arrival(std::function<bool(const FlatRange& range, bool waits)> arrival) {
  arrival_ = std::move(arrival);
}

std::vector<FlatRange> Network::awaited_ranges() const { return backend_->awaited_ranges(); }

BackendKind Network::backend() const noexcept { return backend_->kind(); }

RecurrentStates* Network::carried_states() noexcept { return backend_->carried_states(); }

void Network::reset_states() noexcept {
  RecurrentStates* const states = carried_states();
  if (states == nullptr) return;
  std::ranges::fill(states->h, 0.0F);
  std::ranges::fill(states->c, 0.0F);
}

PhaseTimes& Network::phase_times() noexcept { return backend_->phase_times(); }

void Network::expect_fit(const Batch& batch) const {
  if (batch.rows() > batch_size_) {
    throw InvalidArgument(
        fmt::format("batch: expected at most {} rows, found {}", batch_size_, batch.rows()));
  }
  if (const RecurrentStates* states = backend_->carried_states()) {
    const auto rows = std::ssize(states->h) / RecurrentStates::sizes(config_.rnn, 1).h;
    if (batch.rows() != rows) {
      throw InvalidArgument(fmt::format(
          "batch: expected {} rows, where states are carried, found {}", rows, batch.rows()));
    }
    const auto expected = RecurrentStates::sizes(config_.rnn, rows);
    expect(std::cmp_equal(states->h.size(), expected.h), "carried states h", expected.h,
           states->h.size());
    expect(std::cmp_equal(states->c.size(), expected.c), "carried states c", expected.c,
           states->c.size());
  }
  validate_inputs(config_, seq_len_, batch);
}

/// The backend keeps the weights in a layout of its own.
void Network::pack() {
  const std::uint64_t version = parameters_.version();
  if (version == packed_version_) return;
  backend_->pack(arrival_);
  packed_version_ = version;
}

Metrics Network::evaluate(const Batch& batch) {
  loss_.expect_targets(batch);
  if (batch.rows() == 0) return {};
  expect_fit(batch);
  pack();
  return backend_->evaluate(batch);
}

void Network::predict(const Batch& batch, std::span<float> outputs) {
  const std::int64_t rows = config_.task == Task::tagging ? batch.steps() : batch.rows();
  const std::int64_t size = rows * config_.output_size;
  expect(std::cmp_equal(outputs.size(), size), "outputs", size, outputs.size());
  if (batch.rows() == 0) return;
  expect_fit(batch);
  pack();
  backend_->predict(batch, outputs);
}

Derivative Network::differentiate(const Batch& batch, const DropoutKey& dropout) {
  prepare(batch);
  const double weight = loss_.weight(batch);
  const auto scale = static_cast<float>(weight > 0 ? 1 / weight : 0);
  Derivative derivative = backend_->differentiate(batch, dropout, scale, nullptr);
  if (norm_) derivative.gradient.norm = norm_->of(derivative.gradient, arena_);
  return derivative;
}

Derivative Network::differentiate_sum(const Batch& batch, const DropoutKey& dropout,
                                      const GradientListener* listener) {
  prepare(batch);
  return backend_->differentiate(batch, dropout, 1, listener);
}

std::vector<FlatRange> Network::gradient_ranges() const { return backend_->gradient_ranges(); }

std::optional<StepPlan> Network::step_plan(const Batch& batch) {
  expect_fit(batch);
  return backend_->step_plan(batch);
}

std::span<const float> Network::gradient_values() const noexcept {
  return backend_->gradient_values();
}

void Network::prepare(const Batch& batch) {
  if (forward_only_) {
    throw InvalidArgument("differentiate: expected a network without forward_only, found one with");
  }
  if (batch.rows() == 0) {
    throw InvalidArgument("batch: expected at least 1 row, found none");
  }
  loss_.expect_targets(batch);
  expect_fit(batch);
  pack();
}

void Network::update(Optimizer& optimizer, const Gradient& gradient, float scale) {
  const auto for_each_range = [&](const RangeUpdate& update) {
    backend_->update(update, gradient.rows);
  };
  {
    ParameterEditor editor = parameters_.edit();
    optimizer.step(std::cref(for_each_range), editor.values(), gradient, scale);
  }
  packed_version_ = parameters_.version();
}

}  // namespace quadgate
