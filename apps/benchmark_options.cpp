#include "apps/benchmark_options.h"

#include <CLI/CLI.hpp>

namespace quadgate::apps {
namespace {

/// What bench and scale have in common: the shape of the step, and pinning.
void add_step(CLI::App& app, StepShape& shape, bool& pin) {
  const auto size = [&](const char* name, std::int64_t& field, const char* help,
                        const char* letter) {
    return app.add_option(name, field, help)->check(CLI::Range(1, 1 << 20))->type_name(letter);
  };
  size("--seq-len", shape.seq_len, "Steps of a sequence", "T")->required();
  size("--batch", shape.batch, "Sequences in a batch", "N")->required();
  size("--input-size", shape.input_size, "Features of a step", "I")->required();
  size("--hidden-size", shape.hidden_size, "Hidden units", "H")->required();
  size("--num-layers", shape.num_layers, "Layers", "L")->capture_default_str();
  app.add_option("--proj-size", shape.proj_size, "Features that an LSTM projects h to; 0: none")
      ->check(CLI::Range(0, 1 << 20))
      ->type_name("P");
  app.add_flag("--bidirectional", shape.bidirectional, "Both directions");
  app.add_option("--vocabulary", shape.vocabulary,
                 "Train a language model of V tokens: an embedding to I features, V classes; 0: "
                 "features")
      ->check(CLI::Range(0, 1 << 20))
      ->type_name("V");
  app.add_option("--lengths", shape.lengths, "Draw lengths from LO to HI, at most T")
      ->type_name("LO:HI");
  app.add_option_function<std::string>(
         "--cell", [&](const std::string& name) { shape.cell = parse_cell(name).value(); },
         "Recurrent cell: lstm, gru, rnn_tanh or rnn_relu")
      ->check(CLI::IsMember({"lstm", "gru", "rnn_tanh", "rnn_relu"}))
      ->default_str("lstm")
      ->type_name("CELL");
  app.add_option_function<std::string>(
         "--precision",
         [&](const std::string& name) { shape.options.precision = parse_precision(name).value(); },
         "Precision of the products: f32, or bf16 (mixed)")
      ->check(CLI::IsMember({"f32", "bf16"}))
      ->default_str("f32")
      ->type_name("PRECISION");
  app.add_option_function<std::string>(
         "--arithmetic",
         [&](const std::string& name) {
           shape.options.arithmetic = parse_arithmetic(name).value();
         },
         "bf16: fastest on this kind of CPU, or consistent, to the same bits on all")
      ->check(CLI::IsMember({"fastest", "consistent"}))
      ->default_str("fastest")
      ->type_name("ARITHMETIC");
  app.add_option_function<std::string>(
         "--backend",
         [&](const std::string& name) { shape.options.backend = parse_backend(name).value(); },
         "Backend: auto, onednn or native")
      ->check(CLI::IsMember({"auto", "onednn", "native"}))
      ->default_str("auto")
      ->type_name("BACKEND");
  app.add_option("--team", shape.options.team_size,
                 "Cores that share the same sequences, native backend; else by a cost model")
      ->type_name("K");
  app.add_flag("!--no-pin", pin,
               "Let the system move threads; else each keeps to a core of its own");
}

CLI::Option& add_seconds(CLI::App& app, double& seconds, const char* help) {
  return *app.add_option("--seconds", seconds, help)
              ->check(CLI::Range(0.0, 1e6))
              ->capture_default_str()
              ->type_name("S");
}

}  // namespace

void add_threads(CLI::App& app, std::optional<int>& threads) {
  app.add_option("--threads", threads,
                 "Threads to compute with; else the run file's, else SLURM_CPUS_PER_TASK, else the "
                 "physical cores that affinity and cgroup quota allow")
      ->type_name("K");
}

void add_bench(CLI::App& app, BenchArguments& arguments, Command& command) {
  CLI::App& bench = *app.add_subcommand(
      "bench",
      "Time whole training steps on random data: recurrent layers, a linear head to 10 classes at "
      "every step, cross-entropy, backward, clip 1.0, Adam");
  add_step(bench, arguments.shape, arguments.pin);
  bench.add_flag("--forward", arguments.shape.options.forward_only,
                 "Time the forward pass alone, up to the head's outputs");
  add_threads(bench, arguments.threads);
  add_seconds(bench, arguments.seconds, "Time to measure for, at least 5 steps");
  bench.add_flag("--json", arguments.json, "Print a JSON object");
  bench.callback([&] { command = [&] { return apps::bench(arguments); }; });
}

void add_scale(CLI::App& app, ScalingArguments& arguments, Command& command) {
  CLI::App& scale = *app.add_subcommand("scale",
                                        "Time the training step of bench at several numbers of "
                                        "threads, and of ranks below a launcher, "
                                        "and write a report");
  add_step(scale, arguments.shape, arguments.pin);
  CLI::Option* const threads =
      scale.add_option("--threads", arguments.threads, "Thread counts, such as 1,2,4")
          ->type_name("K,...");
  scale
      .add_option("--simulate", arguments.simulate,
                  "Numbers of threads, such as 16,64,128, whose step to predict from steps of one, "
                  "whether or not there are so many cores")
      ->type_name("K,...");
  scale
      .add_option("--ranks", arguments.ranks,
                  "Numbers of ranks, such as 1,2,4, of those that mpirun or srun started; each has "
                  "--threads, or its part of a node's cores")
      ->type_name("R,...");
  scale.add_flag(
      "--network", arguments.network,
      "Measure what the network between ranks takes, and predict the step of up to 1,024");
  scale
      .add_option_function<std::string>(
          "--mode", [&](const std::string& mode) { arguments.weak = mode == "weak"; },
          "strong: the same batch everywhere; weak: N rows for every thread, or with --ranks for "
          "every rank")
      ->check(CLI::IsMember({"strong", "weak"}))
      ->default_str("strong")
      ->type_name("MODE");
  scale
      .add_option("--repeats", arguments.repeats, "Rounds through the numbers of threads and ranks")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str()
      ->type_name("R");
  add_seconds(scale, arguments.seconds,
              "Time to measure for in each round at each number of threads and ranks, at least 5 "
              "steps");
  scale.add_option("-o,--output", arguments.output, "Report to write: .json or .html")
      ->required()
      ->type_name("OUT");
  CLI::Option* const compare =
      scale.add_option("--compare", "Measure PyTorch as well, in turns: torch")
          ->check(CLI::IsMember({"torch"}))
          ->type_name("PEER");
  scale.add_option("--python", arguments.python, "Python that has torch")
      ->capture_default_str()
      ->type_name("PROGRAM");
  scale.callback([&, threads, compare] {
    const bool on_ranks = !arguments.ranks.empty() || arguments.network;
    if (threads->count() == 0 && !on_ranks) throw CLI::RequiredError("--threads");
    arguments.compare_torch = compare->count() > 0;
    command = [&] { return apps::scaling_run(arguments); };
  });
}

}  // namespace quadgate::apps
