// The arrays y, offsets and x (see take_part) of an .npz file, whose checksums hide them from the
// target npz.

#include "io/importers/npz.h"
#include "io/tensors/zip.h"
#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  const Bytes y = take_part(input);
  const Bytes offsets = take_part(input);
  for (const bool has_offsets : {false, true}) {
    const InputFile input_file(
        has_offsets
            ? make_zip({{"x.npy", input}, {"y.npy", y}, {"offsets.npy", offsets}}, "a.npz")
            : make_zip({{"x.npy", input}, {"y.npy", y}, {"feature_names.npy", y}}, "a.npz"));
    const NpzFile file(input_file.path());
    read_or_refuse([&] { read_npz(file, "", import_options()); });
    read_or_refuse([&] { read_npz_series(file, import_options()); });
  }
}

}  // namespace quadgate::fuzz
