#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/config.h"
#include "engine/model/network_options.h"

/// The subcommands of the program. Each takes what was typed, prints to stdout and stderr, and
/// throws the library's errors; main() turns those into one line and an exit code.
namespace quadgate::apps {

/// Exit codes of the program, a contract.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitWrongUse = 2;
inline constexpr int kExitStopped = 75;  ///< by a signal, after saving: run again with --resume

/// What the chosen subcommand runs; its exit code.
using Command = std::function<int()>;

struct PrepareArguments {
  std::vector<std::filesystem::path>
      inputs;  ///< idx: images and labels; ts, csv, npz: one file; else many
  std::vector<std::filesystem::path> valid;  ///< as `inputs`, or empty
  std::vector<std::filesystem::path> test;   ///< as `inputs`, or empty
  std::filesystem::path output;
  double valid_fraction = 0;
  double test_fraction = 0;
  bool standardize = false;
  bool gzip = false;
  std::vector<std::string> columns;   ///< this and the next six: of csv
  std::string time;                   ///< column
  std::string group;                  ///< column
  std::string delimiter;              ///< one character or "tab"; empty: as the file looks
  std::string decimal;                ///< "." or ","; empty: as the file looks
  std::string missing = "error";      ///< or "drop", "forward", "mean"
  std::string valid_from, test_from;  ///< times; empty: rows are not divided by time
  std::string level;  ///< of text and conllu: "characters" or "words"; empty: the kind's own
  std::optional<std::int64_t>
      min_count;  ///< of text and conllu; empty: 2, for characters of text 1
};

void prepare_idx(const PrepareArguments& arguments);
void prepare_ts(const PrepareArguments& arguments);
void prepare_csv(const PrepareArguments& arguments);
void prepare_npz(const PrepareArguments& arguments);
void prepare_conllu(const PrepareArguments& arguments);
void prepare_text(const PrepareArguments& arguments);

struct TrainArguments {
  std::filesystem::path run_file;
  std::vector<std::string> overrides;  ///< "KEY=VALUE"
  std::optional<int> threads;
  bool resume = false;
  bool quiet = false;
  bool json = false;
};

/// Returns kExitDone or kExitStopped.
int train(const TrainArguments& arguments);

struct EvaluateArguments {
  std::filesystem::path checkpoint;
  std::vector<std::filesystem::path> data;  ///< files of one data set
  std::string split = "test";
  std::optional<int> threads;
  bool json = false;
};

void evaluate(const EvaluateArguments& arguments);

struct GenerateArguments {
  std::filesystem::path checkpoint;
  std::string prompt;  ///< what the text begins with
  std::int64_t length = 500;
  double temperature = 1;
  std::uint64_t seed = 1;
};

/// Prints text that a language model makes up.
void generate(const GenerateArguments& arguments);

struct TagArguments {
  std::filesystem::path checkpoint;
  std::filesystem::path input = "/dev/stdin";
  std::optional<int> threads;
};

/// Prints the sentences of a text, a line each, with a tag a word.
void tag(const TagArguments& arguments);

struct PredictArguments {
  std::filesystem::path checkpoint;
  std::vector<std::filesystem::path> data;  ///< files of one data set
  std::string split = "test";
  std::filesystem::path output;  ///< .csv or .h5
  std::optional<int> threads;
};

void predict(const PredictArguments& arguments);

struct ExportArguments {
  std::filesystem::path checkpoint;
  std::filesystem::path output;  ///< .pt, .safetensors, .onnx, .h5 or .weights.h5
  bool only_rnn = false;
};

/// Writes a model for other programs.
void export_model(const ExportArguments& arguments);

struct ImportArguments {
  std::filesystem::path input;   ///< .pt, .pth, .safetensors, .onnx or .h5
  std::filesystem::path output;  ///< checkpoint
};

/// Makes a checkpoint of a model of another program.
void import_model(const ImportArguments& arguments);

void inspect(const std::filesystem::path& path);

/// The training step that the benchmarks time: an LSTM, a linear head to 10 classes at every step,
/// cross-entropy, backward, clip 1.0, Adam.
struct StepShape {
  std::int64_t seq_len = 0;
  std::int64_t batch = 0;
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t num_layers = 1;
  bool bidirectional = false;
  Cell cell = Cell::lstm;
  std::int64_t proj_size = 0;
  std::string lengths;  ///< "LO:HI", drawn evenly; empty: every sequence has seq_len steps
  NetworkOptions options = {};
};

struct BenchArguments {
  StepShape shape;
  double seconds = 5;
  std::optional<int> threads;
  bool pin = true;  ///< each thread to a core of its own
  bool json = false;
};

void bench(const BenchArguments& arguments);

struct ScaleArguments {
  StepShape shape;
  std::string threads;  ///< "1,2,4"
  bool weak = false;    ///< batch rows for every thread; else the same batch at every thread count
  int repeats = 5;
  double seconds = 1;            ///< of steps, for each repeat of each thread count
  std::filesystem::path output;  ///< .json or .html
  bool pin = true;               ///< each thread to a core of its own
  bool compare_torch = false;
  std::string python = "python3";  ///< that has torch, to compare with
  std::string command_line;        ///< as typed, for the record
};

void scale(const ScaleArguments& arguments);

}  // namespace quadgate::apps
