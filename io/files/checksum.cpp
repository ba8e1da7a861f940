#include "io/files/checksum.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"

namespace quadgate {
namespace {

constexpr std::string_view kMark = "quadgate xxh3-64 ";

std::string seal_text(XXH64_hash_t checksum) { return fmt::format("{}{:016x}\n", kMark, checksum); }

XXH64_hash_t checksum_of_rest(std::ifstream& file) {
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::vector<char> chunk(std::size_t{1} << 20);
  while (file) {
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    XXH3_64bits_update(state.get(), chunk.data(), static_cast<std::size_t>(file.gcount()));
  }
  return XXH3_64bits_digest(state.get());
}

}  // namespace

void seal(std::span<std::byte> content) {
  const auto rest = content.subspan(kSealSize);
  const std::string text = seal_text(XXH3_64bits(rest.data(), rest.size()));
  std::ranges::copy(std::as_bytes(std::span(text)), content.begin());
}

void check_seal(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string found(kSealSize, '\0');
  file.read(found.data(), kSealSize);
  if (!file || !found.starts_with(kMark)) return;
  if (!found.starts_with(seal_text(checksum_of_rest(file)))) {
    throw FileError(fmt::format("{}: damaged, or changed by another program: the checksum differs",
                                path.string()));
  }
}

}  // namespace quadgate
