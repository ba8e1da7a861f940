#pragma once

#include <limits>
#include <string_view>
#include <utility>

#include "apps/run_config.h"
#include "engine/config.h"

/// The keys of a run file, for what reads and writes it.
namespace quadgate::apps {

/// What a key accepts, in words and as limits.
struct Rule {
  const char* expected;
  double least = -std::numeric_limits<double>::infinity();
  double below = std::numeric_limits<double>::infinity();
  bool required = false;

  constexpr Rule must() const {
    Rule rule = *this;
    rule.required = true;
    return rule;
  }
};

inline constexpr Rule kPath{"a path"};
inline constexpr Rule kNames{"an array of column names"};
inline constexpr Rule kFlag{"true or false"};
inline constexpr Rule kCount{"an integer, at least 1", 1};
inline constexpr Rule kProjection{"an integer, at least 0 and below hidden_size", 0};
inline constexpr Rule kThreads{"an integer from 1 to 1024", 1, 1025};
inline constexpr Rule kIndex{"an integer, at least 0", 0};
inline constexpr Rule kSeed{"an integer, at least 0", 0};
inline constexpr Rule kNonNegative{"a finite number, at least 0", 0};
inline constexpr Rule kPositive{"a finite number above 0",
                                std::numeric_limits<double>::denorm_min()};
inline constexpr Rule kFraction{"a number, at least 0 and below 1", 0, 1};
inline constexpr Rule kCell{R"("lstm", "gru", "rnn_tanh" or "rnn_relu")"};
inline constexpr Rule kOptimizer{R"("sgd", "adam" or "adamw")"};

inline constexpr Rule kPrecision{R"("f32" or "bf16")"};

/// The one value that this version knows of a key with more in store.
struct Only {
  const char* value;
};

/// Calls visit(key, field, rule) for every key of a run file, in the order in which it is written.
template <typename Config, typename Visitor>
void visit_keys(Config& config, Visitor&& visit) {
  visit("data.path", config.data.path, kPath.must());
  visit("data.input_len", config.data.input_len, kCount);
  visit("data.horizon", config.data.horizon, kCount);
  visit("data.stride", config.data.stride, kCount);
  visit("data.targets", config.data.targets, kNames);
  visit("model.cell", config.model.cell, kCell);
  visit("model.embedding_size", config.model.embedding_size, kCount);
  visit("model.padding_index", config.model.padding_index, kIndex);
  visit("model.tie_weights", config.model.tie_weights, kFlag);
  visit("model.hidden_size", config.model.hidden_size, kCount.must());
  visit("model.num_layers", config.model.num_layers, kCount);
  visit("model.bidirectional", config.model.bidirectional, kFlag);
  visit("model.dropout", config.model.dropout, kFraction);
  visit("model.proj_size", config.model.proj_size, kProjection);
  visit("model.init", config.model.init, kPath);
  visit("model.precision", config.model.precision, kPrecision);
  visit("model.pooling", config.model.pooling, Only{"last"});
  visit("train.epochs", config.train.epochs, kCount.must());
  visit("train.batch_size", config.train.batch_size, kCount);
  visit("train.optimizer", config.train.optimizer.kind, kOptimizer);
  visit("train.lr", config.train.optimizer.lr, kNonNegative);
  visit("train.momentum", config.train.optimizer.momentum, kNonNegative);
  visit("train.weight_decay", config.train.optimizer.weight_decay, kNonNegative);
  visit("train.clip_norm", config.train.optimizer.clip_norm, kPositive);
  visit("train.shuffle", config.train.shuffle, kFlag);
  visit("train.bptt_len", config.train.bptt_len, kCount);
  visit("train.seed", config.train.seed, kSeed);
  visit("train.threads", config.train.threads, kThreads);
  visit("train.checkpoint_every_steps", config.train.checkpoint_every_steps, kCount);
  visit("train.checkpoint_every_minutes", config.train.checkpoint_every_minutes, kPositive);
  visit("output.dir", config.output_dir, kPath.must());
}

/// The optimizers by name.
inline constexpr std::pair<std::string_view, OptimizerConfig::Kind> kOptimizers[] = {
    {"sgd", OptimizerConfig::Kind::sgd},
    {"adam", OptimizerConfig::Kind::adam},
    {"adamw", OptimizerConfig::Kind::adamw}};

}  // namespace quadgate::apps
