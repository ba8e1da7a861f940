#pragma once

#include <filesystem>
#include <string>

#include "apps/prepare/prepare.h"
#include "engine/base/error.h"
#include "io/model/known_data.h"

namespace quadgate::apps {

/// A data set of a raw file, read as the training data of a model were, that nobody sees: it goes
/// with this object.
class InputData {
 public:
  /// `input` may be "-", stdin. The data set lies in the folder of `output`, or, if that is "-", in
  /// the one for temporary files. `future` has rows of known columns behind those of a table, if it
  /// is not empty. Throws the errors of `prepare --like`.
  InputData(const std::filesystem::path& input, const KnownData& model,
            const std::filesystem::path& output, const std::filesystem::path& future = {});
  ~InputData();
  InputData(const InputData&) = delete;
  InputData& operator=(const InputData&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  /// As messages call the input.
  const std::string& name() const noexcept { return name_; }
  /// The words of the input, if it has any.
  const InputWords& words() const noexcept { return words_; }

  /// Says what was done to its rows.
  void tell_notes() const;

  /// Runs `work`, whose errors name the input instead of the data set.
  template <typename Work>
  void run(Work work) const;

 private:
  std::string named(std::string message) const;

  std::filesystem::path folder_;
  std::filesystem::path path_;
  std::string name_;
  InputWords words_;
};

template <typename Work>
void InputData::run(Work work) const {
  try {
    work();
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(named(error.what()));
  } catch (const DataError& error) {
    throw DataError(named(error.what()));
  } catch (const FileError& error) {
    throw FileError(named(error.what()));
  }
}

}  // namespace quadgate::apps
