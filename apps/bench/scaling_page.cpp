#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "apps/bench/network_section.h"
#include "apps/bench/scaling_report.h"
#include "apps/bench/simulation_section.h"
#include "apps/common/embedded.h"
#include "apps/common/html_page.h"

namespace quadgate::apps {
namespace {

std::string cell(std::string_view content) { return fmt::format("<td>{}</td>", content); }

/// The median, and below it the quartiles and extremes.
std::string cell(const Spread& spread, double scale = 1) {
  return cell(fmt::format("{:.4g}<br><small>{:.4g} - {:.4g}<br>[{:.4g} - {:.4g}]</small>",
                          spread.median * scale, spread.q1 * scale, spread.q3 * scale,
                          spread.min * scale, spread.max * scale));
}

std::string row(std::string_view cells) { return fmt::format("<tr>{}</tr>\n", cells); }

std::string cores_of(const ScalingPoint& point, const ScalingReport& report) {
  return report.ranks > 0 ? fmt::format("{} x {}", point.ranks, point.threads)
                          : fmt::to_string(point.threads);
}

std::string communication_cells(const ScalingPoint& point) {
  if (!point.communication) return cell("") + cell("") + cell("") + cell("") + cell("");
  const ScalingPoint::Communication& communication = *point.communication;
  return cell(communication.exchange, 1e3) + cell(communication.exposed, 1e3) +
         cell(communication.hidden, 1e3) + cell(fmt::to_string(communication.traffic.bytes)) +
         cell(fmt::to_string(communication.traffic.messages));
}

std::string point_rows(const ScalingReport& report) {
  std::string rows;
  for (const ScalingPoint& point : report.points) {
    std::string cells = cell(cores_of(point, report)) + cell(fmt::to_string(point.batch)) +
                        cell(point.step_seconds, 1e3) + cell(point.speed_up);
    for (const double value :
         {point.efficiency, point.peak_efficiency, point.efficiency_over_peak}) {
      cells += cell(fmt::format("{:.3f}", value));
    }
    cells += cell(point.rate, 1e-9) + cell(point.peak, 1e-9) + cell(point.peak_share) +
             cell(fmt::to_string(point.steps));
    if (report.ranks > 0) cells += communication_cells(point);
    if (point.torch) {
      cells += cell(point.torch->step_seconds, 1e3) + cell(point.torch->speed_up) +
               cell(point.torch->ratio);
    }
    rows += row(cells);
  }
  return rows;
}

std::string phase_table(const ScalingReport& report) {
  std::string head = "<th>phase</th>";
  for (const ScalingPoint& point : report.points) {
    head += fmt::format("<th>{}</th>", name_of(point, report.ranks > 0));
  }
  std::string rows;
  for (std::size_t i = 0; i < kPhases; ++i) {
    const auto phase = static_cast<Phase>(i);
    std::string name(to_string(phase));
    std::replace(name.begin(), name.end(), '_', ' ');
    std::string cells = cell(name);
    for (const ScalingPoint& point : report.points) {
      cells += cell(fmt::format("{:.1f} %", 100 * phase_share(point, phase)));
    }
    rows += row(cells);
  }
  return fmt::format("<table>\n<thead>{}</thead>\n<tbody>\n{}</tbody>\n</table>", row(head), rows);
}

std::string machine_rows(const ScalingReport& report) {
  const Machine& machine = report.machine;
  std::string rows;
  const auto add = [&](std::string_view name, std::string_view value) {
    rows += row(cell(name) + cell(escape_html(value)));
  };
  add("CPU", machine.cpu_model);
  add("CPUs online", fmt::format("{}, of {} physical cores", machine.cpus, machine.cores));
  add("caches", fmt::format("{}", fmt::join(machine.caches, "; ")));
  add("NUMA nodes", fmt::to_string(machine.numa_nodes));
  add("instruction set used", machine.isa);
  add("affinity", fmt::format("CPUs {}", fmt::join(machine.affinity, ", ")));
  add("cgroup quota", machine.cgroup_cpus ? fmt::format("{} CPUs", *machine.cgroup_cpus) : "none");
  add("threads", report.arguments.pin ? "pinned, one to a physical core as long as there are any"
                 : report.ranks > 0   ? "where the launcher left them"
                                      : "not pinned");
  add("system", machine.kernel);
  return rows;
}

std::string describe(const StepShape& shape) {
  return fmt::format("{}{} {} -> {} x {}{}, {} steps{}, batch {}",
                     shape.vocabulary > 0 ? fmt::format("{} words, ", shape.vocabulary) : "",
                     to_string(shape.cell), shape.input_size, shape.num_layers, shape.hidden_size,
                     shape.bidirectional ? ", bidirectional" : "", shape.seq_len,
                     shape.lengths.empty() ? "" : " (lengths " + shape.lengths + ")", shape.batch);
}

std::string mode_of(const ScalingArguments& arguments, bool ranks) {
  if (!arguments.weak) {
    return ranks ? "strong scaling: the same batch at all ranks and threads"
                 : "strong scaling: the same batch at every thread count";
  }
  return fmt::format("weak scaling: this batch for every {}", ranks ? "rank" : "thread");
}

std::string left_out_of(const ScalingReport& report) {
  if (report.left_out.empty()) return "";
  std::vector<std::string> names;
  for (const ScalingPoint& point : report.left_out) names.push_back(name_of(point, true));
  return fmt::format(". Left out, since they would share cores: {}", fmt::join(names, ", "));
}

constexpr std::string_view kRanksNote =
    "<p>Ranks that took no part slept. A step waits for an exchange as long as the rank does that\n"
    "waits least, the last to have computed; the exchange alone, which ranks that compute nothing\n"
    "made in turns with the steps, is hidden for the rest. Core times are those of rank 0, "
    "without\n"
    "what it waits for others.</p>\n";

std::string fit_of(bool weak) {
  return weak ? "The serial fraction f is that of Gustafson's law, S = r - f (r - 1), for the "
                "speed-up S at r times the threads, fitted by least squares to the medians."
              : "The serial fraction f is that of Amdahl's law, 1 / S = f + (1 - f) / r, for the "
                "speed-up S at r times the threads, fitted by least squares to the medians.";
}

}  // namespace

std::string to_html(const ScalingReport& report) {
  const ScalingArguments& arguments = report.arguments;
  const bool torch = !report.torch_version.empty();
  const bool ranks = report.ranks > 0;
  return fill_page(
      embedded_scaling_page(),
      {{"shape", escape_html(describe(arguments.shape))},
       {"title",
        ranks ? "Scaling of a training step over ranks" : "Thread scaling of a training step"},
       {"first_head", ranks ? "ranks x<br>threads" : "threads"},
       {"counts", ranks ? "numbers of ranks and threads" : "thread counts"},
       {"mode", mode_of(arguments, ranks)},
       {"left_out", left_out_of(report)},
       {"network", report.network ? network_section(*report.network) : ""},
       {"simulation", report.simulation ? simulation_section(*report.simulation) : ""},
       {"ranks_note", ranks ? std::string(kRanksNote) : ""},
       {"communication_head", ranks ? "<th>exchange<br>alone, ms</th><th>waited<br>for, ms</th>"
                                      "<th>hidden,<br>ms</th><th>bytes sent<br>by a rank</th>"
                                      "<th>messages</th>"
                                    : ""},
       {"command", escape_html(arguments.command_line)},
       {"torch_head",
        torch
            ? "<th>PyTorch:<br>step, ms</th><th>its<br>speed-up</th><th>its step<br>over ours</th>"
            : ""},
       {"points", point_rows(report)},
       {"serial_fraction", report.serial_fraction ? fmt::format("{:.4f}", *report.serial_fraction)
                                                  : "needs more than one number of cores"},
       {"phases", phase_table(report)},
       {"machine", machine_rows(report)},
       {"repeats", fmt::to_string(arguments.repeats)},
       {"fit", fit_of(arguments.weak)},
       {"versions",
        escape_html(fmt::format("Backend {}, precision {}{}{}.", report.backend, report.precision,
                                torch ? "; PyTorch " : (report.torch_problem.empty() ? "" : "; "),
                                torch ? report.torch_version : report.torch_problem))},
       {"record", escape_json(to_json(report))},
       {"chart_script", chart_script()}});
}

}  // namespace quadgate::apps
