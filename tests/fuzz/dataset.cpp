#include "io/data/dataset.h"

#include <array>

#include "tests/fuzz/fuzz_file.h"

namespace quadgate::fuzz {

void read(Bytes input) {
  const InputFile file(input);
  const std::string task = read_dataset_task(file.path());
  std::optional<Window> window;
  std::optional<Streams> streams;
  if (task == "forecast") window = {.input_len = 2, .horizon = 1};
  if (task == "language_model") streams = {.count = 2, .bptt_len = 2};
  Dataset dataset(file.path(), window, streams);
  Batch batch;
  for (const std::string& name : dataset.split_names()) {
    Split& split = dataset.split(name);
    const std::int64_t last = split.size() - 1;
    read_or_refuse([&] { split.read(std::array{last, std::int64_t{0}, last / 2}, batch); });
  }
}

}  // namespace quadgate::fuzz
