#include "apps/train/run_folder.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>

#include "engine/base/error.h"
#include "io/files/replace_file.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {
namespace {

/// The epoch of a line of metrics.jsonl; empty if it is damaged, as the last of a killed run may
/// be.
std::optional<std::int64_t> epoch_of(const std::string& line) {
  const auto record = nlohmann::json::parse(line, nullptr, false);
  if (!record.is_object() || !record.contains("epoch") || !record["epoch"].is_number_integer()) {
    return {};
  }
  return record["epoch"].get<std::int64_t>();
}

}  // namespace

void RunFolder::expect_no_run() const {
  for (const auto& file : {checkpoint(), previous_checkpoint(checkpoint()), best(), metrics()}) {
    if (std::filesystem::exists(file)) {
      throw FileError(
          fmt::format("{}: already holds a run ({}): choose another [output] dir, or --resume",
                      folder_.string(), file.filename().string()));
    }
  }
}

void RunFolder::expect_run() const {
  if (!has_checkpoint() && !std::filesystem::exists(run_file())) {
    throw FileError(fmt::format("{}: nothing to resume: no checkpoint.h5 here", folder_.string()));
  }
}

bool RunFolder::has_checkpoint() const {
  return std::filesystem::exists(checkpoint()) ||
         std::filesystem::exists(previous_checkpoint(checkpoint()));
}

void RunFolder::create() const {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) {
    throw FileError(
        fmt::format("{}: cannot create the folder: {}", folder_.string(), error.message()));
  }
}

void RunFolder::write_run_file(std::string_view text) const {
  replace_file(run_file(), std::as_bytes(std::span(text)));
}

void RunFolder::append_metrics(std::string_view line) const {
  errno = 0;
  std::ofstream file(metrics(), std::ios::app);
  file << line << '\n';
  file.close();
  if (!file) {
    throw FileError(fmt::format("{}: cannot be written: {}", metrics().string(),
                                std::generic_category().message(errno)));
  }
}

void RunFolder::rewind_metrics(std::int64_t epoch, std::string_view last) const {
  std::string kept;
  std::ifstream file(metrics());
  for (std::string line; std::getline(file, line);) {
    if (const auto found = epoch_of(line); found && *found < epoch) {
      kept += line + '\n';
    }
  }
  if (!last.empty()) {
    kept += fmt::format("{}\n", last);
  }
  replace_file(metrics(), std::as_bytes(std::span<const char>(kept)));
}

}  // namespace quadgate::apps
