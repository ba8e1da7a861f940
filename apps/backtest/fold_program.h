#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quadgate::apps {

/// A run of this program beside others. Ctrl-C is for the owner, which then stops it.
class FoldProgram {
 public:
  /// Starts `quadgate ARGUMENTS...`; stdout becomes the file `output`, unless empty, and stderr
  /// goes behind what `log` has. Throws FileError if it cannot be started.
  FoldProgram(std::vector<std::string> arguments, const std::filesystem::path& output,
              const std::filesystem::path& log);
  ~FoldProgram();
  FoldProgram(const FoldProgram&) = delete;
  FoldProgram& operator=(const FoldProgram&) = delete;

  /// Its exit code once it has ended, -1 where a signal ended it. Does not wait.
  std::optional<int> exit_code();
  /// Asks it to save and end.
  void stop() const;

 private:
  ::pid_t process_ = -1;
};

}  // namespace quadgate::apps
