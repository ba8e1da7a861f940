#include "apps/common/launch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

constexpr int kMostRanks = 1 << 20;

class Variables {
 public:
  explicit Variables(const Environment& all) : all_(all) {}

  std::string_view text(std::string_view name) const {
    const auto found = all_.find(name);
    return found == all_.end() ? std::string_view() : found->second;
  }
  bool has(std::string_view name) const { return !text(name).empty(); }

  /// The number of a variable, `otherwise` where it is not set.
  int number(std::string_view name, int least, int otherwise) const {
    return has(name) ? parse(name, text(name), least) : otherwise;
  }

  /// The number at `index` of a list as Slurm writes it, "2(x3),1"; 1 where it is not set.
  int number_in_list(std::string_view name, int index) const {
    std::string_view list = text(name);
    while (!list.empty()) {
      const std::string_view item = list.substr(0, list.find(','));
      list.remove_prefix(std::min(item.size() + 1, list.size()));
      const std::size_t times = item.find("(x");
      const int count = parse(name, item.substr(0, times), 1);
      const std::string_view repeated =
          times == std::string_view::npos ? "1" : item.substr(times + 2, item.size() - times - 3);
      index -= parse(name, repeated, 1);
      if (index < 0) return count;
    }
    return 1;
  }

 private:
  int parse(std::string_view name, std::string_view digits, int least) const {
    int number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size() || number < least ||
        number > kMostRanks) {
      throw InvalidArgument(
          fmt::format("{}: expected {} to {}, found '{}'", name, least, kMostRanks, text(name)));
    }
    return number;
  }

  const Environment& all_;
};

/// What srun says of the ranks of a node. A launcher of an MPI within a job says it better.
void read_slurm(const Variables& variables, Launch& launch) {
  launch.world_size = variables.number("SLURM_STEP_NUM_TASKS", 1, 1);
  launch.rank = variables.number("SLURM_PROCID", 0, 0);
  launch.local_rank = variables.number("SLURM_LOCALID", 0, 0);
  launch.local_size =
      variables.number_in_list("SLURM_STEP_TASKS_PER_NODE", variables.number("SLURM_NODEID", 0, 0));
}

std::optional<Launch> launch_of(const Variables& variables) {
  Launch launch;
  if (variables.has("OMPI_COMM_WORLD_SIZE")) {
    launch.launcher = "mpirun of Open MPI";
    launch.world_size = variables.number("OMPI_COMM_WORLD_SIZE", 1, 1);
    launch.rank = variables.number("OMPI_COMM_WORLD_RANK", 0, 0);
    launch.local_size = variables.number("OMPI_COMM_WORLD_LOCAL_SIZE", 1, 1);
    launch.local_rank = variables.number("OMPI_COMM_WORLD_LOCAL_RANK", 0, 0);
    return launch;
  }
  // In a job of Slurm it starts a helper a node with srun, whose variables are not those of ranks.
  const bool of_slurm = variables.has("SLURM_STEP_NUM_TASKS") && !variables.has("MPI_LOCALNRANKS");
  if (variables.has("PMI_SIZE") && !of_slurm) {
    launch.launcher = "mpirun of MPICH";
    launch.mpi = Mpi::mpich;
    launch.world_size = variables.number("PMI_SIZE", 1, 1);
    launch.rank = variables.number("PMI_RANK", 0, 0);
    launch.local_size = variables.number("MPI_LOCALNRANKS", 1, 1);
    launch.local_rank = variables.number("MPI_LOCALRANKID", 0, 0);
    return launch;
  }
  if (!variables.has("SLURM_STEP_NUM_TASKS")) return {};
  launch.launcher = "srun";
  read_slurm(variables, launch);
  if (variables.has("PMIX_RANK")) return launch;
  launch.mpi = Mpi::mpich;
  if (variables.has("PMI_SIZE") || launch.world_size == 1) return launch;
  throw InvalidArgument(
      fmt::format("srun started {} processes that no MPI can connect: expected --mpi=pmix for Open "
                  "MPI, --mpi=pmi2 for MPICH",
                  launch.world_size));
}

}  // namespace

Environment environment() {
  Environment variables;
  for (char** variable = ::environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return variables;
}

const char* to_string(Mpi mpi) { return mpi == Mpi::openmpi ? "Open MPI" : "MPICH"; }

std::optional<Launch> launch(const Environment& variables) {
  const Variables all(variables);
  std::optional<Launch> found = launch_of(all);
  if (found && all.has("SLURM_CPUS_ON_NODE")) {
    found->node_cpus = all.number("SLURM_CPUS_ON_NODE", 1, 1);
  }
  return found;
}

bool is_first(const Environment& variables) {
  for (const char* const name : {"OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const auto rank = variables.find(name); rank != variables.end()) return rank->second == "0";
  }
  return true;
}

}  // namespace quadgate::apps
