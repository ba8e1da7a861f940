#include "apps/common/output_file.h"

#include <fmt/format.h>

#include <string>
#include <system_error>

#include "engine/base/error.h"
#include "io/hdf5/file.h"

namespace quadgate::apps {
namespace {

/// What an HDF5 file says it is; empty if it says nothing, or is none.
std::string format_of(const std::filesystem::path& path) {
  try {
    const hdf5::File file = hdf5::File::open(path);
    return file.has_attribute("", "format") ? file.read_string("", "format") : "";
  } catch (const FileError&) {
    return "";
  }
}

}  // namespace

void expect_no_input(const std::filesystem::path& output,
                     std::span<const std::filesystem::path> inputs) {
  for (const std::filesystem::path& input : inputs) {
    std::error_code error;
    if (!std::filesystem::equivalent(output, input, error)) continue;
    throw InvalidArgument(fmt::format("--output: expected another file than the input {}, found {}",
                                      input.string(), output.string()));
  }
}

void expect_same_format(const std::filesystem::path& output, std::string_view format) {
  std::error_code error;
  if (!std::filesystem::exists(output, error)) return;
  const std::string found = format_of(output);
  if (found == format || (found != kDatasetFormat && found != kCheckpointFormat)) return;
  throw InvalidArgument(
      fmt::format("--output: {}: expected no {}, which a file of another kind would replace; "
                  "--force replaces it",
                  output.string(), found == kDatasetFormat ? "data set" : "checkpoint"));
}

}  // namespace quadgate::apps
