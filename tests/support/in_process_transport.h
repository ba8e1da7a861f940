#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <vector>

#include "engine/cluster/transport.h"

namespace quadgate::testing {

/// Ranks that are threads of this process: a mailbox each, where the receiver copies what was sent.
/// It must outlive its transports.
class InProcessNetwork {
 public:
  using Clock = std::chrono::steady_clock;

  explicit InProcessNetwork(int world_size) : mailboxes_(static_cast<std::size_t>(world_size)) {
    for (auto& mailbox : mailboxes_) mailbox = std::make_unique<Mailbox>();
  }

  int world_size() const noexcept { return static_cast<int>(mailboxes_.size()); }
  std::unique_ptr<cluster::Transport> transport(int rank);

 private:
  struct Sent {
    int source;
    int tag;
    int request;
    std::span<const std::byte> bytes;
  };
  struct Wanted {
    int source;
    int tag;
    int request;
    std::span<std::byte> bytes;
  };
  struct Match {
    Sent sent;
    Wanted wanted;
  };
  /// Of a rank. Its mutex guards all.
  struct Mailbox {
    std::mutex mutex;
    std::vector<Sent> sent;      // to this rank
    std::vector<Wanted> wanted;  // by this rank
    std::vector<int> done;       // requests of this rank
    std::vector<Match> matches;  // of one call of test
  };
  class Rank;

  Mailbox& mailbox(int rank) { return *mailboxes_[static_cast<std::size_t>(rank)]; }

  std::vector<std::unique_ptr<Mailbox>> mailboxes_;
};

class InProcessNetwork::Rank final : public cluster::Transport {
 public:
  Rank(InProcessNetwork& network, int rank)
      : network_(network), mine_(network.mailbox(rank)), rank_(rank) {}

  int rank() const noexcept override { return rank_; }
  int world_size() const noexcept override { return network_.world_size(); }

  void isend(int request, int rank, int tag, std::span<const std::byte> bytes) override {
    Mailbox& other = network_.mailbox(rank);
    const std::scoped_lock lock(other.mutex);
    other.sent.push_back({rank_, tag, request, bytes});
  }

  void irecv(int request, int rank, int tag, std::span<std::byte> bytes) override {
    const std::scoped_lock lock(mine_.mutex);
    mine_.wanted.push_back({rank, tag, request, bytes});
  }

  void test(std::vector<int>& done) override {
    match();
    for (const Match& match : mine_.matches) {
      if (match.sent.bytes.size() != match.wanted.bytes.size()) {
        throw cluster::Error("a message has another size than it is received with");
      }
      std::ranges::copy(match.sent.bytes, match.wanted.bytes.begin());
      done.push_back(match.wanted.request);
      Mailbox& source = network_.mailbox(match.sent.source);
      const std::scoped_lock lock(source.mutex);
      source.done.push_back(match.sent.request);
    }
    const std::scoped_lock lock(mine_.mutex);
    done.insert(done.end(), mine_.done.begin(), mine_.done.end());
    mine_.done.clear();
  }

  void abort(int) noexcept override {}

 private:
  /// Takes out each message that is wanted, in order.
  void match() {
    mine_.matches.clear();
    const std::scoped_lock lock(mine_.mutex);
    std::erase_if(mine_.sent, [&](const Sent& sent) {
      const auto wanted = std::ranges::find_if(mine_.wanted, [&](const Wanted& candidate) {
        return candidate.source == sent.source && candidate.tag == sent.tag;
      });
      if (wanted == mine_.wanted.end()) return false;
      mine_.matches.push_back({sent, *wanted});
      mine_.wanted.erase(wanted);
      return true;
    });
  }

  InProcessNetwork& network_;
  Mailbox& mine_;
  int rank_;
};

inline std::unique_ptr<cluster::Transport> InProcessNetwork::transport(int rank) {
  return std::make_unique<Rank>(*this, rank);
}

}  // namespace quadgate::testing
