#pragma once

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace quadgate::testing {

/// An MPI of this machine as the build found it.
struct MpiUnderTest {
  const char* name;      ///< "openmpi"
  const char* mpirun;    ///< empty if there is none
  const char* variable;  ///< that tells a process its rank
};

/// A program as several ranks below an MPI's mpirun. Whatever is left of them when this object goes
/// is killed: nothing that a test starts outlives it.
class Ranks {
 public:
  using Clock = std::chrono::steady_clock;

  /// Starts `words`, a program and its arguments, in `folder`, which gets their output as files.
  Ranks(const MpiUnderTest& mpi, int count, const std::vector<std::string>& words,
        std::filesystem::path folder, const std::vector<std::string>& options = {})
      : variable_(mpi.variable), folder_(std::move(folder)) {
    // What a launcher that was killed leaves behind becomes a child of this process.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    std::vector<std::string> all = {mpi.mpirun, "-n", std::to_string(count)};
    if (std::string(mpi.name) == "openmpi") {
      all.insert(all.end(), {"--oversubscribe", "--bind-to", "none"});
    }
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), words.begin(), words.end());
    start(all);
  }
  ~Ranks() {
    for (int i = 0; i < 100 && !descendants(::getpid()).empty(); ++i) {
      for (const ::pid_t process : descendants(::getpid())) ::kill(process, SIGKILL);
      reap();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  ::pid_t launcher() const { return launcher_; }

  /// The process of a rank; 0 if it is not there.
  ::pid_t process(int rank) const {
    const std::string wanted = std::string(variable_) + "=" + std::to_string(rank);
    for (const ::pid_t process : descendants(launcher_)) {
      std::istringstream variables(text_of("/proc/" + std::to_string(process) + "/environ"));
      for (std::string variable; std::getline(variables, variable, '\0');) {
        if (variable == wanted) return process;
      }
    }
    return 0;
  }

  /// Waits for the end of the launcher, and of all that it started. Returns whether all ended in
  /// time.
  bool finish(std::chrono::duration<double> patience) {
    const auto end = Clock::now() + patience;
    while (Clock::now() < end) {
      reap();
      if (ended_ && descendants(::getpid()).empty()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  /// Of the launcher: its exit code, -signal if one ended it.
  int code() const { return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_); }
  std::string out() const { return text_of(folder_ / "stdout"); }
  std::string err() const { return text_of(folder_ / "stderr"); }

 private:
  void reap() {
    int status = 0;
    for (::pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended != launcher_) continue;
      ended_ = true;
      status_ = status;
    }
  }

  static std::string text_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }

  static ::pid_t parent_of(const std::string& process) {
    std::ifstream status("/proc/" + process + "/status");
    for (std::string word; status >> word;) {
      ::pid_t number = 0;
      if (word == "PPid:" && status >> number) return number;
    }
    return 0;
  }

  /// The processes below one, zombies as well.
  static std::vector<::pid_t> descendants(::pid_t ancestor) {
    std::vector<::pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      if (parent_of(name) != ancestor) continue;
      found.push_back(static_cast<::pid_t>(std::stol(name)));
      const auto below = descendants(found.back());
      found.insert(found.end(), below.begin(), below.end());
    }
    return found;
  }

  void redirect(int descriptor, const char* name) const {
    ::dup2(::open((folder_ / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), descriptor);
  }

  void start(std::vector<std::string> words) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    launcher_ = ::fork();
    if (launcher_ != 0) return;
    // Open MPI runs nothing for root without these two, and in some containers reads no other
    // process's memory.
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    ::setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 1);
    ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // an MPI leaves memory behind
    if (::chdir(folder_.c_str()) != 0) ::_exit(126);
    redirect(STDOUT_FILENO, "stdout");
    redirect(STDERR_FILENO, "stderr");
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }

  const char* variable_;
  std::filesystem::path folder_;
  ::pid_t launcher_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

}  // namespace quadgate::testing
