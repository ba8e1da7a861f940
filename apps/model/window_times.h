#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/model/model_on_data.h"
#include "io/data/recipe.h"

namespace quadgate::apps {

/// Tells the times of a window's targets, and whether those of its inputs are regular.
class WindowTimes {
 public:
  WindowTimes(const ModelOnData& model, std::int64_t input_len);

  /// Of the targets; none if they are not known. Throws InvalidArgument behind the year 9999.
  std::vector<double> of_targets(const WindowPlace& place, std::int64_t steps) const;
  /// Of the inputs; none if they are not known.
  std::vector<double> of_inputs(const WindowPlace& place) const;

  /// Throws DataError at a step that the series of the model do not have; if they have others than
  /// the usual one, counts it.
  void check(const WindowPlace& place, const std::string& where);
  /// A note on the steps that were counted.
  void tell() const;

  const Recipe& recipe() const noexcept { return recipe_; }

 private:
  Recipe recipe_;
  std::int64_t input_len_;
  std::int64_t others_ = 0;
};

}  // namespace quadgate::apps
