#include "io/importers/missing_values.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/importers/missing_filler.h"

namespace quadgate {
namespace {

/// What is kept of a sequence.
struct Sequence {
  std::int64_t length = 0;
  std::vector<double> steps{};         // [length, I]
  std::vector<std::int64_t> labels{};  // one, or one a step; none of a regression
  std::vector<double> target{};        // of a regression

  void read(const LabelledSequences& data, std::int64_t of_length, SpooledFloats::Reader& x,
            SpooledIntegers::Reader& label_reader, SpooledFloats::Reader& targets,
            MissingFiller& filler) {
    const bool is_tagging = data.task == Task::tagging;
    std::vector<double> row(static_cast<std::size_t>(data.input_size));
    steps.clear();
    labels.clear();
    target.resize(static_cast<std::size_t>(data.output_size));
    length = 0;
    for (std::int64_t step = 0; step < of_length; ++step) {
      x.read(row);
      const std::int64_t label = is_tagging ? label_reader.next() : 0;
      if (!filler.keep(row)) continue;
      ++length;
      steps.insert(steps.end(), row.begin(), row.end());
      if (is_tagging) labels.push_back(label);
    }
    if (data.task == Task::classification) labels.push_back(label_reader.next());
    if (data.task == Task::regression) targets.read(target);
  }
};

[[noreturn]] void fail_all_left_out(const std::filesystem::path& path, MissingPolicy policy,
                                    std::int64_t count, const char* unit) {
  throw FileError(fmt::format("{}: --missing {}: left out all {} {}, as each lacks a value",
                              path.string(), to_string(policy), count, unit));
}

}  // namespace

LabelledSequences empty_like(const LabelledSequences& data, const SpoolOptions& spool) {
  LabelledSequences empty(data.path, spool);
  empty.task = data.task;
  empty.input_size = data.input_size;
  empty.output_size = data.output_size;
  empty.feature_names = data.feature_names;
  empty.class_names = data.class_names;
  empty.has_times = data.has_times;
  empty.has_targets = data.has_targets;
  return empty;
}

LabelledSequences fill_missing(LabelledSequences data, MissingPolicy policy,
                               const SpoolOptions& spool) {
  if (policy == MissingPolicy::error || data.size() == 0) return data;
  LabelledSequences whole = empty_like(data, spool);
  whole.fill_with_mean = policy == MissingPolicy::mean;
  SpooledFloats::Reader x(data.x);
  SpooledIntegers::Reader lengths(data.lengths);
  SpooledFloats::Reader targets(data.targets);
  SpooledIntegers::Reader labels(data.labels);
  MissingFiller filler(policy, static_cast<std::size_t>(data.input_size));
  Sequence sequence;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const std::int64_t length = lengths.next();
    filler.begin();
    sequence.read(data, length, x, labels, targets, filler);
    const std::int64_t left_out = length - sequence.length;
    if (sequence.length == 0 || (policy == MissingPolicy::drop && left_out > 0)) {
      ++whole.dropped_sequences;
      continue;
    }
    whole.dropped_steps += left_out;
    whole.x.append(sequence.steps);
    whole.lengths.push_back(sequence.length);
    whole.targets.append(sequence.target);
    for (const std::int64_t label : sequence.labels) whole.labels.push_back(label);
  }
  whole.filled_values = filler.filled();
  if (whole.size() == 0) fail_all_left_out(data.path, policy, data.size(), "sequences");
  return whole;
}

Series fill_missing(Series data, MissingPolicy policy, const SpoolOptions& spool) {
  if (policy == MissingPolicy::error || data.size() == 0) return data;
  SpooledFloats whole(spool);
  SpooledFloats whole_times(spool);
  SpooledFloats::Reader x(data.x);
  SpooledFloats::Reader times(data.times);
  MissingFiller filler(policy, static_cast<std::size_t>(data.columns()));
  std::vector<double> row(static_cast<std::size_t>(data.columns()));
  std::vector<double> time(data.times.size() > 0 ? 1 : 0);
  const std::int64_t rows = data.size();
  for (SeriesPart& part : data.parts) {
    filler.begin();
    for (std::int64_t left = part.size(); left > 0; --left) {
      x.read(row);
      times.read(time);
      if (filler.keep(row)) {
        whole.append(row);
        whole_times.append(time);
      } else {
        --part.rows[0];
        ++data.dropped_rows;
      }
    }
  }
  if (whole.size() == 0) fail_all_left_out(data.path, policy, rows, "rows");
  std::erase_if(data.parts, [](const SeriesPart& part) { return part.size() == 0; });
  data.x = std::move(whole);
  data.times = std::move(whole_times);
  data.filled_values = filler.filled();
  data.fill_with_mean = policy == MissingPolicy::mean;
  return data;
}

}  // namespace quadgate
