#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace quadgate::apps {

using Environment = std::map<std::string, std::string, std::less<>>;

/// The variables of this process.
Environment environment();

enum class Mpi { openmpi, mpich };

const char* to_string(Mpi mpi);  ///< "Open MPI", "MPICH"

/// What a launcher says of this process, one of those that it started as the ranks of a run.
struct Launch {
  std::string launcher;    ///< "mpirun of Open MPI", "mpirun of MPICH", "srun"
  Mpi mpi = Mpi::openmpi;  ///< that it starts processes for
  int world_size = 1;
  int rank = 0;
  int local_size = 1;  ///< ranks on this node
  int local_rank = 0;
  std::optional<int> node_cpus =
      {};  ///< those of this node that the job has, where the launcher tells
};

/// Whose rank this process is; nothing if no launcher started it. An empty variable is none. Throws
/// InvalidArgument, naming the variable, for a number that cannot be, and if srun started several
/// processes that no MPI can connect.
std::optional<Launch> launch(const Environment& variables);

/// Whether this process is the first one of its launcher, also where launch() throws, or has none.
bool is_first(const Environment& variables);

/// How long the launcher has to end the other ranks, once one has said what is wrong.
constexpr std::chrono::seconds kTurn(2);

}  // namespace quadgate::apps
