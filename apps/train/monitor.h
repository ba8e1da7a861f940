#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "apps/model/split_report.h"
#include "engine/model/loss.h"
#include "engine/training/network.h"
#include "io/data/dataset.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// The number of the valid split that `[train] monitor` names: it chooses best.h5 and stops early.
class Monitor {
 public:
  /// A number that evaluate tells of a model like this, which must outlive it, as `data`, of the
  /// files at `paths`, must. Throws InvalidArgument, naming the key and the numbers there are, if
  /// there is none of that name; FileError.
  Monitor(std::string name, const ModelDescription& model, Dataset& data,
          std::span<const std::filesystem::path> paths);

  const std::string& name() const noexcept { return name_; }
  /// Whether Metrics do not tell the number under its name.
  bool is_told_apart() const noexcept { return report_ || text_; }
  /// Whether it takes a pass over the split of its own.
  bool needs_pass() const noexcept { return report_.has_value(); }
  /// Makes that pass, with batches of that many rows. None if a stop is requested before its end.
  /// Throws DataError if the number has no meaning here, or the outputs are no numbers.
  std::optional<double> measure(Network& network, std::int64_t rows) const;
  /// The number of one that needs no pass, from the metrics of the split. Throws DataError if
  /// it is none.
  double of(const Metrics& metrics) const;
  /// How bad a value is: less is better.
  double badness(double value) const noexcept;

 private:
  std::string diverged() const;

  std::string name_;
  const ModelDescription& model_;
  Split& split_;
  std::optional<SplitReport> report_;  // without a batch, if it needs a pass
  std::optional<TextReport> text_;     // that knows the characters, if it is of them
};

/// Whether a metric of evaluate is an error. All others but coverages are better the higher they
/// are.
bool lower_is_better(std::string_view metric);

}  // namespace quadgate::apps
