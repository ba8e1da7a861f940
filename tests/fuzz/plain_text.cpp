#include "io/importers/plain_text.h"

#include <array>

#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  const InputFile file(input);
  for (const TextLevel level : {TextLevel::words, TextLevel::characters}) {
    read_or_refuse([&] {
      WordList words;
      read_plain_text(std::array{file.path()}, level, words, import_options());
    });
  }
}

}  // namespace quadgate::fuzz
