#include <cstdlib>
#include <string>

#include "apps/train/run_config.h"
#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  const std::string text = apps::to_toml(apps::parse_run_config(text_of(input), "run.toml"));
  // What it writes, it reads: the run file of every run is kept and compared so.
  std::string again;
  read_or_refuse([&] { again = apps::to_toml(apps::parse_run_config(text, "again.toml")); });
  if (again != text) std::abort();
}

}  // namespace quadgate::fuzz
