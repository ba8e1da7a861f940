#pragma once

#include <spawn.h>
#include <sys/types.h>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <vector>

namespace quadgate {

/// How a program begins as a process of its own: which files it has open, and which signals it
/// gets. What is not told is as in this process.
class ProgramStart {
 public:
  ProgramStart();
  ~ProgramStart();
  ProgramStart(const ProgramStart&) = delete;
  ProgramStart& operator=(const ProgramStart&) = delete;

  /// Opens a file as `descriptor`, with the flags of open(2).
  void open(int descriptor, const std::filesystem::path& file, int flags);
  /// Makes `descriptor` a copy of one that is open here.
  void copy(int from, int descriptor);
  /// Closes all descriptors from this one on.
  void close_from(int descriptor);
  /// Holds these signals back.
  void block_signals(std::initializer_list<int> signals);
  /// Signals do what they do by default.
  void reset_signals();

  /// Starts it; the first argument is its name. Returns 0, or what is wrong, as errno tells it.
  int start(::pid_t& process, const std::filesystem::path& program,
            std::vector<std::string> arguments) const;

 private:
  ::posix_spawn_file_actions_t actions_{};
  ::posix_spawnattr_t attributes_{};
  short flags_ = 0;
};

}  // namespace quadgate
