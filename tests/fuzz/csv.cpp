#include "io/importers/csv.h"

#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {
namespace {

void import(const InputFile& file, const CsvOptions& options) {
  read_or_refuse([&] {
    CsvImporter importer(options, import_options());
    importer.read(file.path());
    importer.take();
  });
}

}  // namespace

void read(Bytes input) {
  const InputFile file(input);
  import(file, {});
  import(file, {.columns = {.group = "group"},
                .missing = MissingPolicy::forward,
                .valid_from = "1970",
                .test_from = "2001-09-09"});
}

}  // namespace quadgate::fuzz
