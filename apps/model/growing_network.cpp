#include "apps/model/growing_network.h"

#include <algorithm>
#include <utility>

#include "apps/common/threads.h"

namespace quadgate::apps {

std::int64_t forward_rows(std::int64_t longest) {
  constexpr std::int64_t kFewest = 16;
  constexpr std::int64_t kMost = 256;
  constexpr std::int64_t kMostSteps = std::int64_t{1} << 15;
  return std::clamp(kMostSteps / longest, kFewest, kMost);
}

GrowingNetwork::GrowingNetwork(const Checkpoint& checkpoint, ModelConfig config,
                               std::int64_t longest, std::int64_t sequences, int threads,
                               std::int64_t streams)
    : config_(std::move(config)),
      streams_(streams),
      seq_len_(longest),
      batch_size_(streams > 0 ? streams : std::min(forward_rows(longest), sequences)),
      arena_(threads, choose_pinning(threads)),
      network_(plan()) {
  checkpoint.load_parameters(network_->parameters());
}

std::unique_ptr<Network> GrowingNetwork::plan() {
  return std::make_unique<Network>(
      config_, seq_len_, batch_size_, arena_,
      NetworkOptions{.carries_states = streams_ > 0, .forward_only = true});
}

void GrowingNetwork::fit(std::int64_t longest, std::int64_t sequences) {
  const std::int64_t seq_len = std::max(longest, seq_len_);
  const std::int64_t batch_size =
      streams_ > 0 ? streams_ : std::min(forward_rows(seq_len), std::max(sequences, batch_size_));
  if (seq_len == seq_len_ && batch_size == batch_size_) return;
  seq_len_ = seq_len;
  batch_size_ = batch_size;
  auto larger = plan();
  {
    ParameterEditor editor = larger->parameters().edit();
    std::ranges::copy(network_->parameters().values(), editor.values().begin());
  }
  if (const RecurrentStates* states = network_->carried_states()) {
    *larger->carried_states() = *states;
  }
  network_ = std::move(larger);
}

}  // namespace quadgate::apps
