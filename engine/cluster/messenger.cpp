#include "engine/cluster/messenger.h"

#include <algorithm>

namespace quadgate::cluster {
namespace {

int tag_of(MessageKind kind, int stream) noexcept {
  constexpr int kKinds = 4;
  return stream * kKinds + static_cast<int>(kind);
}

/// Calls body(piece) for each piece of a message.
template <typename Bytes, typename Body>
void for_each_piece(Bytes bytes, Body body) {
  for (std::size_t begin = 0; begin < bytes.size(); begin += Messenger::kPiece) {
    body(bytes.subspan(begin, std::min(Messenger::kPiece, bytes.size() - begin)));
  }
}

}  // namespace

void Messenger::add_requests(std::size_t count) {
  const std::size_t begin = requests_.size();
  requests_.resize(begin + count);
  done_.reserve(requests_.size());
  free_.reserve(requests_.size());
  for (std::size_t request = begin; request < requests_.size(); ++request) {
    free_.push_back(static_cast<int>(request));
  }
}

int Messenger::take_request(Request request) {
  if (free_.empty()) add_requests(requests_.size());
  const int number = free_.back();
  free_.pop_back();
  requests_[static_cast<std::size_t>(number)] = request;
  ++*request.pending;
  if (!request.is_notice) ++moving_;
  return number;
}

void Messenger::send(int rank, MessageKind kind, int stream,
                     std::span<const std::span<const std::byte>> arrays, int& pending) {
  std::int64_t size = 0;
  for (const std::span<const std::byte> bytes : arrays) {
    size += static_cast<std::int64_t>(bytes.size());
    for_each_piece(bytes, [&](std::span<const std::byte> piece) {
      const int request = take_request({&pending, -1, kind == MessageKind::control});
      transport_.isend(request, rank, tag_of(kind, stream), piece);
    });
  }
  if (size == 0 || kind == MessageKind::control) return;
  const bool large = kind == MessageKind::large;
  (large ? traffic_.bytes : traffic_.small_bytes) += size;
  ++(large ? traffic_.messages : traffic_.small_messages);
}

void Messenger::receive(int rank, MessageKind kind, int stream, std::span<std::byte> bytes,
                        int& pending) {
  for_each_piece(bytes, [&](std::span<std::byte> piece) {
    const int request = take_request({&pending, rank, kind == MessageKind::control});
    transport_.irecv(request, rank, tag_of(kind, stream), piece);
  });
}

bool Messenger::poll() {
  done_.clear();
  transport_.test(done_);
  for (const int request : done_) {
    const auto [pending, source, is_notice] = requests_[static_cast<std::size_t>(request)];
    --*pending;
    if (!is_notice) --moving_;
    if (source >= 0) heard_[static_cast<std::size_t>(source)] = true;
    free_.push_back(request);
  }
  return !done_.empty();
}

bool Messenger::take_heard(int rank) noexcept {
  const bool heard = heard_[static_cast<std::size_t>(rank)];
  heard_[static_cast<std::size_t>(rank)] = false;
  return heard;
}

}  // namespace quadgate::cluster
