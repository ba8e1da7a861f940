#include "apps/backtest/fold_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "apps/common/program.h"
#include "engine/base/error.h"
#include "io/files/program_start.h"

namespace quadgate::apps {

void end_with(std::string_view owner) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (owner != std::to_string(::getppid())) std::raise(SIGTERM);  // it ended before that
}

FoldProgram::FoldProgram(std::vector<std::string> arguments, const std::filesystem::path& output,
                         const std::filesystem::path& log) {
  const std::filesystem::path program = this_program();
  arguments.insert(arguments.begin(), {"quadgate", kFoldCommand, std::to_string(::getpid())});
  ProgramStart start;
  start.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  start.open(STDOUT_FILENO, output.empty() ? "/dev/null" : output, O_WRONLY | O_CREAT | O_TRUNC);
  start.open(STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND);
  start.close_from(STDERR_FILENO + 1);
  start.block_signals({SIGINT});  // which a terminal sends to all
  const int error = start.start(process_, program, std::move(arguments));
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
