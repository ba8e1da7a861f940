#include "apps/common/ranks.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <thread>
#include <utility>

#include "apps/common/command.h"
#include "apps/common/mpi_launch.h"
#include "apps/common/start_deadline.h"
#include "apps/common/threads.h"
#include "apps/common/warn.h"
#include "engine/base/error.h"
#include "kernels/base/isa.h"

namespace quadgate::apps {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown host";
}

void write_error(std::string_view line) {
  std::fputs(fmt::format("quadgate: error: {}\n", one_line(line)).c_str(), stderr);
}

cluster::Options options() {
  return {.host = host_name(),
          .advice = "; go on with --resume",
          .on_failure =
              [](std::string_view line) {
                write_error(line);
                be_quiet();  // the launcher ends this rank, too
              },
          .end_process = [] { std::_Exit(kExitFailed); }};
}

/// As connect. A rank that is gone before all have found each other is nobody's but the launcher's
/// to tell, and srun lets the others wait for ever: they end. The first one speaks, the second one
/// if it is there no more.
std::unique_ptr<cluster::Transport> connect_in_time(const Launch& launch) {
  constexpr std::chrono::seconds kLimit(120);
  const StartDeadline deadline(kLimit + kTurn * std::min(launch.rank, 2), [&] {
    if (launch.rank < 2) {
      write_error(fmt::format(
          "rank {} ({}) did not find all {} ranks within {} s: one is gone, or cannot be reached",
          launch.rank, host_name(), launch.world_size, kLimit.count()));
    }
    std::_Exit(kExitFailed);
  });
  return connect(launch);
}

}  // namespace

std::unique_ptr<Ranks> Ranks::join() {
  std::optional<Launch> launched = launch(environment());
  if (!launched || launched->world_size == 1) return nullptr;
  if (launched->rank != 0) be_quiet();
  return std::unique_ptr<Ranks>(new Ranks(*std::move(launched)));
}

Ranks::Ranks(Launch launch)
    : launch_(std::move(launch)),
      communicator_([this] { return connect_in_time(launch_); }, options()) {
  hosts_ = gather(host_name());
  expect_same("version of quadgate", QUADGATE_VERSION);
  share_isa();
}

int Ranks::work(const std::function<int(Ranks*)>& work) {
  std::unique_ptr<Ranks> ranks;
  try {
    ranks = join();
  } catch (const cluster::Failure&) {
    return kExitFailed;
  } catch (const InvalidArgument&) {
    // No rank can do what the launcher asks for: the first one says so.
    if (apps::is_first(environment())) throw;
    return kExitWrongUse;
  } catch (const FileError&) {
    // This may be a matter of one node. Else the first one says it, and most launchers end the
    // others.
    if (!apps::is_first(environment())) std::this_thread::sleep_for(kTurn);
    throw;
  }
  if (ranks == nullptr) return work(nullptr);
  try {
    return work(ranks.get());
  } catch (const cluster::Failure&) {
  } catch (const std::bad_alloc&) {
    ranks->fail("out of memory");
  } catch (const std::exception& error) {
    ranks->fail(error.what());
  }
  return kExitFailed;
}

/// f32 sums depend on the width of the vectors.
void Ranks::share_isa() {
  const kernels::Isa mine = kernels::active_isa();
  const std::vector<std::string> names = gather(kernels::to_string(mine));
  kernels::Isa lowest = mine;
  for (const std::string& name : names) {
    lowest = std::min(lowest, kernels::parse_isa(name).value_or(lowest));
  }
  kernels::cap_isa(lowest);
  for (std::size_t rank = 0; rank < names.size(); ++rank) {
    if (names[rank] != kernels::to_string(lowest) || names[rank] == names[0]) continue;
    return note(fmt::format("rank {} ({}) has {} alone, rank 0 ({}) {}: all compute with {}", rank,
                            hosts_[rank], names[rank], hosts_[0], names[0], names[rank]));
  }
}

int Ranks::choose_threads(std::optional<int> flag, std::optional<std::int64_t> run_file) {
  const NodeCores node = node_cores();
  int threads = apps::choose_threads(flag, run_file);
  if (!flag && !run_file) threads = std::min(threads, cores_of_rank(launch_, node));
  for (const std::string& line : placement_warnings(launch_, node, threads)) warn(line);
  const std::vector<std::string> all = gather(std::to_string(threads));
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    note(
        fmt::format("rank {} ({}) has {} threads, rank 0 ({}) {}: each step takes as long as the "
                    "slowest",
                    rank, hosts_[rank], all[rank], hosts_[0], all[0]));
    break;
  }
  return threads;
}

std::vector<RankCores> Ranks::cores() {
  std::vector<RankCores> all;
  for (const std::string& text : gather(to_text(rank_cores()))) {
    all.push_back(parse_rank_cores(text));
  }
  return all;
}

void Ranks::expect_same(std::string_view what, std::string_view text) {
  const std::vector<std::string> all = gather(text);
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    throw InvalidArgument(
        fmt::format("{}: expected the same at all ranks, found others at rank 0 "
                    "({}) and rank {} ({})",
                    what, hosts_[0], rank, hosts_[rank]));
  }
}

std::vector<std::string> Ranks::gather(std::string_view text) {
  std::vector<std::string> all;
  for (const auto& bytes : communicator_.all_gather_any(std::as_bytes(std::span(text)))) {
    all.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return all;
}

}  // namespace quadgate::apps
