#include "apps/exchange_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "apps/common/output_file.h"

namespace quadgate::apps {

namespace {

/// Adds an option NAME=PART, which may be given many times. take(NAME, PART) gets each.
template <typename Take>
void add_map(CLI::App& command, const std::string& help, const std::vector<std::string>& parts,
             Take take) {
  const auto take_all = [parts, take](const std::vector<std::string>& pairs) {
    for (const std::string& pair : pairs) {
      const std::size_t sign = pair.rfind('=');
      const std::string part = sign == std::string::npos ? "" : pair.substr(sign + 1);
      if (sign == 0 || std::ranges::find(parts, part) == parts.end()) {
        throw CLI::ValidationError(fmt::format(
            "--map: expected NAME=PART with a part of {}, found {}", fmt::join(parts, ", "), pair));
      }
      take(pair.substr(0, sign), part);
    }
  };
  command.add_option_function<std::vector<std::string>>("--map", take_all, help)
      ->allow_extra_args(false)
      ->type_name("NAME=PART");
}

/// What the file does not tell.
void add_import_choices(CLI::App& importing, ImportArguments& arguments) {
  ImportChoices& choices = arguments.choices;
  add_map(
      importing,
      "What a module of the file is: embedding, conv, rnn, head, or none, to leave it out",
      {"embedding", "conv", "rnn", "head", "none"},
      [&choices](const std::string& name, const std::string& part) { choices.parts[name] = part; });
  importing
      .add_option_function<std::string>(
          "--nonlinearity",
          [&choices](const std::string& name) {
            choices.nonlinearity = name == "relu" ? Cell::rnn_relu : Cell::rnn_tanh;
          },
          "tanh or relu, of a plain RNN")
      ->check(CLI::IsMember({"tanh", "relu"}))
      ->type_name("NAME");
  importing
      .add_option_function<std::string>(
          "--pooling",
          [&choices](const std::string& name) { choices.pooling = parse_pooling(name); },
          "last, mean or max: what the head reads of a sequence's steps")
      ->check(CLI::IsMember({"last", "mean", "max"}))
      ->type_name("NAME");
  importing
      .add_option("--task", choices.task,
                  "classification, tagging, regression or language_model, where the file does not "
                  "tell it")
      ->check(CLI::IsMember({"classification", "tagging", "regression", "language_model"}))
      ->type_name("TASK");
  importing
      .add_option("--vocabulary", arguments.vocabulary,
                  "Names of the tokens: a text file, a line each, or .json")
      ->type_name("FILE");
  importing.add_option("--classes", arguments.classes, "Likewise of the classes")
      ->type_name("FILE");
  CLI::Option& like = *importing.add_option("--like", arguments.like,
                                            "A data set or checkpoint that tells task, names and "
                                            "scale of the data that the model is for");
  like.type_name("FILE");
  for (const char* option : {"--task", "--vocabulary", "--classes"}) {
    like.excludes(importing.get_option(option));
  }
}

}  // namespace

void add_export(CLI::App& app, ExportArguments& arguments, Command& command) {
  CLI::App& exporting = *app.add_subcommand("export", "Write a model for PyTorch and others");
  exporting.add_option("checkpoint", arguments.checkpoint, "Checkpoint of the model")
      ->required()
      ->type_name("CHECKPOINT");
  exporting
      .add_option(
          "-o,--output", arguments.output,
          "File to write: .pt, .safetensors, .onnx, .weights.h5 (Keras), or .h5 without the "
          "training state")
      ->required()
      ->type_name("MODEL");
  exporting
      .add_option_function<std::string>(
          "--only", [&arguments](const std::string&) { arguments.only_rnn = true; },
          "rnn: only the recurrent layers, under the names of a bare torch.nn.LSTM, GRU or RNN")
      ->check(CLI::IsMember({"rnn"}))
      ->type_name("PART");
  add_map(exporting,
          "What a part of the model is called in a .pt or .safetensors file: embedding, conv, rnn, "
          "head, crf or norm; the file then has no description of quadgate's",
          {"embedding", "conv", "rnn", "head", "crf", "norm"},
          [&arguments](const std::string& name, const std::string& part) {
            arguments.names[part] = name;
          });
  exporting.add_flag("--standardized", arguments.standardized,
                     "Values go in and out as the model was trained on, not in the units of the "
                     "data (.onnx, .weights.h5)");
  exporting.add_flag("--probabilities", arguments.probabilities,
                     "Probabilities of the classes come out, not logits (.onnx)");
  exporting.add_flag("--force", arguments.force, kForceHelp);
  exporting.callback([&] {
    command = [&] {
      export_model(arguments);
      return kExitDone;
    };
  });
}

void add_import(CLI::App& app, ImportArguments& arguments, Command& command) {
  CLI::App& importing = *app.add_subcommand(
      "import", "Make a checkpoint of a model of PyTorch and others, to start from with init");
  importing
      .add_option(
          "model", arguments.input,
          "state_dict or a checkpoint with one (.pt, .pth, .ckpt, .bin, .pth.tar), .safetensors, "
          ".onnx, .h5, Keras weights (.weights.h5) or model (.keras)")
      ->required()
      ->type_name("MODEL");
  importing.add_option("-o,--output", arguments.output, "Checkpoint to write")
      ->required()
      ->type_name("CHECKPOINT");
  add_import_choices(importing, arguments);
  importing.add_flag("--force", arguments.force, kForceHelp);
  importing.callback([&] {
    command = [&] {
      import_model(arguments);
      return kExitDone;
    };
  });
}

}  // namespace quadgate::apps
