#include "apps/bench/simulation_report.h"

#include <fmt/format.h>

namespace quadgate::apps {

std::string to_text(const SimulationReport& report) {
  std::string text =
      report.meetings.empty() ? "no threads could meet: joins and waits cost 0\n" : "";
  for (const Meeting& meeting : report.meetings) {
    text += fmt::format("{} threads: {:.3g} us a join, {:.3g} us a wait of a team\n", meeting.cores,
                        meeting.join * 1e6, meeting.wait * 1e6);
  }
  for (const SimulationCheck& check : report.checks) {
    text += fmt::format(
        "{} thread{}: predicted {:.4g} ms a step, measured {:.4g} ms, error {:+.1f} %\n",
        check.threads, check.threads == 1 ? "" : "s", check.predicted.step() * 1e3,
        check.step_seconds.median * 1e3, 100 * check.error());
  }
  for (const SimulationPrediction& prediction : report.predictions) {
    const SimulatedStep& step = prediction.step;
    text += fmt::format(
        "prediction: {} thread{}: {:.4g} ms a step (serial {:.3g}, sequences {:.3g}, head {:.3g}, "
        "weight gradients {:.3g}, update {:.3g}, joins {:.3g}, teams' waits {:.3g}), {:.4g} times "
        "the speed of one, efficiency {:.3f}\n",
        prediction.threads, prediction.threads == 1 ? "" : "s", step.step() * 1e3,
        step.serial * 1e3, step.sequences * 1e3, step.head * 1e3, step.weight_gradients * 1e3,
        step.update * 1e3, step.joins * 1e3, step.team_waits * 1e3, prediction.speed_up,
        prediction.efficiency);
  }
  return text + kNotSimulated + ".\n";
}

}  // namespace quadgate::apps
