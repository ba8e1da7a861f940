#include "io/prepare/split_arrays.h"

#include <string>
#include <vector>

#include "io/prepare/dataset_parts.h"

namespace quadgate {

void SequenceCounts::add(std::size_t split, std::int64_t length) {
  ++rows.at(split);
  steps.at(split) += length;
  if (fixed_len < 0) fixed_len = length;
  if (length != fixed_len) fixed_len = 0;
}

SplitArrays::SplitArrays(hdf5::FileWriter& file, std::size_t split, const SequenceCounts& sizes,
                         const SequenceKind& kind, hdf5::Storage storage) {
  const std::string name = kSplitNames.at(split);
  const std::int64_t rows = sizes.rows.at(split);
  const std::int64_t steps = sizes.steps.at(split);
  const bool is_fixed = sizes.fixed_len > 0;
  std::vector<std::int64_t> shape{steps};
  if (is_fixed) shape = {rows, sizes.fixed_len};
  file.create_group(name);
  if (kind.features > 0) {
    shape.push_back(kind.features);
    x.emplace(file, name + "/x", shape, storage);
  } else {
    tokens.emplace(file, name + "/x", shape, storage);
  }
  if (!is_fixed) {
    offsets_.emplace(file, name + "/offsets", std::vector{rows + 1}, storage);
    offsets_->append(0);
  }
  if (!kind.has_targets) return;
  if (kind.task == Task::regression) {
    targets.emplace(file, name + "/y", std::vector{rows, kind.output_size}, storage);
  } else {
    const bool is_a_step = kind.task == Task::tagging;
    labels.emplace(file, name + "/y", std::vector{is_a_step ? steps : rows}, storage);
  }
}

void SplitArrays::end_sequence(std::int64_t length) {
  steps_ += length;
  if (offsets_) offsets_->append(steps_);
}

void SplitArrays::finish() {
  if (x) x->finish();
  if (tokens) tokens->finish();
  if (labels) labels->finish();
  if (targets) targets->finish();
  if (offsets_) offsets_->finish();
}

}  // namespace quadgate
