#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate::apps {

/// `quadgate run-fold OWNER ARGUMENTS...` is `quadgate ARGUMENTS...` that ends with its owner, a
/// number of a process.
inline constexpr const char* kFoldCommand = "run-fold";

/// Stops this program as SIGTERM does as soon as `owner`, which started it, has ended, also if that
/// is killed.
void end_with(std::string_view owner);

/// A run of this program beside others, which ends with its owner. Ctrl-C is for the owner, which
/// then stops it.
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
