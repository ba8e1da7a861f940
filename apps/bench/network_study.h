#pragma once

#include <vector>

#include "apps/bench/first_ranks.h"
#include "apps/bench/network_report.h"
#include "apps/bench/scaling_run.h"
#include "apps/bench/scaling_series.h"

namespace quadgate::apps {

/// Strong scaling: the same batch at all ranks. Weak: rows for every rank.
StepShape shape_of_ranks(const ScalingArguments& arguments, int ranks);

/// Measures what steps of several ranks are made of, and predicts them.
class NetworkStudy {
 public:
  /// `arguments` must outlive it. Ranks of `threads` threads.
  NetworkStudy(const ScalingArguments& arguments, int threads);

  /// Compares with the step of so many ranks, two or more.
  void add(int ranks, bool share_cores);
  /// One more repeat. Collective, by all ranks of a run.
  void measure(FirstRanks& first);
  /// What rank 0 knows at the end.
  NetworkReport conclude(bool is_one_machine);

 private:
  /// A step of several ranks, repeat after repeat.
  struct Check {
    Series steps;
    bool share_cores = false;
    std::vector<NetworkSpeed> networks{};
    std::vector<Computation> computations{};
  };
  /// The computation of one rank with the rows that it has as one of so many.
  struct Alone {
    int ranks = 0;
    StepShape shape;
    std::vector<Computation> computations{};
  };

  NetworkCheck check_of(Check& check) const;
  void predict(NetworkReport& report) const;

  const ScalingArguments& arguments_;
  int threads_;
  std::size_t parameters_;
  std::vector<double> layers_;  // as weights_of_layers, if passes wait for them one by one
  std::vector<Check> checks_;
  std::vector<Alone> alone_;
};

}  // namespace quadgate::apps
