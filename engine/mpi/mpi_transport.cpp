#include "engine/mpi/mpi_transport.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "engine/base/error.h"
#include "engine/mpi/mpi_functions.h"

namespace quadgate {
namespace {

const QuadgateMpi& load(const std::filesystem::path& plugin) {
  // Libraries that an MPI loads by itself later look for its symbols among the global ones. It is
  // never unloaded: an MPI leaves threads and handlers behind.
  void* const library = ::dlopen(plugin.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    const std::string reason = ::dlerror();
    throw FileError(reason.find(plugin.filename()) != std::string::npos
                        ? reason
                        : fmt::format("{}: {}", plugin.string(), reason));
  }
  void* const symbol = ::dlsym(library, QUADGATE_MPI_SYMBOL);
  if (symbol == nullptr) {
    throw FileError(fmt::format("{}: it is of another version of quadgate: expected the symbol {}",
                                plugin.string(), QUADGATE_MPI_SYMBOL));
  }
  return *reinterpret_cast<const QuadgateMpi* (*)()>(symbol)();
}

/// "Open MPI v4.1.4" of what an MPI says of itself at length.
std::string version_of(const QuadgateMpi& mpi) {
  std::array<char, 256> text{};
  mpi.version_text(text.data(), static_cast<int>(text.size()));
  const std::string all = text.data();
  std::string name = all.substr(0, all.find_first_of(",\n"));
  std::replace(name.begin(), name.end(), '\t', ' ');
  return name;
}

void expect_done(const QuadgateMpi& mpi, int error, const char* call) {
  if (error == 0) return;
  std::array<char, 512> text{};
  mpi.error_text(error, text.data(), static_cast<int>(text.size()));
  throw cluster::Error(fmt::format("{} ({}): {}", call, version_of(mpi), text.data()));
}

const QuadgateMpi& begin(const std::filesystem::path& plugin) {
  const QuadgateMpi& mpi = load(plugin);
  expect_done(mpi, mpi.init(), "MPI_Init_thread");
  return mpi;
}

int int_size(std::size_t bytes) {
  if (bytes > std::numeric_limits<int>::max()) {
    throw InvalidArgument(
        fmt::format("a message of MPI: expected less than 2 GiB, found {} bytes", bytes));
  }
  return static_cast<int>(bytes);
}

}  // namespace

MpiTransport::MpiTransport(const std::filesystem::path& plugin)
    : mpi_(begin(plugin)), rank_(mpi_.rank()), world_size_(mpi_.size()) {}

MpiTransport::~MpiTransport() {
  if (!aborted_) mpi_.finalize();
}

void MpiTransport::isend(int request, int rank, int tag, std::span<const std::byte> bytes) {
  expect_done(mpi_, mpi_.isend(request, rank, tag, bytes.data(), int_size(bytes.size())),
              "MPI_Isend");
  ++under_way_;
}

void MpiTransport::irecv(int request, int rank, int tag, std::span<std::byte> bytes) {
  expect_done(mpi_, mpi_.irecv(request, rank, tag, bytes.data(), int_size(bytes.size())),
              "MPI_Irecv");
  ++under_way_;
}

void MpiTransport::test(std::vector<int>& done) {
  const std::size_t before = done.size();
  done.resize(before + under_way_);
  int count = 0;
  const int error = mpi_.testsome(done.data() + before, &count);
  done.resize(before + static_cast<std::size_t>(count));
  under_way_ -= static_cast<std::size_t>(count);
  expect_done(mpi_, error, "MPI_Testsome");
}

void MpiTransport::abort(int exit_code) noexcept {
  aborted_ = true;
  mpi_.abort(exit_code);
}

std::string MpiTransport::version() const { return version_of(mpi_); }

}  // namespace quadgate
