#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "apps/prepare/prepare.h"
#include "io/model/known_data.h"

namespace quadgate::apps {

/// A data set of a raw file, read as the training data of a model were, that nobody sees: it goes
/// with this object.
class InputData {
 public:
  /// `input` may be "-", stdin. The data set lies in the folder of `output`, or, if that is "-", in
  /// the one for temporary files. `future` has rows of known columns behind those of a table, if it
  /// is not empty.
  InputData(const std::filesystem::path& input, KnownData model,
            const std::filesystem::path& output, std::filesystem::path future = {});
  ~InputData();
  InputData(const InputData&) = delete;
  InputData& operator=(const InputData&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  /// As messages call the input.
  const std::string& name() const noexcept { return name_; }
  /// The words of the input, if it has any.
  const InputWords& words() const noexcept { return words_; }

  /// Calls `work` once the data set is there. Its errors, and those of `prepare --like`, name the
  /// input instead of the data set.
  void answer(const std::function<void()>& work);
  /// If the input is a pipe, calls `work` for each piece of what comes (see prepare_pieces), where
  /// that gives the same answers; with `windows`, windows of the past are answered.
  void answer_pieces(bool windows, const std::function<void()>& work);

  /// Says what was done to its rows.
  void tell_notes() const;

 private:
  PrepareArguments arguments() const;
  std::string named(std::string message) const;

  KnownData model_;
  std::filesystem::path future_;
  std::filesystem::path folder_;
  std::filesystem::path path_;
  std::string name_;
  InputWords words_;
};

}  // namespace quadgate::apps
