#include <fmt/format.h>

#include "apps/commands.h"
#include "io/dataset_writer.h"
#include "io/importers/csv.h"
#include "io/importers/idx.h"
#include "io/importers/ts.h"

namespace quadgate::apps {
namespace {

PrepareOptions options_of(const PrepareArguments& arguments) {
  return {arguments.valid_fraction, arguments.test_fraction, arguments.standardize};
}

void print(const PrepareArguments& arguments, const PrepareSummary& summary, const char* unit) {
  fmt::print("wrote {}: {} train, {} valid, {} test {}{}\n", arguments.output.string(),
             summary.train, summary.valid, summary.test, unit,
             arguments.standardize ? ", standardized" : "");
}

/// `read` makes sequences or a series of an input; `write` makes a data set of them.
template <typename Read, typename Write>
void prepare(const PrepareArguments& arguments, const char* unit, Read read, Write write) {
  auto data = read(arguments.inputs);
  std::optional<decltype(data)> test;
  if (!arguments.test.empty()) {
    test = read(arguments.test);
  }
  print(arguments, write(arguments.output, std::move(data), test, options_of(arguments)), unit);
}

}  // namespace

void prepare_idx(const PrepareArguments& arguments) {
  prepare(
      arguments, "sequences", [](const auto& files) { return read_idx(files.at(0), files.at(1)); },
      write_classification);
}

void prepare_ts(const PrepareArguments& arguments) {
  prepare(
      arguments, "sequences", [](const auto& files) { return read_ts(files.at(0)); },
      write_classification);
}

void prepare_csv(const PrepareArguments& arguments) {
  prepare(
      arguments, "rows", [](const auto& files) { return read_csv(files.at(0)); }, write_forecast);
}

}  // namespace quadgate::apps
