#include "apps/exchange_options.h"

#include <CLI/CLI.hpp>
#include <string>

namespace quadgate::apps {

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
          "state_dict (.pt, .pth), .safetensors, .onnx, .h5, or Keras weights (.weights.h5)")
      ->required()
      ->type_name("MODEL");
  importing.add_option("-o,--output", arguments.output, "Checkpoint to write")
      ->required()
      ->type_name("CHECKPOINT");
  importing.callback([&] {
    command = [&] {
      import_model(arguments);
      return kExitDone;
    };
  });
}

}  // namespace quadgate::apps
