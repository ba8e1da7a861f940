#include "apps/common/mpi_launch.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <system_error>

#include "apps/common/program.h"
#include "engine/base/error.h"
#include "engine/mpi/mpi_transport.h"

namespace quadgate::apps {
namespace {

std::string plugin_name(Mpi mpi) {
  return fmt::format("libquadgate_mpi_{}.so", mpi == Mpi::openmpi ? "openmpi" : "mpich");
}

/// Without links, such as /proc/self/exe; as it is if there is none.
std::filesystem::path resolved(const std::filesystem::path& program) {
  std::error_code error;
  const auto path = std::filesystem::canonical(program, error);
  return error ? program : path;
}

std::optional<std::filesystem::path> plugin_for(Mpi mpi, const std::filesystem::path& program) {
  std::error_code error;
  const auto folder = resolved(program).parent_path();
  for (const char* const place : {"", QUADGATE_PLUGIN_FOLDER}) {
    auto file = (folder / place / plugin_name(mpi)).lexically_normal();
    if (std::filesystem::exists(file, error)) return file;
  }
  return {};
}

/// How srun or mpirun gives the program ranks of this MPI.
std::string way_to_start(const Launch& launch, Mpi mpi) {
  if (launch.launcher != "srun") return fmt::format("the mpirun of {}", to_string(mpi));
  return mpi == Mpi::openmpi ? "srun --mpi=pmix" : "srun --mpi=pmi2";
}

}  // namespace

std::filesystem::path find_plugin(const Launch& launch, const std::filesystem::path& program) {
  if (const auto found = plugin_for(launch.mpi, program)) return *found;
  const Mpi other = launch.mpi == Mpi::openmpi ? Mpi::mpich : Mpi::openmpi;
  const std::string advice =
      plugin_for(other, program)
          ? fmt::format("start it with {}", way_to_start(launch, other))
          : std::string("a build of the sources makes it, after scripts/setup --cluster");
  throw FileError(
      fmt::format("{}: {} started {} ranks, and the plug-in for {} is not beside {}; {}",
                  plugin_name(launch.mpi), launch.launcher, launch.world_size,
                  to_string(launch.mpi), resolved(program).string(), advice));
}

void expect_ranks(const Launch& launch, int world_size, std::string_view mpi) {
  if (world_size == launch.world_size) return;
  const char* const advice = launch.launcher == "srun"
                                 ? "expected --mpi=pmix for Open MPI, --mpi=pmi2 for MPICH; srun "
                                   "--mpi=list tells what there is"
                                 : "expected the mpirun of the MPI that the plug-in was built with";
  throw InvalidArgument(fmt::format("{} started {} ranks, but {} finds {}: {}", launch.launcher,
                                    launch.world_size, mpi, world_size, advice));
}

std::unique_ptr<cluster::Transport> connect(const Launch& launch) {
  if (launch.world_size == 1) return nullptr;
  auto transport = std::make_unique<MpiTransport>(find_plugin(launch, this_program()));
  expect_ranks(launch, transport->world_size(), transport->version());
  return transport;
}

}  // namespace quadgate::apps
