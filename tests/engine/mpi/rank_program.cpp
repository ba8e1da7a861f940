// A rank of the tests of MpiTransport: rank_program PLUGIN SCENARIO. It says what went wrong, and
// exits with 1.

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/cluster/communicator.h"
#include "engine/cluster/error.h"
#include "engine/mpi/mpi_transport.h"
#include "tests/engine/mpi/exchange_steps.h"

namespace {

using Bytes = std::vector<std::byte>;
using quadgate::MpiTransport;
namespace cluster = quadgate::cluster;

int failures = 0;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  ++failures;
  std::fprintf(stderr, "wrong: %s\n", what.c_str());
}

/// Until `count` requests are done.
void wait(MpiTransport& transport, std::size_t count) {
  std::vector<int> done;
  while (done.size() < count) {
    transport.test(done);
    std::this_thread::yield();
  }
}

Bytes pattern(std::size_t size, int from, int to) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(i * 31 + i / 251 + static_cast<std::size_t>(7 * from + to));
  }
  return bytes;
}

void ring(MpiTransport& transport) {
  const int ranks = transport.world_size();
  const int right = (transport.rank() + 1) % ranks;
  const int left = (transport.rank() + ranks - 1) % ranks;
  int token = transport.rank();
  for (int step = 0; step < ranks; ++step) {
    int next = -1;
    transport.irecv(0, left, 1, std::as_writable_bytes(std::span(&next, 1)));
    transport.isend(1, right, 1, std::as_bytes(std::span(&token, 1)));
    wait(transport, 2);
    token = next;
  }
  expect(token == transport.rank(), "a token went round and came back as another one");
}

/// Every rank sends every other one a message of another size: nothing, what MPI copies at once,
/// and what it sends when the receiver is ready.
void all_to_all(MpiTransport& transport) {
  const auto size = [](int from, int to) {
    constexpr std::size_t kSizes[] = {0, 1, 4095, 70'001, 262'144, 1'500'003};
    return kSizes[static_cast<std::size_t>(from * 2 + to) % std::size(kSizes)];
  };
  const int ranks = transport.world_size();
  std::vector<Bytes> received;
  std::vector<Bytes> sent;
  int request = 0;
  for (int other = 0; other < ranks; ++other) {
    received.emplace_back(size(other, transport.rank()));
    transport.irecv(request++, other, 2, received.back());
  }
  for (int other = 0; other < ranks; ++other) {
    sent.push_back(pattern(size(transport.rank(), other), transport.rank(), other));
    transport.isend(request++, other, 2, sent.back());
  }
  wait(transport, static_cast<std::size_t>(request));
  for (int other = 0; other < ranks; ++other) {
    expect(received[static_cast<std::size_t>(other)] ==
               pattern(size(other, transport.rank()), other, transport.rank()),
           "the message of rank " + std::to_string(other));
  }
}

/// Messages of a tag come in order, also beside those of another tag that are taken first.
void order(MpiTransport& transport) {
  constexpr int kCount = 300;
  constexpr int kTags[] = {5, MpiTransport::kLastTag};
  const int other = transport.rank() ^ 1;
  if (other >= transport.world_size()) return;
  std::vector<int> sent[2];
  std::vector<int> received[2];
  for (const std::size_t kind : {0U, 1U}) {
    sent[kind].resize(kCount);
    received[kind].resize(kCount, -1);
    std::iota(sent[kind].begin(), sent[kind].end(), kTags[kind]);
  }
  const auto bytes = [](int& value) { return std::as_writable_bytes(std::span(&value, 1)); };
  int request = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    for (const std::size_t kind : {0U, 1U}) {
      transport.isend(request++, other, kTags[kind], bytes(sent[kind][i]));
    }
  }
  for (const std::size_t kind : {1U, 0U}) {
    for (int& value : received[kind]) {
      transport.irecv(request++, other, kTags[kind], bytes(value));
    }
  }
  std::vector<int> done;
  std::vector<int> times(static_cast<std::size_t>(request), 0);
  while (done.size() < times.size()) transport.test(done);
  for (const int number : done) ++times[static_cast<std::size_t>(number)];
  expect(times == std::vector<int>(times.size(), 1), "each request is done once");
  expect(received[0] == sent[0] && received[1] == sent[1], "messages overtook each other");
}

