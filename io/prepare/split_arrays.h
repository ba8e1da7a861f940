#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/model/config.h"
#include "io/hdf5/array_writer.h"
#include "io/hdf5/file_writer.h"

namespace quadgate {

/// How many sequences and steps the splits have.
struct SequenceCounts {
  std::array<std::int64_t, 3> rows{};
  std::array<std::int64_t, 3> steps{};
  std::int64_t fixed_len = -1;  ///< steps of every sequence; 0 if they differ

  void add(std::size_t split, std::int64_t length);
};

/// What the sequences of a data set consist of.
struct SequenceKind {
  Task task = Task::classification;
  std::int64_t features = 0;     ///< of a step; 0: a step is a token
  std::int64_t output_size = 0;  ///< values to predict, of a regression
  bool has_targets = true;
};

/// The arrays of a split of sequences while they are written, from front to back.
struct SplitArrays {
  /// Makes the split's group and the arrays that sequences of that kind have.
  SplitArrays(hdf5::FileWriter& file, std::size_t split, const SequenceCounts& sizes,
              const SequenceKind& kind, hdf5::Storage storage);

  /// Ends a sequence of so many steps.
  void end_sequence(std::int64_t length);
  void finish();

  std::optional<hdf5::ArrayWriter<float>> x{};  // or
  std::optional<hdf5::ArrayWriter<std::int32_t>> tokens{};
  std::optional<hdf5::ArrayWriter<std::int64_t>> labels{};  // or
  std::optional<hdf5::ArrayWriter<float>> targets{};

 private:
  std::optional<hdf5::ArrayWriter<std::int64_t>>
      offsets_{};  // unless all sequences have one length
  std::int64_t steps_ = 0;
};

}  // namespace quadgate
