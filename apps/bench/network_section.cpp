#include "apps/bench/network_section.h"

#include <fmt/format.h>

#include "apps/bench/section_table.h"

namespace quadgate::apps {
namespace {

std::string constants(const NetworkReport& report) {
  std::string rows;
  for (const NetworkCheck& check : report.checks) {
    for (const auto& [name, link] : links_of(check)) {
      rows += table_row({fmt::to_string(check.ranks), name, microseconds(link.latency),
                         microseconds(link.message), number(link.bandwidth / 1e6),
                         number(1e-9 / check.network.adder), microseconds(check.network.call)});
    }
  }
  return table(
      "<th>ranks</th><th>between</th><th>latency,<br>us</th><th>each further<br>message, us</th>"
      "<th>both ways<br>at once, MB/s</th><th>adder,<br>GB/s</th><th>call, us</th>",
      rows);
}

std::string checks(const NetworkReport& report) {
  std::string rows;
  for (const NetworkCheck& check : report.checks) {
    rows += table_row(
        {fmt::format("{}{}", check.ranks, check.share_cores ? " (share cores)" : ""),
         milliseconds(check.step_seconds.median), milliseconds(check.predicted.step()),
         fmt::format("{:+.1f} %", 100 * check.error()), milliseconds(check.exchange_seconds.median),
         milliseconds(check.predicted.exchange()),
         fmt::format("{:+.1f} %", 100 * check.exchange_error())});
  }
  return table(
      "<th>ranks</th><th>step, ms:<br>measured</th><th>predicted</th><th>error</th>"
      "<th>exchange alone,<br>ms: measured</th><th>predicted</th><th>error</th>",
      rows);
}

std::string predictions(const NetworkReport& report) {
  std::string rows;
  for (const NetworkPrediction& prediction : report.predictions) {
    const StepPrediction& step = prediction.step;
    rows += table_row({fmt::to_string(prediction.ranks), fmt::to_string(prediction.batch),
                       milliseconds(step.step()), milliseconds(step.computation),
                       milliseconds(step.wait), milliseconds(step.reduce_scatter),
                       milliseconds(step.hidden), milliseconds(step.records),
                       milliseconds(step.all_gather), milliseconds(step.gather_hidden),
                       number(prediction.speed_up), fmt::format("{:.3f}", prediction.efficiency)});
  }
  return table(
      "<th>ranks</th><th>batch</th><th>step, ms</th><th>computation</th><th>+ slowest</th>"
      "<th>+ reduce-<br>scatter</th><th>- hidden</th><th>+ records</th><th>+ "
      "all-<br>gather</th><th>- hidden</th>"
      "<th>speed-up</th><th>efficiency</th>",
      rows);
}

}  // namespace

std::string network_section(const NetworkReport& report) {
  const char* const where = report.is_one_machine
                                ? " All ranks are on one machine: the predictions are of a network "
                                  "as fast as between them."
                                : "";
  return fmt::format(
      "<h2>Network</h2>\n<p>{} weights, ranks of {} thread{}. Measured by ping-pongs and exchanges "
      "in the pieces of a step's exchange, by all ranks at once; the computation of a rank while "
      "the others compute.{}</p>\n{}{}<h2>Predictions</h2>\n<p>Nothing of this table was measured "
      "with so many ranks. The computation is that of one rank with the rows that it would have; "
      "the exchange is predicted from the constants above, those of the most ranks.</p>\n<div "
      "class=\"wide\">\n{}</div>\n",
      report.parameters, report.threads, report.threads == 1 ? "" : "s", where, constants(report),
      checks(report), predictions(report));
}

}  // namespace quadgate::apps
