#include "io/files/checksum.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/error.h"
#include "io/files/read_at.h"

namespace quadgate {
namespace {

constexpr std::string_view kMark = "quadgate xxh3-64 ";

std::string line_of(XXH64_hash_t checksum) { return fmt::format("{}{:016x}\n", kMark, checksum); }

XXH64_hash_t checksum_of_rest(int descriptor) {
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::vector<std::byte> chunk(std::size_t{1} << 20);
  std::int64_t offset = kChecksumSize;
  while (const std::size_t got = read_at(descriptor, offset, chunk).value_or(0)) {
    XXH3_64bits_update(state.get(), chunk.data(), got);
    offset += static_cast<std::int64_t>(got);
  }
  return XXH3_64bits_digest(state.get());
}

}  // namespace

std::uint64_t checksum_of(std::span<const std::byte> bytes, std::uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

void write_checksum(std::span<std::byte> content) {
  const auto rest = content.subspan(kChecksumSize);
  const std::string text = line_of(XXH3_64bits(rest.data(), rest.size()));
  std::ranges::copy(std::as_bytes(std::span(text)), content.begin());
}

bool check_checksum(int descriptor, const std::filesystem::path& path) {
  std::string found(kChecksumSize, '\0');
  const auto got = read_at(descriptor, 0, std::as_writable_bytes(std::span(found)));
  if (got != kChecksumSize || !found.starts_with(kMark)) return false;
  if (!found.starts_with(line_of(checksum_of_rest(descriptor)))) {
    throw FileError(fmt::format("{}: damaged, or changed by another program: the checksum differs",
                                path.string()));
  }
  return true;
}

}  // namespace quadgate
