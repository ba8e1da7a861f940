#include "engine/cluster/neighbours.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace quadgate::cluster {

Neighbours::Neighbours(std::span<const std::string> addresses, int rank)
    : processes_(addresses.size(), -1), gone_(addresses.size()), are_all_(true) {
  const std::string& mine = addresses[static_cast<std::size_t>(rank)];
  const std::string machine = mine.substr(0, mine.find(' ') + 1);
  for (std::size_t other = 0; other < addresses.size(); ++other) {
    if (std::cmp_equal(other, rank)) continue;
    const std::string& address = addresses[other];
    ::pid_t process = 0;
    if (!machine.empty() && address.starts_with(machine) && address != mine) {
      std::from_chars(address.data() + machine.size(), address.data() + address.size(), process);
    }
    if (process > 0) processes_[other] = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
    are_all_ = are_all_ && processes_[other] >= 0;
  }
}

Neighbours::~Neighbours() {
  for (const int process : processes_) {
    if (process >= 0) ::close(process);
  }
}

Neighbours::Neighbours(Neighbours&& other) noexcept { *this = std::move(other); }

Neighbours& Neighbours::operator=(Neighbours&& other) noexcept {
  std::swap(processes_, other.processes_);
  std::swap(gone_, other.gone_);
  std::swap(are_all_, other.are_all_);
  return *this;
}

std::string Neighbours::address() {
  // The same number is another process after a restart, and in another container.
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  file >> boot;
  std::error_code error;
  const auto space = std::filesystem::read_symlink("/proc/self/ns/pid", error);
  if (boot.empty() || error) return {};
  return fmt::format("{}/{} {}", boot, space.string(), ::getpid());
}

void Neighbours::look() {
  for (std::size_t rank = 0; rank < processes_.size(); ++rank) {
    ::pollfd process{.fd = processes_[rank], .events = POLLIN, .revents = 0};
    if (process.fd >= 0 && !gone_[rank]) gone_[rank] = ::poll(&process, 1, 0) > 0;
  }
}

}  // namespace quadgate::cluster
