#include "io/importers/npz.h"

#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  const InputFile input_file(input);
  const NpzFile file(input_file.path());
  read_or_refuse([&] { read_npz(file, "", import_options()); });
  read_or_refuse([&] { read_npz_series(file, import_options()); });
}

}  // namespace quadgate::fuzz
