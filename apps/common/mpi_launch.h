#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "apps/common/launch.h"
#include "engine/cluster/transport.h"

namespace quadgate::apps {

/// The plug-in for the MPI that a launcher wants: a file beside `program`, or where `cmake
/// --install` puts it. Throws FileError, which says what to do, if there is none.
std::filesystem::path find_plugin(const Launch& launch, const std::filesystem::path& program);

/// Throws InvalidArgument unless an MPI sees as many ranks as the launcher started. Each rank is
/// alone where the two do not fit, and all of them would write into one folder.
void expect_ranks(const Launch& launch, int world_size, std::string_view mpi);

/// Joins the other ranks; nothing if there is only one. The thread that calls this uses and
/// destroys what it returns. Throws what the two above throw, and cluster::Error.
std::unique_ptr<cluster::Transport> connect(const Launch& launch);

}  // namespace quadgate::apps
