// Sweeps what a page of `quadgate scale` must hold, and what it must not, on a made-up report. No
// tolerance: text.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/bench/scaling_report.h"
#include "apps/common/embedded.h"

namespace quadgate::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t times = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++times;
  }
  return times;
}

/// The content of the element that starts with `start`.
std::string element(const std::string& page, const std::string& start, const std::string& end) {
  const std::size_t from = page.find(start) + start.size();
  return page.substr(from, page.find(end, from) - from);
}

ScalingReport made_up_report() {
  ScalingReport report;
  report.arguments.command_line = "quadgate scale -o '</script><b>&\xff.html'";
  report.arguments.shape = {.seq_len = 20,
                            .batch = 32,
                            .input_size = 64,
                            .hidden_size = 128,
                            .num_layers = 2,
                            .bidirectional = true,
                            .vocabulary = 1000,
                            .lengths = "5:20"};
  report.machine.cpu_model = "CPU <script>alert(1)</script>";
  report.machine.isa = "avx2";
  report.backend = "onednn";
  report.precision = "f32";
  report.serial_fraction = 0.0625;
  for (const int threads : {1, 2}) {
    ScalingPoint& point = report.points.emplace_back();
    point.threads = threads;
    point.step_seconds = {0.012345 / threads, 0.5, 0.5, 0.5, 0.5};
    point.phases[Phase::optimizer] = 1;
    point.phases[Phase::waiting] = 3;
  }
  return report;
}

TEST(ScalingPageTest, HoldsTheNumbersWithoutScripts) {
  const std::string page = to_html(made_up_report());
  EXPECT_THAT(page, HasSubstr("<td>12.35<br>"));
  EXPECT_THAT(page, HasSubstr("<td>6.173<br>"));
  EXPECT_THAT(page, HasSubstr("<td>waiting</td><td>75.0 %</td><td>75.0 %</td>"));
  EXPECT_THAT(page, HasSubstr("Serial fraction: 0.0625"));
  EXPECT_THAT(
      page,
      HasSubstr(
          "1000 words, lstm 64 -&gt; 2 x 128, bidirectional, 20 steps (lengths 5:20), batch 32"));
  EXPECT_THAT(page, HasSubstr("1 / S = f + (1 - f) / r"));
  EXPECT_THAT(page, Not(HasSubstr("PyTorch:")));
}

TEST(ScalingPageTest, NeedsNothingFromElsewhere) {
  const std::string page = to_html(made_up_report());
  for (const char* reference : {"src=", "href=", "@import", "url("}) {
    const std::string own =
        std::string(page).erase(page.find(embedded_chart_js()), embedded_chart_js().size());
    EXPECT_THAT(own, Not(HasSubstr(reference)));
  }
  EXPECT_THAT(page, HasSubstr("Released under the MIT License"));
}

