#include "io/importers/ts.h"

#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) { read_ts(InputFile(input).path(), import_options()); }

}  // namespace quadgate::fuzz
