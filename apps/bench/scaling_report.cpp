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
          {"vocabulary", shape.vocabulary},
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

Json json_of(const ScalingPoint::Communication& communication) {
  const StepTraffic& traffic = communication.traffic;
  return {{"exchange_ms", json_of(communication.exchange, 1e3)},
          {"exposed_ms", json_of(communication.exposed, 1e3)},
          {"hidden_ms", json_of(communication.hidden, 1e3)},
          {"sent_bytes_per_step", traffic.bytes},
          {"messages_per_step", traffic.messages},
          {"small_bytes_per_step", traffic.small_bytes},
          {"small_messages_per_step", traffic.small_messages}};
}

Json json_of(const Link& link) {
  return {{"latency_us", link.latency * 1e6},
          {"message_us", link.message * 1e6},
          {"bytes_per_s", link.bandwidth}};
}

Json json_of(const StepPrediction& step) {
  return {{"step_ms", step.step() * 1e3},
          {"computation_ms", step.computation * 1e3},
          {"wait_for_slowest_ms", step.wait * 1e3},
          {"reduce_scatter_ms", step.reduce_scatter * 1e3},
          {"reduce_scatter_hidden_ms", step.hidden * 1e3},
          {"records_ms", step.records * 1e3},
          {"all_gather_ms", step.all_gather * 1e3},
          {"all_gather_hidden_ms", step.gather_hidden * 1e3}};
}

Json json_of(const NetworkCheck& check) {
  Json links = Json::object();
  for (const auto& [name, link] : links_of(check)) links[name] = json_of(link);
  return {{"ranks", check.ranks},
          {"batch", check.batch},
          {"share_cores", check.share_cores},
          {"links", links},
          {"adder_bytes_per_s", 1 / check.network.adder},
          {"call_us", check.network.call * 1e6},
          {"window_ms", check.computation.window * 1e3},
          {"prediction", json_of(check.predicted)},
          {"step_ms", json_of(check.step_seconds, 1e3)},
          {"exchange_ms", json_of(check.exchange_seconds, 1e3)},
          {"error", check.error()},
          {"exchange_error", check.exchange_error()}};
}

Json json_of(const NetworkReport& network) {
  Json checks = Json::array();
  for (const NetworkCheck& check : network.checks) checks.push_back(json_of(check));
  Json predictions = Json::array();
  for (const NetworkPrediction& prediction : network.predictions) {
    Json json = {{"ranks", prediction.ranks}, {"batch", prediction.batch}};
    json.update(json_of(prediction.step));
    json["speed_up"] = prediction.speed_up;
    json["efficiency"] = prediction.efficiency;
    predictions.push_back(json);
  }
  return {{"parameters", network.parameters},
          {"threads", network.threads},
          {"one_machine", network.is_one_machine},
          {"checks", checks},
          {"predictions", predictions}};
}

Json json_of(const SimulatedStep& step) {
  return {
      {"step_ms", step.step() * 1e3},         {"serial_ms", step.serial * 1e3},
      {"sequences_ms", step.sequences * 1e3}, {"team_waits_ms", step.team_waits * 1e3},
      {"head_ms", step.head * 1e3},           {"weight_gradients_ms", step.weight_gradients * 1e3},
      {"update_ms", step.update * 1e3},       {"joins_ms", step.joins * 1e3}};
}

