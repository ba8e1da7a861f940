// How long the ranks of a run take to exchange gradients of several sizes, after each has computed
// for a while. Rank 0 prints medians in microseconds, with the least and the most.
//
//   mpirun -n R exchange_bench PLUGIN [COMPUTE_US [STEPS]]

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/cluster/communicator.h"
#include "engine/cluster/gradient_exchange.h"
#include "engine/mpi/mpi_transport.h"

namespace quadgate {
namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

struct Phases {
  std::vector<double> reduce_scatter;
  std::vector<double> sum_of_squares;
  std::vector<double> all_gather;
};

void compute(Microseconds time) {
  const Clock::time_point start = Clock::now();
  while (Clock::now() - start < time) {
  }
}

/// Ranks begin a step together: the wait for the slowest is not the exchange's.
void meet(cluster::Communicator& communicator, std::vector<std::byte>& all) {
  const std::byte mine{};
  communicator.all_gather({&mine, 1}, all);
}

Phases measure(cluster::Communicator& communicator, std::size_t n, Microseconds time, int steps) {
  cluster::GradientExchange exchange(communicator, n, communicator.world_size());
  const std::vector<float> gradient(n, 1.0F);
  std::vector<float> weights(n);
  std::vector<std::byte> all(static_cast<std::size_t>(communicator.world_size()));
  Phases phases;
  for (int step = -5; step < steps; ++step) {
    meet(communicator, all);
    compute(time);
    std::span<const float> sum;
    const std::array times{
        Clock::now(), (exchange.add(gradient), sum = exchange.reduce_scatter(), Clock::now()),
        (exchange.sum_of_squares(sum), Clock::now()), (exchange.all_gather(weights), Clock::now())};
    if (step < 0) continue;
    phases.reduce_scatter.push_back(Microseconds(times[1] - times[0]).count());
    phases.sum_of_squares.push_back(Microseconds(times[2] - times[1]).count());
    phases.all_gather.push_back(Microseconds(times[3] - times[2]).count());
  }
  return phases;
}

std::string spread(std::vector<double> times) {
  std::ranges::sort(times);
  return fmt::format("{:8.0f} ({:.0f} to {:.0f})", times[times.size() / 2], times.front(),
                     times.back());
}

void run(int argc, char** argv) {
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  const Microseconds time(words.size() > 2 ? std::stod(words[2]) : 5000.0);
  const int steps = words.size() > 3 ? std::stoi(words[3]) : 200;
  cluster::Communicator communicator([&] { return std::make_unique<MpiTransport>(words[1]); });
  const bool prints = communicator.rank() == 0;
  for (const std::size_t n : {1000U, 50000U, 250000U, 1000000U, 4000000U}) {
    const Phases phases = measure(communicator, n, time, steps);
    if (!prints) continue;
    fmt::print("{:8} KB: reduce_scatter {}, sum_of_squares {}, all_gather {}\n", n * 4 / 1000,
               spread(phases.reduce_scatter), spread(phases.sum_of_squares),
               spread(phases.all_gather));
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace quadgate

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: mpirun -n R exchange_bench PLUGIN [COMPUTE_US [STEPS]]\n");
    return 2;
  }
  try {
    quadgate::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "exchange_bench: {}\n", error.what());
    return 1;
  }
}
