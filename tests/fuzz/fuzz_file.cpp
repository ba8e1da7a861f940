#include "tests/fuzz/fuzz_file.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace quadgate::fuzz {

InputFile::InputFile(Bytes bytes) {
  std::string name = std::filesystem::temp_directory_path() / "quadgate-fuzz-XXXXXX";
  const int descriptor = ::mkstemp(name.data());
  if (::write(descriptor, bytes.data(), bytes.size()) != std::ssize(bytes)) std::abort();
  ::close(descriptor);
  path_ = name;
}

InputFile::~InputFile() { ::unlink(path_.c_str()); }

Bytes take_part(Bytes& rest) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(rest.size(), 2); ++i) {
    size |= std::to_integer<std::size_t>(rest[i]) << (8 * i);
  }
  rest = rest.subspan(std::min<std::size_t>(rest.size(), 2));
  const Bytes part = rest.first(std::min(size, rest.size()));
  rest = rest.subspan(part.size());
  return part;
}

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace quadgate::fuzz

// What libFuzzer calls for each input; its name is not ours.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  quadgate::fuzz::read_or_refuse(
      [&] { quadgate::fuzz::read(std::as_bytes(std::span(data, size))); });
  return 0;
}
