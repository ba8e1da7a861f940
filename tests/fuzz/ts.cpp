#include "io/importers/ts.h"
#include "io/importers/tsf.h"

#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  const InputFile file(input);
  if (is_tsf(file.path())) {
    read_tsf(file.path(), MissingPolicy::forward, import_options());
  } else {
    read_ts(file.path(), MissingPolicy::forward, import_options());
  }
}

}  // namespace quadgate::fuzz
