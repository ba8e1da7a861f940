#include "apps/backtest/fold_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "apps/common/program.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

/// How the program begins: nothing to read, and SIGINT, which a terminal sends to all, held back.
class StartSettings {
 public:
  StartSettings(const std::filesystem::path& output, const std::filesystem::path& log) {
    constexpr ::mode_t kMode = 0666;
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    const auto open = [&](int descriptor, const std::filesystem::path& file, int flags) {
      ::posix_spawn_file_actions_addopen(&actions_, descriptor, file.c_str(), flags, kMode);
    };
    open(STDIN_FILENO, "/dev/null", O_RDONLY);
    open(STDOUT_FILENO, output.empty() ? "/dev/null" : output, O_WRONLY | O_CREAT | O_TRUNC);
    open(STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    ::sigset_t signals{};
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGINT);
    ::posix_spawnattr_setsigmask(&attributes_, &signals);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  ~StartSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  StartSettings(const StartSettings&) = delete;
  StartSettings& operator=(const StartSettings&) = delete;

  /// 0, or what is wrong, as errno tells it.
  int start(::pid_t& process, const std::filesystem::path& program,
            std::vector<std::string>& arguments) const {
    std::vector<char*> words(arguments.size() + 1, nullptr);
    std::ranges::transform(arguments, words.begin(), [](std::string& word) { return word.data(); });
    return ::posix_spawn(&process, program.c_str(), &actions_, &attributes_, words.data(), environ);
  }

 private:
  ::posix_spawn_file_actions_t actions_{};
  ::posix_spawnattr_t attributes_{};
};

}  // namespace

FoldProgram::FoldProgram(std::vector<std::string> arguments, const std::filesystem::path& output,
                         const std::filesystem::path& log) {
  const std::filesystem::path program = this_program();
  arguments.insert(arguments.begin(), "quadgate");
  const int error = StartSettings(output, log).start(process_, program, arguments);
  if (error == 0) return;
  process_ = -1;
  throw FileError(fmt::format("{}: cannot start {}: {}", log.string(), program.string(),
                              std::generic_category().message(error)));
}

FoldProgram::~FoldProgram() {
  if (process_ < 0) return;
  ::kill(process_, SIGTERM);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<int> FoldProgram::exit_code() {
  int status = 0;
  const ::pid_t ended = ::waitpid(process_, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return {};
  process_ = -1;
  return ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void FoldProgram::stop() const { ::kill(process_, SIGTERM); }

}  // namespace quadgate::apps
