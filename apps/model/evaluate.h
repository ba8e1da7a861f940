#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quadgate::apps {

struct EvaluateArguments {
  std::filesystem::path checkpoint;
  std::vector<std::filesystem::path> data;  ///< files of one data set, or
  std::filesystem::path input{};            ///< a raw file, "-" for stdin
  std::optional<std::string> split;         ///< none: test, or the only one
  std::optional<int> threads;
  std::optional<std::int64_t> top_k;   ///< of classes
  std::optional<std::int64_t> season;  ///< of a forecast's baseline
  std::vector<std::string> by{};       ///< tables to print: "classes", ...
  bool json = false;
};

/// The loss and metrics of a model on a split, or on a raw file, as text that ends with a line.
std::string evaluation(const EvaluateArguments& arguments);

/// Prints that.
void evaluate(const EvaluateArguments& arguments);

}  // namespace quadgate::apps
