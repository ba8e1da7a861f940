#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace quadgate {

/// The learning rate through a training. Definitions, names and defaults are those of
/// torch.optim.lr_scheduler (https://docs.pytorch.org/docs/2.13/optim.html).
struct ScheduleConfig {
  enum class Kind : std::uint8_t {
    constant,           ///< stays as it is
    step,               ///< StepLR, an epoch
    cosine,             ///< CosineAnnealingLR, an epoch
    one_cycle,          ///< OneCycleLR with cosines and cycle_momentum=False, an update
    reduce_on_plateau,  ///< ReduceLROnPlateau on the validation loss, an epoch
  };

  Kind kind = Kind::constant;
  /// N: the first N updates have 1/N, 2/N, ... of the learning rate that the kind says. For step,
  /// and for cosine with eta_min = 0, this is LinearLR(start_factor=1/N, total_iters=N-1), an
  /// update, chained with the schedule.
  std::int64_t warmup_steps = 0;
  std::optional<std::int64_t> step_size{};    ///< step: epochs between two changes; needed
  double gamma = 0.1;                         ///< step: factor of a change
  std::optional<std::int64_t> t_max{};        ///< cosine: epochs until eta_min; needed
  double eta_min = 0;                         ///< cosine: smallest learning rate
  std::optional<double> max_lr{};             ///< one_cycle: the top; empty: the optimizer's lr
  std::optional<std::int64_t> total_steps{};  ///< one_cycle: updates in all; needed
  double pct_start = 0.3;                     ///< one_cycle: share of the updates before the top
  double div_factor = 25;                     ///< one_cycle: max_lr / the first learning rate
  double final_div_factor = 1e4;              ///< one_cycle: the first learning rate / the last
  double factor = 0.1;                        ///< reduce_on_plateau: factor of a change
  std::int64_t patience = 10;                 ///< reduce_on_plateau: bad epochs that are tolerated
  double threshold = 1e-4;  ///< reduce_on_plateau: a better loss is below best * (1 - threshold)
};

/// "constant", "step", "cosine", "one_cycle" or "reduce_on_plateau".
std::string_view to_string(ScheduleConfig::Kind kind) noexcept;
/// The inverse of to_string. Empty for any other text.
std::optional<ScheduleConfig::Kind> parse_schedule(std::string_view text) noexcept;

/// Throws InvalidArgument, with PyTorch's name of the field, unless every number is finite and in
/// its range, and the kind has what it needs.
void validate(const ScheduleConfig& config);

/// Counts the epochs since a loss got better, as ReduceLROnPlateau does (mode "min", relative).
struct Plateau {
  double best = std::numeric_limits<double>::infinity();
  std::int64_t num_bad_epochs = 0;  ///< since `best`

  bool operator==(const Plateau&) const = default;
  /// Takes an epoch's loss: better if below best * (1 - threshold).
  void add(double loss, double threshold) noexcept;
};

/// The learning rate of every update.
class Schedule {
 public:
  /// What reduce_on_plateau remembers between epochs. The other kinds remember nothing.
  struct State {
    double lr_scale = 1;  ///< product of the reductions so far
    Plateau plateau{};

    bool operator==(const State&) const = default;
  };

  /// `lr` is the optimizer's. Throws InvalidArgument (see validate).
  Schedule(const ScheduleConfig& config, double lr);

  /// The learning rate of update `step` in `epoch`, both counted from 0. one_cycle keeps its last
  /// one from total_steps on.
  double lr(std::int64_t epoch, std::int64_t step) const noexcept;
  /// Takes the validation loss at the end of an epoch.
  void finish_epoch(double loss) noexcept;

  const State& state() const noexcept { return state_; }
  void set_state(const State& state) noexcept { state_ = state; }

 private:
  double one_cycle(std::int64_t step) const noexcept;

  ScheduleConfig config_;
  double lr_;
  State state_;
};

}  // namespace quadgate
