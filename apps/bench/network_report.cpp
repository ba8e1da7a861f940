#include "apps/bench/network_report.h"

#include <fmt/format.h>

namespace quadgate::apps {
namespace {

/// The median over samples of what `field(sample)` is.
template <typename Sample, typename Field>
double median(const std::vector<Sample>& samples, Field field) {
  std::vector<double> values;
  values.reserve(samples.size());
  for (const Sample& sample : samples) values.push_back(field(sample));
  return spread_of(std::move(values)).median;
}

template <typename Select>
Link median_link(const std::vector<NetworkSpeed>& samples, Select select) {
  const auto of = [&](auto field) {
    return median(samples, [&](const NetworkSpeed& sample) { return select(sample).*field; });
  };
  return {of(&Link::others), of(&Link::latency), of(&Link::message), of(&Link::bandwidth)};
}

}  // namespace

NetworkSpeed median_of(const std::vector<NetworkSpeed>& samples) {
  NetworkSpeed speed;
  for (std::size_t step = 0; step < samples.front().halvings.size(); ++step) {
    speed.halvings.push_back(median_link(
        samples, [&](const NetworkSpeed& sample) -> const Link& { return sample.halvings[step]; }));
  }
  speed.group =
      median_link(samples, [](const NetworkSpeed& sample) -> const Link& { return sample.group; });
  speed.adder = median(samples, [](const NetworkSpeed& sample) { return sample.adder; });
  speed.call = median(samples, [](const NetworkSpeed& sample) { return sample.call; });
  return speed;
}

Computation median_of(const std::vector<Computation>& samples) {
  const auto of = [&](auto field) {
    return median(samples, [&](const Computation& sample) { return sample.*field; });
  };
  return {of(&Computation::seconds), of(&Computation::slowest), of(&Computation::sigma),
          of(&Computation::update),  of(&Computation::window),  of(&Computation::forward)};
}

std::vector<std::pair<std::string, Link>> links_of(const NetworkCheck& check) {
  std::vector<std::pair<std::string, Link>> links;
  for (std::size_t step = 0; step < check.network.halvings.size(); ++step) {
    links.emplace_back(fmt::format("ranks {} apart", 1 << step), check.network.halvings[step]);
  }
  const Link& group = check.network.group;
  if (group.latency > 0) links.emplace_back(fmt::format("among {} ranks", group.others + 1), group);
  return links;
}

std::string to_text(const NetworkReport& report) {
  std::string text;
  for (const NetworkCheck& check : report.checks) {
    const NetworkSpeed& network = check.network;
    text += fmt::format("network of {} ranks", check.ranks);
    for (const auto& [name, link] : links_of(check)) {
      text += fmt::format("; {}: latency {:.4g} us, {:.3g} us a message, {:.4g} MB/s both ways",
                          name, link.latency * 1e6, link.message * 1e6, link.bandwidth / 1e6);
    }
    text += fmt::format("; adder {:.3g} GB/s; {:.3g} us a call\n", 1e-9 / network.adder,
                        network.call * 1e6);
  }
  for (const NetworkCheck& check : report.checks) {
    text += fmt::format(
        "{} ranks{}: predicted {:.4g} ms a step, measured {:.4g} ms, error {:+.1f} %; an exchange "
        "alone {:.4g} ms, measured {:.4g} ms\n",
        check.ranks, check.share_cores ? ", which share cores" : "", check.predicted.step() * 1e3,
        check.step_seconds.median * 1e3, 100 * check.error(), check.predicted.exchange() * 1e3,
        check.exchange_seconds.median * 1e3);
  }
  for (const NetworkPrediction& prediction : report.predictions) {
    const StepPrediction& step = prediction.step;
    text += fmt::format(
        "prediction: {} rank{}: {:.4g} ms a step (computation {:.4g}, exchange {:.4g} of which "
        "{:.4g} hidden, slowest {:.4g}), {:.4g} times the speed of one, efficiency {:.3f}\n",
        prediction.ranks, prediction.ranks == 1 ? "" : "s", step.step() * 1e3,
        step.computation * 1e3, step.exchange() * 1e3, step.all_hidden() * 1e3, step.wait * 1e3,
        prediction.speed_up, prediction.efficiency);
  }
  return text;
}

}  // namespace quadgate::apps