Json json_of(const SimulationReport& simulation) {
  Json meetings = Json::array();
  for (const Meeting& meeting : simulation.meetings) {
    meetings.push_back({{"threads", meeting.cores},
                        {"join_us", meeting.join * 1e6},
                        {"wait_us", meeting.wait * 1e6}});
  }
  Json checks = Json::array();
  for (const SimulationCheck& check : simulation.checks) {
    checks.push_back({{"threads", check.threads},
                      {"prediction", json_of(check.predicted)},
                      {"step_ms", json_of(check.step_seconds, 1e3)},
                      {"error", check.error()}});
  }
  Json predictions = Json::array();
  for (const SimulationPrediction& prediction : simulation.predictions) {
    Json json = {{"threads", prediction.threads},
                 {"ranges", prediction.ranges},
                 {"team", prediction.members}};
    json.update(json_of(prediction.step));
    json["speed_up"] = prediction.speed_up;
    json["efficiency"] = prediction.efficiency;
    predictions.push_back(json);
  }
  return {{"meetings", meetings},
          {"join_us_per_thread", simulation.costs.join * 1e6},
          {"wait_us_per_thread", simulation.costs.wait * 1e6},
          {"not_modelled", kNotSimulated},
          {"checks", checks},
          {"predictions", predictions}};
}

Json json_of(const ScalingPoint& point) {
  Json phases = Json::object();
  for (std::size_t i = 0; i < kPhases; ++i) {
    const auto phase = static_cast<Phase>(i);
    phases[std::string(to_string(phase))] = phase_share(point, phase);
  }
  Json json = {{"ranks", point.ranks},
               {"threads", point.threads},
               {"batch", point.batch},
               {"steps", point.steps},
               {"step_ms", json_of(point.step_seconds, 1e3)},
               {"steps_per_s", 1 / point.step_seconds.median},
               {"gflops", json_of(point.rate, 1e-9)},
               {"peak_gflops", json_of(point.peak, 1e-9)},
               {"peak_fraction", json_of(point.peak_share)},
               {"speed_up", json_of(point.speed_up)},
               {"efficiency", point.efficiency},
               {"peak_efficiency", point.peak_efficiency},
               {"efficiency_over_peak", point.efficiency_over_peak},
               {"phases", phases}};
  if (point.communication) json["communication"] = json_of(*point.communication);
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

std::string to_table(const ScalingReport& report) {
  std::string table = fmt::format(
      "{:>5} {:>7} {:>6} {:>21} {:>8} {:>8} {:>10} {:>7} {:>21} {:>9} {:>11} {:>8}\n", "ranks",
      "threads", "batch", "step, ms (quartiles)", "steps/s", "speed-up", "efficiency", "of peak",
      "exchange, ms: waited", "+ hidden", "bytes sent", "messages");
  for (const ScalingPoint& point : report.points) {
    const auto communication = point.communication.value_or(ScalingPoint::Communication{});
    table += fmt::format(
        "{:>5} {:>7} {:>6} {:>21} {:>8.4g} {:>8.3f} {:>10.3f} {:>7.3f} {:>21.4g} {:>9.4g} {:>11} "
        "{:>8}\n",
        point.ranks, point.threads, point.batch,
        fmt::format("{:.4g} ({:.4g}-{:.4g})", point.step_seconds.median * 1e3,
                    point.step_seconds.q1 * 1e3, point.step_seconds.q3 * 1e3),
        1 / point.step_seconds.median, point.speed_up.median, point.efficiency,
        point.peak_share.median, communication.exposed.median * 1e3,
        communication.hidden.median * 1e3, communication.traffic.bytes,
        communication.traffic.messages);
  }
  return table;
}

std::string to_json(const ScalingReport& report) {
  const ScalingArguments& arguments = report.arguments;
  Json points = Json::array();
  for (const ScalingPoint& point : report.points) {
    points.push_back(json_of(point));
  }
  Json left_out = Json::array();
  for (const ScalingPoint& point : report.left_out) {
    left_out.push_back({{"ranks", point.ranks}, {"threads", point.threads}});
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
      {"points", points},
      {"launched_ranks", report.ranks},
      {"machines", report.machines},
      {"left_out", left_out},
      {"network", report.network ? json_of(*report.network) : Json(nullptr)},
      {"simulation", report.simulation ? json_of(*report.simulation) : Json(nullptr)}};
  // What was typed may be no UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace quadgate::apps
