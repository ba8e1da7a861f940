#include "apps/bench/scaling_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <numeric>

namespace quadgate::apps {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Spread& spread, double scale = 1) {
  return {{"median", spread.median * scale},
          {"q1", spread.q1 * scale},
          {"q3", spread.q3 * scale},
          {"min", spread.min * scale},
          {"max", spread.max * scale}};
}

template <typename Value>
Json json_of(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json json_of(const StepShape& shape) {
  return {{"seq_len", shape.seq_len},
          {"batch", shape.batch},
          {"cell", to_string(shape.cell)},
          {"proj_size", shape.proj_size},
          {"input_size", shape.input_size},
          {"hidden_size", shape.hidden_size},
          {"num_layers", shape.num_layers},
          {"bidirectional", shape.bidirectional},
          {"lengths", shape.lengths.empty() ? Json(nullptr) : Json(shape.lengths)}};
}

Json json_of(const Machine& machine) {
  return {{"cpu_model", machine.cpu_model},
          {"cpus", machine.cpus},
          {"cores", machine.cores},
          {"caches", machine.caches},
          {"numa_nodes", machine.numa_nodes},
          {"kernel", machine.kernel},
          {"isa", machine.isa},
          {"affinity", machine.affinity},
          {"cgroup_cpus", json_of(machine.cgroup_cpus)}};
}

Json json_of(const ScalingPoint& point) {
  Json phases = Json::object();
  for (std::size_t i = 0; i < kPhases; ++i) {
    const auto phase = static_cast<Phase>(i);
    phases[std::string(to_string(phase))] = phase_share(point, phase);
  }
  Json json = {{"threads", point.threads},
               {"batch", point.batch},
               {"steps", point.steps},
               {"step_ms", json_of(point.step_seconds, 1e3)},
               {"gflops", json_of(point.rate, 1e-9)},
               {"peak_gflops", json_of(point.peak, 1e-9)},
               {"peak_fraction", json_of(point.peak_share)},
               {"speed_up", json_of(point.speed_up)},
               {"efficiency", point.efficiency},
               {"peak_efficiency", point.peak_efficiency},
               {"efficiency_over_peak", point.efficiency_over_peak},
               {"phases", phases}};
  if (point.torch) {
    json["torch"] = {{"step_ms", json_of(point.torch->step_seconds, 1e3)},
                     {"speed_up", json_of(point.torch->speed_up)},
                     {"ratio", json_of(point.torch->ratio)}};
  }
  return json;
}

}  // namespace

double phase_share(const ScalingPoint& point, Phase phase) {
  const auto& seconds = point.phases.core_seconds;
  const double all = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  return all > 0 ? point.phases[phase] / all : 0;
}

std::string to_json(const ScalingReport& report) {
  const ScalingArguments& arguments = report.arguments;
  Json points = Json::array();
  for (const ScalingPoint& point : report.points) {
    points.push_back(json_of(point));
  }
  const Json json = {
      {"command", arguments.command_line},
      {"mode", arguments.weak ? "weak" : "strong"},
      {"shape", json_of(arguments.shape)},
      {"repeats", arguments.repeats},
      {"seconds", arguments.seconds},
      {"pinned", arguments.pin},
      {"backend", report.backend},
      {"precision", report.precision},
      {"machine", json_of(report.machine)},
      {"torch_version", report.torch_version.empty() ? Json(nullptr) : Json(report.torch_version)},
      {"torch_problem", report.torch_problem.empty() ? Json(nullptr) : Json(report.torch_problem)},
      {"fit", arguments.weak ? "gustafson" : "amdahl"},
      {"serial_fraction", json_of(report.serial_fraction)},
      {"points", points}};
  // What was typed may be no UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace quadgate::apps
