// The input is two files, images and labels: see take_part.

#include "io/importers/idx.h"

#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  const InputFile images(take_part(input));
  const InputFile labels(input);
  read_idx(images.path(), labels.path(), import_options());
}

}  // namespace quadgate::fuzz
