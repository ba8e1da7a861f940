#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace quadgate {

/// Areas under the ROC curves of classes, each against all others: how likely an item of the class
/// gets a higher probability of it than one of another class, ties counted as halves. They are
/// exact, so every item's scores are kept.
class RocScores {
 public:
  /// The most scores that are kept: 128 MiB.
  static constexpr std::size_t kMostScores = std::size_t{1} << 25;

  explicit RocScores(std::int64_t classes) : classes_(static_cast<std::size_t>(classes)) {}

  /// Takes an item's logits [classes], none of them NaN, which stand for their log-softmax. Beyond
  /// kMostScores there are no areas.
  void add(std::int64_t label, std::span<const float> logits);
  void add(const RocScores& other);

  /// False if there were too many items.
  bool is_complete() const noexcept { return is_complete_; }
  /// None if no item, or every one, is of the class.
  std::optional<double> area(std::int64_t label) const;

 private:
  void expect_room(std::size_t items);

  std::size_t classes_;
  std::vector<std::int64_t> labels_;
  std::vector<float> scores_;  // [items, classes]
  bool is_complete_ = true;
};

}  // namespace quadgate
