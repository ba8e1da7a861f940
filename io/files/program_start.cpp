#include "io/files/program_start.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace quadgate {

ProgramStart::ProgramStart() {
  ::posix_spawn_file_actions_init(&actions_);
  ::posix_spawnattr_init(&attributes_);
}

ProgramStart::~ProgramStart() {
  ::posix_spawn_file_actions_destroy(&actions_);
  ::posix_spawnattr_destroy(&attributes_);
}

void ProgramStart::open(int descriptor, const std::filesystem::path& file, int flags) {
  constexpr ::mode_t kMode = 0666;
  ::posix_spawn_file_actions_addopen(&actions_, descriptor, file.c_str(), flags, kMode);
}

void ProgramStart::copy(int from, int descriptor) {
  ::posix_spawn_file_actions_adddup2(&actions_, from, descriptor);
}

void ProgramStart::close_from(int descriptor) {
  ::posix_spawn_file_actions_addclosefrom_np(&actions_, descriptor);
}

void ProgramStart::block_signals(std::initializer_list<int> signals) {
  ::sigset_t set{};
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  ::posix_spawnattr_setsigmask(&attributes_, &set);
  flags_ |= POSIX_SPAWN_SETSIGMASK;
  ::posix_spawnattr_setflags(&attributes_, flags_);
}

void ProgramStart::reset_signals() {
  ::sigset_t all{};
  ::sigfillset(&all);
  ::posix_spawnattr_setsigdefault(&attributes_, &all);
  flags_ |= POSIX_SPAWN_SETSIGDEF;
  ::posix_spawnattr_setflags(&attributes_, flags_);
}

int ProgramStart::start(::pid_t& process, const std::filesystem::path& program,
                        std::vector<std::string> arguments) const {
  std::vector<char*> words(arguments.size() + 1, nullptr);
  std::ranges::transform(arguments, words.begin(), [](std::string& word) { return word.data(); });
  return ::posix_spawn(&process, program.c_str(), &actions_, &attributes_, words.data(), environ);
}

}  // namespace quadgate