TEST(ScalingPageTest, EscapesWhatComesFromOutside) {
  const ScalingReport report = made_up_report();
  const std::string page = to_html(report);
  EXPECT_THAT(page, HasSubstr("CPU &lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(page, HasSubstr("'&lt;/script&gt;&lt;b&gt;&amp;"));
  EXPECT_EQ(count(page, "<script"), 3);
  EXPECT_EQ(count(page, "</script>"), 3);
  const auto record = nlohmann::json::parse(
      element(page, R"(<script type="application/json" id="record">)", "</script>"));
  EXPECT_EQ(record, nlohmann::json::parse(to_json(report)));
  EXPECT_THAT(record["command"].get<std::string>(), HasSubstr("</script><b>&"));
}

TEST(ScalingPageTest, ShowsPytorchWhereItWasMeasured) {
  ScalingReport report = made_up_report();
  report.torch_version = "2.13.0+cpu";
  for (ScalingPoint& point : report.points) {
    point.torch.emplace().ratio.median = 2.5;
  }
  const std::string page = to_html(report);
  EXPECT_THAT(page, HasSubstr("<th>PyTorch:<br>step, ms</th>"));
  EXPECT_THAT(page, HasSubstr("<td>2.5<br>"));
  EXPECT_THAT(page, HasSubstr("PyTorch 2.13.0+cpu"));
}

TEST(ScalingPageTest, CallsPredictionsSo) {
  ScalingReport report = made_up_report();
  report.ranks = 4;
  report.points[1].ranks = 2;
  report.points[1].communication.emplace().traffic.bytes = 123456;
  report.left_out.emplace_back().ranks = 4;
  report.left_out.back().threads = 2;
  NetworkReport& network = report.network.emplace();
  network.is_one_machine = true;
  NetworkCheck& check = network.checks.emplace_back();
  check.ranks = 2;
  check.network.halvings.push_back({1, 30e-6, 1e-6, 25e6});
  check.network.adder = 1e-10;
  check.predicted.computation = 0.090;
  check.step_seconds.median = 0.100;
  check.exchange_seconds.median = 1;
  NetworkPrediction& prediction = network.predictions.emplace_back();
  prediction.ranks = 1024;
  prediction.step.computation = 0.0777;
  const std::string page = to_html(report);
  EXPECT_THAT(page, HasSubstr("<th>ranks x<br>threads</th>"));
  EXPECT_THAT(page, HasSubstr("<td>2 x 2</td>"));
  EXPECT_THAT(page, HasSubstr("<td>123456</td>"));
  EXPECT_THAT(page, HasSubstr("they would share cores: 4 ranks of 2 threads"));
  EXPECT_THAT(page, HasSubstr("<td>ranks 1 apart</td><td>30</td><td>1</td><td>25</td><td>10</td>"));
  EXPECT_THAT(page, HasSubstr("<td>100</td><td>90</td><td>-10.0 %</td>"));
  EXPECT_THAT(page, HasSubstr("<td>1024</td><td>0</td><td>77.7</td>"));
  EXPECT_GT(page.find("<td>1024</td>"), page.find("<h2>Predictions</h2>"));
  EXPECT_THAT(page, HasSubstr("All ranks are on one machine"));
  const auto record = nlohmann::json::parse(to_json(report));
  EXPECT_NEAR(record["network"]["checks"][0]["error"].get<double>(), -0.1, 1e-12);
  EXPECT_THAT(to_html(made_up_report()), Not(HasSubstr("<h2>Predictions</h2>")));
}

TEST(ScalingPageTest, CallsSimulatedThreadsSo) {
  ScalingReport report = made_up_report();
  SimulationReport& simulation = report.simulation.emplace();
  simulation.meetings.push_back({2, 5e-6, 0.25e-6});
  simulation.costs = {5e-6, 0.25e-6};
  SimulationCheck& check = simulation.checks.emplace_back();
  check.threads = 2;
  check.predicted.sequences = 0.090;
  check.step_seconds.median = 0.100;
  SimulationPrediction& prediction = simulation.predictions.emplace_back();
  prediction.threads = 128;
  prediction.ranges = 64;
  prediction.members = 2;
  prediction.step.serial = 0.0111;
  prediction.step.head = 0.0044;
  prediction.step.update = 0.0222;
  prediction.efficiency = 0.6543;
  const std::string page = to_html(report);
  EXPECT_THAT(page, HasSubstr("<td>2</td><td>5</td><td>0.25</td>"));
  EXPECT_THAT(page, HasSubstr("<td>2</td><td>100</td><td>90</td><td>-10.0 %</td>"));
  EXPECT_THAT(page, HasSubstr("<td>128</td><td>64 x 2</td><td>37.7</td><td>11.1</td>"));
  EXPECT_GT(page.find("<td>128</td>"), page.find("<h2>Predictions</h2>"));
  EXPECT_THAT(page, HasSubstr("Nothing of this table was measured"));
  EXPECT_THAT(page, HasSubstr("Not modelled: memory bandwidth"));
  const auto record = nlohmann::json::parse(to_json(report));
  EXPECT_NEAR(record["simulation"]["checks"][0]["error"].get<double>(), -0.1, 1e-12);
  EXPECT_NEAR(record["simulation"]["predictions"][0]["step_ms"].get<double>(), 37.7, 1e-9);
  EXPECT_TRUE(nlohmann::json::parse(to_json(made_up_report()))["simulation"].is_null());
}

}  // namespace
}  // namespace quadgate::apps
