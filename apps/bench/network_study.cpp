#include "apps/bench/network_study.h"

#include <algorithm>

#include "apps/bench/network_probe.h"
#include "apps/bench/step_benchmark.h"
#include "engine/model/parameters.h"
#include "engine/training/make_backend.h"

namespace quadgate::apps {
namespace {

constexpr int kMostPredicted = 1024;

}  // namespace

StepShape shape_of_ranks(const ScalingArguments& arguments, int ranks) {
  StepShape shape = arguments.shape;
  if (arguments.weak) shape.batch *= ranks;
  return shape;
}

NetworkStudy::NetworkStudy(const ScalingArguments& arguments, int threads)
    : arguments_(arguments),
      threads_(threads),
      parameters_(static_cast<std::size_t>(count_parameters(model_of(arguments.shape)))) {
  const ModelConfig model = model_of(arguments.shape);
  const BackendKind asked = arguments.shape.options.backend;
  const BackendKind backend =
      asked == BackendKind::automatic ? choose_backend(model, arguments.shape.options) : asked;
  if (backend == BackendKind::native) layers_ = weights_of_layers(model);
  const std::int64_t batch = arguments.shape.batch;
  for (int ranks = 1; ranks <= kMostPredicted && (arguments.weak || ranks <= batch); ranks *= 2) {
    alone_.push_back({ranks, arguments.shape});
    if (arguments.weak) break;  // a rank has the same rows everywhere
    alone_.back().shape.batch = (batch + ranks - 1) / ranks;
  }
}

void NetworkStudy::add(int ranks, bool share_cores) {
  Check& check = checks_.emplace_back();
  check.share_cores = share_cores;
  check.steps.shape = shape_of_ranks(arguments_, ranks);
  check.steps.point.ranks = ranks;
  check.steps.point.threads = threads_;
  check.steps.point.batch = check.steps.shape.batch;
}

void NetworkStudy::measure(FirstRanks& first) {
  for (Check& check : checks_) {
    const int ranks = check.steps.point.ranks;
    first.run(ranks, [&](cluster::Communicator* some) {
      check.computations.push_back(
          measure_computation(*some, check.steps.shape, threads_, arguments_.seconds));
      check.networks.push_back(
          measure_network(*some, parameters_, StepBenchmark::shards_for(ranks)));
      apps::measure(check.steps, arguments_.seconds, Pinning::none, some);
    });
  }
  first.run(1, [&](cluster::Communicator*) {
    cluster::Communicator none;
    const double seconds = arguments_.seconds / static_cast<double>(alone_.size());
    for (Alone& alone : alone_) {
      alone.computations.push_back(measure_computation(none, alone.shape, threads_, seconds));
    }
  });
}

NetworkReport NetworkStudy::conclude(bool is_one_machine) {
  NetworkReport report;
  report.parameters = parameters_;
  report.threads = threads_;
  report.is_one_machine = is_one_machine;
  for (Check& check : checks_) report.checks.push_back(check_of(check));
  if (!checks_.empty()) predict(report);
  return report;
}

NetworkCheck NetworkStudy::check_of(Check& check) const {
  ScalingPoint& point = check.steps.point;
  summarize(point, check.steps.samples, point, check.steps.samples);
  NetworkCheck result;
  result.ranks = point.ranks;
  result.batch = point.batch;
  result.share_cores = check.share_cores;
  result.network = median_of(check.networks);
  result.computation = median_of(check.computations);
  result.predicted =
      predict_step(result.network,
                   exchange_work(parameters_, point.ranks, StepBenchmark::shards_for(point.ranks)),
                   point.ranks, result.computation, layers_);
  result.step_seconds = point.step_seconds;
  result.exchange_seconds = point.communication->exchange;
  return result;
}

/// With the constants of the check with the most ranks.
void NetworkStudy::predict(NetworkReport& report) const {
  double one = 0;  // rank's step
  for (int ranks = 1; ranks <= kMostPredicted; ranks *= 2) {
    const auto found = std::ranges::find(alone_, arguments_.weak ? 1 : ranks, &Alone::ranks);
    if (found == alone_.end()) return;
    NetworkPrediction& prediction = report.predictions.emplace_back();
    prediction.ranks = ranks;
    prediction.batch = shape_of_ranks(arguments_, ranks).batch;
    prediction.step =
        predict_step(report.checks.back().network, exchange_work(parameters_, ranks, ranks), ranks,
                     of_many(median_of(found->computations), ranks), layers_);
    const double seconds = prediction.step.step();
    if (ranks == 1) one = seconds;
    prediction.speed_up = one / seconds * (arguments_.weak ? ranks : 1);
    prediction.efficiency = prediction.speed_up / ranks;
  }
}

}  // namespace quadgate::apps
