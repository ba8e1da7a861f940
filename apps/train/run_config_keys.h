#pragma once

#include <limits>
#include <string_view>

#include "apps/train/run_config.h"
#include "engine/model/config.h"
#include "engine/training/schedule.h"

/// The keys of a run file, for what reads and writes it.
namespace quadgate::apps {

/// What a key accepts, in words and as limits.
struct Rule {
  const char* expected;
  double least = -std::numeric_limits<double>::infinity();
  double below = std::numeric_limits<double>::infinity();
  bool required = false;
  const char* only_with = nullptr;  ///< if it has no meaning here: what it has one with

  constexpr Rule must(bool condition = true) const {
    Rule rule = *this;
    rule.required = condition;
    return rule;
  }
  /// A key that has a meaning under `condition`, which `with` tells, and else only its default.
  constexpr Rule only(bool condition, const char* with) const {
    Rule rule = *this;
    rule.only_with = condition ? nullptr : with;
    return rule;
  }
};

inline constexpr Rule kPath{"a path"};
inline constexpr Rule kPaths{"a path or an array of paths"};
inline constexpr Rule kNames{"an array of column names"};
inline constexpr Rule kFlag{"true or false"};
inline constexpr Rule kCount{"an integer, at least 1", 1};
inline constexpr Rule kProjection{"an integer, at least 0 and below hidden_size", 0};
inline constexpr Rule kPadding{"an integer, at least 0 and below kernel_size", 0};
inline constexpr Rule kThreads{"an integer from 1 to 1024", 1, 1025};
inline constexpr Rule kNumber{"a finite number"};
inline constexpr Rule kNonNegative{"a finite number, at least 0", 0};
inline constexpr Rule kPositive{"a finite number above 0",
                                std::numeric_limits<double>::denorm_min()};
inline constexpr Rule kFraction{"a number, at least 0 and below 1", 0, 1};
inline constexpr Rule kFractions{"an array of two numbers, at least 0 and below 1", 0, 1};
inline constexpr Rule kReduction{"a number above 0 and below 1",
                                 std::numeric_limits<double>::denorm_min(), 1};
inline constexpr Rule kShare{"a number from 0 to 1", 0, 1 + std::numeric_limits<double>::epsilon()};
inline constexpr Rule kCountOrNone{"an integer, at least 0", 0};
inline constexpr Rule kCell{R"("lstm", "gru", "rnn_tanh" or "rnn_relu")"};
inline constexpr Rule kOptimizer{R"("sgd", "adam", "adamw" or "rmsprop")"};
inline constexpr Rule kSchedule{
    R"("constant", "step", "cosine", "one_cycle" or "reduce_on_plateau")"};
inline constexpr Rule kPrecision{R"("f32" or "bf16")"};
inline constexpr Rule kArithmetic{R"("fastest" or "consistent")"};
inline constexpr Rule kPooling{R"("last", "mean" or "max")"};
inline constexpr Rule kNormalize{R"("none", "last" or "instance")"};
inline constexpr Rule kLoss{
    R"("cross_entropy", "mse", "mae", "huber", "bce", "pinball", "gaussian" or "student_t")"};
inline constexpr Rule kWeights{R"("balanced" or an array of finite numbers, at least 0)", 0};
inline constexpr Rule kQuantiles{"an array of rising numbers above 0 and below 1",
                                 std::numeric_limits<double>::denorm_min(), 1};
inline constexpr Rule kMonitor{R"(a metric of evaluate, "f1_macro" say)"};
inline constexpr Rule kInteger{"an integer"};

/// The part of visit_keys on the loss; which keys have a meaning follows from its kind.
template <typename Train, typename Visitor>
void visit_loss_keys(Train& train, Visitor& visit) {
  auto& loss = train.loss;
  visit("train.loss", loss.kind, kLoss);
  const auto of_classes = [is = loss.kind.value_or(LossKind::cross_entropy) ==
                                LossKind::cross_entropy](const Rule& rule) {
    return rule.only(is, R"(loss "cross_entropy")");
  };
  visit("train.label_smoothing", loss.label_smoothing, of_classes(kFraction));
  visit("train.class_weights", train.class_weights, of_classes(kWeights));
  visit("train.ignore_index", loss.ignore_index, of_classes(kInteger));
  visit("train.huber_delta", loss.huber_delta,
        kPositive.only(loss.kind == LossKind::huber, R"(loss "huber")"));
  const bool is_pinball = loss.kind == LossKind::pinball;
  visit("train.quantiles", loss.quantiles,
        kQuantiles.only(is_pinball, R"(loss "pinball")").must(is_pinball));
}

/// The part of visit_keys on the optimizer; which keys have a meaning follows from its kind.
template <typename Optimizer, typename Visitor>
void visit_optimizer_keys(Optimizer& optimizer, Visitor& visit) {
  visit("train.optimizer", optimizer.kind, kOptimizer);
  using Kind = OptimizerConfig::Kind;
  const bool sgd = optimizer.kind == Kind::sgd;
  const bool rmsprop = optimizer.kind == Kind::rmsprop;
  const bool adam = !sgd && !rmsprop;
  visit("train.lr", optimizer.lr, kNonNegative);
  visit("train.momentum", optimizer.momentum,
        kNonNegative.only(!adam, R"(optimizer "sgd" or "rmsprop")"));
  visit("train.nesterov", optimizer.nesterov,
        kFlag.only(sgd && optimizer.momentum > 0, R"(optimizer "sgd" and a momentum)"));
  visit("train.betas", optimizer.betas, kFractions.only(adam, R"(optimizer "adam" or "adamw")"));
  visit("train.alpha", optimizer.alpha, kFraction.only(rmsprop, R"(optimizer "rmsprop")"));
  visit("train.centered", optimizer.centered, kFlag.only(rmsprop, R"(optimizer "rmsprop")"));
  visit("train.eps", optimizer.eps,
        kNonNegative.only(!sgd, R"(optimizer "adam", "adamw" or "rmsprop")"));
  visit("train.weight_decay", optimizer.weight_decay, kNonNegative);
}

/// The part of visit_keys on the schedule; which keys have a meaning follows from its kind.
template <typename Schedule, typename Visitor>
void visit_schedule_keys(Schedule& schedule, Visitor& visit) {
  visit("train.schedule.kind", schedule.kind, kSchedule);
  using Kind = ScheduleConfig::Kind;
  visit("train.schedule.warmup_steps", schedule.warmup_steps, kCountOrNone);
  const auto step = [is = schedule.kind == Kind::step](const Rule& rule) {
    return rule.only(is, R"(kind "step")").must(is && rule.required);
  };
  visit("train.schedule.step_size", schedule.step_size, step(kCount.must()));
  visit("train.schedule.gamma", schedule.gamma, step(kPositive));
  const auto cosine = [is = schedule.kind == Kind::cosine](const Rule& rule) {
    return rule.only(is, R"(kind "cosine")");
  };
  visit("train.schedule.T_max", schedule.t_max, cosine(kCount));
  visit("train.schedule.eta_min", schedule.eta_min, cosine(kNonNegative));
  const auto one_cycle = [is = schedule.kind == Kind::one_cycle](const Rule& rule) {
    return rule.only(is, R"(kind "one_cycle")");
  };
  visit("train.schedule.max_lr", schedule.max_lr, one_cycle(kPositive));
  visit("train.schedule.total_steps", schedule.total_steps, one_cycle(kCount));
  visit("train.schedule.pct_start", schedule.pct_start, one_cycle(kShare));
  visit("train.schedule.div_factor", schedule.div_factor, one_cycle(kPositive));
  visit("train.schedule.final_div_factor", schedule.final_div_factor, one_cycle(kPositive));
  const auto plateau = [is = schedule.kind == Kind::reduce_on_plateau](const Rule& rule) {
    return rule.only(is, R"(kind "reduce_on_plateau")");
  };
  visit("train.schedule.factor", schedule.factor, plateau(kReduction));
  visit("train.schedule.patience", schedule.patience, plateau(kCountOrNone));
  visit("train.schedule.threshold", schedule.threshold, plateau(kNonNegative));
}

/// The part of visit_keys on the convolution, which there is with its channels.
template <typename Conv, typename Visitor>
void visit_conv_keys(Conv& conv, Visitor& visit) {
  visit("model.conv.channels", conv.channels, kCount);
  const auto part = [has = conv.channels.has_value()](const Rule& rule) {
    return rule.only(has, "channels").must(has && rule.required);
  };
  visit("model.conv.kernel_size", conv.kernel_size, part(kCount.must()));
  visit("model.conv.padding", conv.padding, part(kPadding));
  visit("model.conv.pool_size", conv.pool_size, part(kCount));
}

/// Calls visit(key, field, rule) for every key of a run file, in the order in which it is written.
template <typename Config, typename Visitor>
void visit_keys(Config& config, Visitor&& visit) {
  visit("data.path", config.data.path, kPaths.must());
  visit("data.input_len", config.data.input_len, kCount);
  visit("data.horizon", config.data.horizon, kCount);
  visit("data.stride", config.data.stride, kCount);
  visit("data.targets", config.data.targets, kNames);
  visit("model.cell", config.model.cell, kCell);
  visit("model.embedding_size", config.model.embedding_size, kCount);
  visit("model.padding_index", config.model.padding_index, kCountOrNone);
  visit("model.tie_weights", config.model.tie_weights, kFlag);
  visit("model.sparse_embedding", config.model.sparse_embedding,
        kFlag.only(config.model.embedding_size && !config.model.tie_weights.value_or(false),
                   "an embedding_size, without tie_weights"));
  visit("model.hidden_size", config.model.hidden_size, kCount.must());
  visit("model.num_layers", config.model.num_layers, kCount);
  visit("model.bidirectional", config.model.bidirectional, kFlag);
  visit("model.dropout", config.model.dropout, kFraction);
  visit("model.input_dropout", config.model.input_dropout, kFraction);
  visit("model.output_dropout", config.model.output_dropout, kFraction);
  const bool drops_features =
      config.model.dropout > 0 || config.model.input_dropout > 0 || config.model.output_dropout > 0;
  visit("model.locked_dropout", config.model.locked_dropout,
        kFlag.only(drops_features, "dropout, input_dropout or output_dropout"));
  visit("model.weight_dropout", config.model.weight_dropout, kFraction);
  visit("model.proj_size", config.model.proj_size, kProjection);
  visit("model.bias", config.model.bias, kFlag);
  visit("model.init", config.model.init, kPath);
  const bool random = config.model.init.empty();
  visit("model.orthogonal", config.model.orthogonal, kFlag.only(random, "weights without init"));
  visit("model.forget_bias", config.model.forget_bias,
        kNumber.only(random && config.model.cell == Cell::lstm && config.model.bias,
                     "an lstm with biases, without init"));
  visit("model.precision", config.model.precision, kPrecision);
  visit("model.arithmetic", config.model.arithmetic,
        kArithmetic.only(config.model.precision == Precision::bf16, R"(precision "bf16")"));
  visit("model.pooling", config.model.pooling, kPooling);
  visit("model.normalize", config.model.normalize, kNormalize);
  visit("model.residual", config.model.residual,
        kFlag.only(config.model.normalize == Normalize::none, R"(normalize "none")"));
  visit("model.crf", config.model.crf, kFlag);
  visit_conv_keys(config.model.conv, visit);
  visit("train.epochs", config.train.epochs, kCount.must());
  visit("train.batch_size", config.train.batch_size, kCount);
  visit_loss_keys(config.train, visit);
  visit_optimizer_keys(config.train.optimizer, visit);
  visit("train.clip_norm", config.train.optimizer.clip_norm, kPositive);
  visit("train.accumulate_steps", config.train.optimizer.accumulate_steps, kCount);
  visit("train.early_stopping_patience", config.train.early_stopping_patience, kCount);
  visit("train.monitor", config.train.monitor, kMonitor);
  visit("train.shuffle", config.train.shuffle, kFlag);
  const auto shuffled = [shuffles = config.train.shuffle.value_or(true)](const Rule& rule) {
    return rule.only(shuffles, "shuffle = true");
  };
  visit("train.shuffle_buffer", config.train.shuffle_buffer, shuffled(kCount));
  visit("train.bucket_by_length", config.train.bucket_by_length, shuffled(kFlag));
  visit("train.bptt_len", config.train.bptt_len, kCount);
  visit("train.seed", config.train.seed, kCountOrNone);
  visit("train.threads", config.train.threads, kThreads);
  visit("train.grad_shards", config.train.grad_shards, kCount);
  visit("train.checkpoint_every_steps", config.train.checkpoint_every_steps, kCount);
  visit("train.checkpoint_every_minutes", config.train.checkpoint_every_minutes, kPositive);
  visit_schedule_keys(config.train.schedule, visit);
  visit("output.dir", config.output_dir, kPath.must());
}

}  // namespace quadgate::apps
