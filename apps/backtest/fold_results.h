#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace quadgate::apps {

/// What evaluate tells of each fold, with means and standard deviations.
class FoldResults {
 public:
  /// Reads the JSON objects of the folds. Throws FileError if one is none.
  explicit FoldResults(const std::vector<std::filesystem::path>& files);

  /// A table: a row a number, those of baselines among them, and a column a fold.
  std::string to_text() const;
  /// The same of all numbers, as CSV.
  std::string to_csv() const;
  /// An object with the array `folds` of what evaluate tells of each, and objects like these with
  /// means and standard deviations, `mean` and `sd`.
  std::string to_json() const;

 private:
  /// A number of each fold.
  struct Row {
    std::vector<std::string> name;  // keys, from the outermost
    std::vector<double> values;     // [folds]; NaN: it has no meaning there

    std::string text() const;
    double mean() const;
    double sd() const;
  };

  std::vector<std::string> objects_;  // of the folds
  std::vector<Row> rows_;
};

}  // namespace quadgate::apps
