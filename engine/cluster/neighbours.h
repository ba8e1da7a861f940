#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate::cluster {

/// The processes of a run's ranks on this machine. The system tells at once when one of them is
/// gone, where silence would take the whole timeout, and a launcher may end the others before.
class Neighbours {
 public:
  Neighbours() = default;
  /// Of the addresses of all ranks, this one's among them.
  Neighbours(std::span<const std::string> addresses, int rank);
  ~Neighbours();
  Neighbours(Neighbours&& other) noexcept;
  Neighbours& operator=(Neighbours&& other) noexcept;

  /// Of this process, for the others: "MACHINE PROCESS". Empty if the system does not tell.
  static std::string address();

  /// Looks once more. Does not wait.
  void look();
  bool is_gone(int rank) const noexcept { return gone_[static_cast<std::size_t>(rank)]; }
  /// Whether each rank is either this one or looked at.
  bool are_all() const noexcept { return are_all_; }

 private:
  std::vector<int> processes_;  // of each rank, a descriptor; -1: not looked at
  std::vector<bool> gone_;
  bool are_all_ = false;
};

}  // namespace quadgate::cluster
