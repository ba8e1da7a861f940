#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace quadgate {

/// Precision, recall and F1, as scikit-learn defines them with zero_division = 0.
struct ClassScore {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

/// Of `support` true items and `predicted` ones, of which `hits` are both.
ClassScore score_of(std::int64_t hits, std::int64_t support, std::int64_t predicted) noexcept;

/// Which classes items have, and which ones a model gives them.
class ClassCounts {
 public:
  /// The most classes of which each pair is counted: 8 MB.
  static constexpr std::int64_t kMostPairs = 1000;

  explicit ClassCounts(std::int64_t classes);

  /// Counts an item. Both are from 0 to classes - 1.
  void add(std::int64_t label, std::int64_t predicted);
  void add(const ClassCounts& other);

  std::int64_t classes() const noexcept { return static_cast<std::int64_t>(support_.size()); }
  /// Items of class `label`.
  std::int64_t support(std::int64_t label) const { return support_[index(label)]; }
  std::int64_t items() const noexcept;
  bool has_pairs() const noexcept { return !pairs_.empty(); }
  /// How many items of class `label` are taken for `predicted`: the confusion matrix, if has_pairs.
  std::int64_t pair(std::int64_t label, std::int64_t predicted) const {
    return pairs_[index(label * classes() + predicted)];
  }

  ClassScore score(std::int64_t label) const;
  /// Each number is the mean over the classes that are a label or a prediction of any item.
  ClassScore macro() const;
  /// The means over the classes, each with the weight of its support.
  ClassScore weighted() const;
  /// The mean recall of the classes that any item has.
  double balanced_accuracy() const;

 private:
  static std::size_t index(std::int64_t label) noexcept { return static_cast<std::size_t>(label); }

  std::vector<std::int64_t> hits_;       // [classes]
  std::vector<std::int64_t> support_;    // [classes]
  std::vector<std::int64_t> predicted_;  // [classes]
  std::vector<std::int64_t> pairs_;      // [classes, classes]; or none
};

}  // namespace quadgate
