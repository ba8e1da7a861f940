#include "io/data/dataset_kinds.h"
#include "io/data/stream_split.h"

namespace quadgate::detail {

OpenDataset open_text(const hdf5::File& file, const Streams& streams) {
  const std::vector<std::string> names = split_groups(file);
  OpenDataset data = describe(file);
  data.task = Task::tagging;  // every token with the next one
  file.array(names.front() + "/x");
  expect_vocabulary(file, data.description);
  expect_at_least_one("streams", streams.count);
  expect_at_least_one("bptt_len", streams.bptt_len);
  data.description.streams = streams;
  data.description.class_names = data.description.token_names;
  data.output_size = std::ssize(data.description.token_names);
  for (const std::string& name : names) {
    data.splits[name] = std::make_unique<StreamSplit>(file, name, streams, data.output_size);
  }
  return data;
}

}  // namespace quadgate::detail
