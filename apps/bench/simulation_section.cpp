#include "apps/bench/simulation_section.h"

#include <fmt/format.h>

#include "apps/bench/section_table.h"

namespace quadgate::apps {
namespace {

std::string meetings(const SimulationReport& report) {
  std::string rows;
  for (const Meeting& meeting : report.meetings) {
    rows += table_row(
        {fmt::to_string(meeting.cores), microseconds(meeting.join), microseconds(meeting.wait)});
  }
  return table("<th>threads</th><th>join, us</th><th>wait of<br>a team, us</th>", rows);
}

std::string checks(const SimulationReport& report) {
  std::string rows;
  for (const SimulationCheck& check : report.checks) {
    rows += table_row({fmt::to_string(check.threads), milliseconds(check.step_seconds.median),
                       milliseconds(check.predicted.step()),
                       fmt::format("{:+.1f} %", 100 * check.error())});
  }
  return table("<th>threads</th><th>step, ms:<br>measured</th><th>predicted</th><th>error</th>",
               rows);
}

std::string predictions(const SimulationReport& report) {
  std::string rows;
  for (const SimulationPrediction& prediction : report.predictions) {
    const SimulatedStep& step = prediction.step;
    rows += table_row({fmt::to_string(prediction.threads),
                       fmt::format("{} x {}", prediction.ranges, prediction.members),
                       milliseconds(step.step()), milliseconds(step.serial),
                       milliseconds(step.sequences), milliseconds(step.team_waits),
                       milliseconds(step.head), milliseconds(step.weight_gradients),
                       milliseconds(step.update), milliseconds(step.joins),
                       number(prediction.speed_up), fmt::format("{:.3f}", prediction.efficiency)});
  }
  return table(
      "<th>threads</th><th>ranges x<br>team</th><th>step, ms</th><th>serial</th>"
      "<th>+ sequences</th><th>+ teams'<br>waits</th><th>+ head</th><th>+ weight<br>gradients</th>"
      "<th>+ update</th><th>+ joins</th><th>speed-up</th><th>efficiency</th>",
      rows);
}

}  // namespace

std::string simulation_section(const SimulationReport& report) {
  return fmt::format(
      "<h2>Many threads</h2>\n<p>Measured: steps of one thread, with the batch and with as many "
      "sequences as a core has in a prediction, and what threads take to meet, fitted by {:.3g} us "
      "a join for each thread but one and {:.3g} us a wait of a team for each "
      "turn.</p>\n{}{}<h2>Predictions</h2>\n<p>"
      "Nothing of this table was measured with so many threads: the plan that the engine has for "
      "them was replayed with the costs of one. {}.</p>\n<div class=\"wide\">\n{}</div>\n",
      report.costs.join * 1e6, report.costs.wait * 1e6, meetings(report), checks(report),
      kNotSimulated, predictions(report));
}

}  // namespace quadgate::apps
