#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/launch.h"
#include "apps/common/placement.h"
#include "engine/cluster/communicator.h"

namespace quadgate::apps {

/// The processes that a launcher started for one piece of work, this one being one of them.
class Ranks {
 public:
  /// Joins the others; null where no launcher started this process, or it alone. All ranks then
  /// compute with the instructions that each machine has, and only the first one warns. Throws
  /// InvalidArgument if the launcher's numbers cannot be or the ranks' versions differ, FileError
  /// without the library for the launcher's MPI, and cluster::Error.
  static std::unique_ptr<Ranks> join();

  /// The exit code of work(ranks), null where join() is. Where it throws, one rank says for all
  /// what went wrong, and the code is kExitFailed.
  static int work(const std::function<int(Ranks*)>& work);

  cluster::Communicator& communicator() noexcept { return communicator_; }
  /// Whether this is the rank that writes files and speaks.
  bool is_first() const noexcept { return communicator_.rank() == 0; }

  /// As apps::choose_threads, without a number given no more than this rank's part of its node's
  /// cores. Warns of what is slow in where the ranks are. Collective.
  int choose_threads(std::optional<int> flag, std::optional<std::int64_t> run_file);
  /// The cores of every rank. Collective.
  std::vector<RankCores> cores();
  /// Throws InvalidArgument, naming `what` and the rank, unless all ranks have the same text.
  /// Collective.
  void expect_same(std::string_view what, std::string_view text);
  /// Ends the run on all ranks, with one line.
  void fail(std::string_view text) noexcept { communicator_.fail(text); }

 private:
  explicit Ranks(Launch launch);
  std::vector<std::string> gather(std::string_view text);
  void share_isa();

  Launch launch_;
  cluster::Communicator communicator_;
  std::vector<std::string> hosts_;  // by rank
};

}  // namespace quadgate::apps