/// A receive that nobody answers does not keep the run from ending.
void exchange(MpiTransport& transport) {
  ring(transport);
  all_to_all(transport);
  order(transport);
  static int never = 0;
  transport.irecv(0, (transport.rank() + 1) % transport.world_size(), 9,
                  std::as_writable_bytes(std::span(&never, 1)));
  std::printf("%d of %d, %s\n", transport.rank(), transport.world_size(),
              transport.version().c_str());
}

void expect_error(MpiTransport& transport, std::size_t sent, std::size_t expected) {
  const Bytes message(sent);
  Bytes room(expected);
  transport.isend(0, transport.rank(), 3, message);
  transport.irecv(1, transport.rank(), 3, room);
  try {
    wait(transport, 2);
    expect(false, "a message of another size was taken");
  } catch (const cluster::Error& error) {
    std::printf("%s\n", error.what());
  }
}

void lengths(MpiTransport& transport) {
  expect_error(transport, 8, 16);
  expect_error(transport, 16, 8);
}

void no_such_rank(MpiTransport& transport) {
  int value = 0;
  try {
    transport.isend(0, transport.world_size(), 3, std::as_bytes(std::span(&value, 1)));
    expect(false, "a message to a rank that is not there");
  } catch (const cluster::Error& error) {
    std::printf("%s\n", error.what());
  }
}

void abort_all(MpiTransport& transport) {
  if (transport.rank() == transport.world_size() - 1) transport.abort(1);
  int never = 0;
  transport.irecv(0, transport.world_size() - 1, 3, std::as_writable_bytes(std::span(&never, 1)));
  wait(transport, 1);
}

cluster::Options options_of_faults() {
  return {.timeout = std::chrono::seconds(2),
          .heartbeat = std::chrono::milliseconds(200),
          .host = "here",
          .on_failure =
              [](std::string_view line) {
                std::fprintf(stderr, "quadgate: %.*s\n", static_cast<int>(line.size()),
                             line.data());
              },
          .end_process = [] { std::_Exit(1); }};
}

/// What the ranks add up together.
void steps(const char* plugin) {
  cluster::Communicator communicator([&] { return std::make_unique<MpiTransport>(plugin); });
  std::printf("bits %s\n", quadgate::testing::exchange_steps(communicator).c_str());
}

/// Calls without an end. With a word, rank 1 fails.
void endless(const char* plugin, bool one_fails) {
  cluster::Communicator communicator([&] { return std::make_unique<MpiTransport>(plugin); },
                                     options_of_faults());
  std::vector<int> all(static_cast<std::size_t>(communicator.world_size()));
  for (int step = 0;; ++step) {
    communicator.all_gather(std::as_bytes(std::span(&step, 1)),
                            std::as_writable_bytes(std::span(all)));
    if (step == 100 && communicator.rank() == 0) {
      std::printf("running\n");
      std::fflush(stdout);
    }
    if (step == 200 && one_fails && communicator.rank() == 1) throw std::runtime_error("no reason");
  }
}

/// Another thread than the first one makes, uses and ends a transport.
template <void (*body)(MpiTransport&)>
void in_thread(const char* plugin) {
  std::thread([&] {
    try {
      MpiTransport transport(plugin);
      body(transport);
    } catch (const std::exception& error) {
      expect(false, error.what());
    }
  }).join();
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, void (*)(const char*)> scenarios = {
      {"exchange", in_thread<exchange>},
      {"lengths", in_thread<lengths>},
      {"no_such_rank", in_thread<no_such_rank>},
      {"abort", in_thread<abort_all>},
      {"steps", steps},
      {"endless", [](const char* plugin) { endless(plugin, false); }},
      {"failing", [](const char* plugin) { endless(plugin, true); }}};
  if (argc != 3) return 2;
  try {
    scenarios.at(argv[2])(argv[1]);
  } catch (const cluster::Failure&) {
    return 1;
  } catch (const std::exception& error) {
    expect(false, error.what());
  }
  return failures == 0 ? 0 : 1;
}
