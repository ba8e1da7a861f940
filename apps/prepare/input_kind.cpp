#include "apps/prepare/input_kind.h"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

constexpr std::string_view kZip = "a zip archive, as .npz files are";

/// What the first bytes of a file tell that it is; empty if they do not.
std::string_view container_of(const std::filesystem::path& path) {
  std::array<char, 4> bytes{};
  std::ifstream(path, std::ios::binary).read(bytes.data(), bytes.size());
  const std::string_view found(bytes.data(), bytes.size());
  if (found == "PK\3\4" || found == "PK\5\6") return kZip;
  if (found == "\x89HDF") return "an HDF5 file (evaluate and predict take data sets by --data)";
  return {};
}

void expect_kind(const KnownData& known, const std::string& kind,
                 const std::filesystem::path& input) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(input, error)) return;
  const std::string_view found = container_of(input);
  if (kind == "npz" ? found == kZip : found.empty()) return;
  const bool is_of_known = known.data.recipe && known.data.recipe->kind == kind;
  throw DataError(fmt::format(
      "{}: expected a file of kind {}{}, found {}", input.string(), kind,
      is_of_known ? fmt::format(", as the data of {} were read from", known.path.string()) : "",
      found.empty() ? "no zip archive, as .npz files are" : found));
}

}  // namespace

void expect_kind(const KnownData& known, const PrepareArguments& arguments) {
  for (const auto& input : arguments.inputs) expect_kind(known, arguments.kind, input);
  if (!arguments.future.empty()) expect_kind(known, arguments.kind, arguments.future);
}

}  // namespace quadgate::apps
