#include "engine/cluster/communicator.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "engine/base/error.h"
#include "engine/cluster/job.h"
#include "engine/cluster/neighbours.h"
#include "engine/cluster/progress_thread.h"
#include "engine/cluster/record_gather.h"

namespace quadgate::cluster {

Communicator::Communicator() = default;

Communicator::Communicator(const std::function<std::unique_ptr<Transport>()>& make,
                           Options options) {
  const std::string host = options.host;
  thread_ = std::make_shared<ProgressThread>(make, std::move(options));
  if (!thread_->has_transport()) {
    thread_.reset();
    return;
  }
  world_size_ = thread_->world_size();
  records_ = std::make_unique<RecordGather>(world_size_);
  const auto gather = [&](const std::string& mine) {
    std::vector<std::string> all;
    for (const auto& text : all_gather_any(std::as_bytes(std::span(mine)))) {
      all.emplace_back(reinterpret_cast<const char*>(text.data()), text.size());
    }
    return all;
  };
  std::vector<std::string> hosts = gather(host);
  thread_->set_places(std::move(hosts), gather(Neighbours::address()));
}

Communicator::Communicator(Communicator& all, int ranks)
    : world_size_(ranks), is_whole_(ranks == all.world_size()) {
  if (ranks <= all.rank() || ranks > all.world_size()) {
    throw InvalidArgument(fmt::format("the first ranks of a run: expected {} to {}, found {}",
                                      all.rank() + 1, all.world_size(), ranks));
  }
  if (ranks == 1) return;
  thread_ = all.thread_;
  records_ = std::make_unique<RecordGather>(ranks);
}

Communicator::~Communicator() = default;

int Communicator::rank() const noexcept { return thread_ ? thread_->rank() : 0; }
int Communicator::world_size() const noexcept { return world_size_; }

void Communicator::all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
  if (world_size() == 1) {
    std::ranges::copy(mine, all.begin());
    return;
  }
  records_->begin(mine, all);
  run(*records_);
}

std::vector<std::vector<std::byte>> Communicator::all_gather_any(std::span<const std::byte> mine) {
  const std::vector<std::uint64_t> sizes = sizes_of(mine);
  std::vector<std::byte> padded(std::ranges::max(sizes));
  std::ranges::copy(mine, padded.begin());
  std::vector<std::byte> all(padded.size() * sizes.size());
  all_gather(padded, all);
  std::vector<std::vector<std::byte>> records;
  for (std::size_t rank = 0; rank < sizes.size(); ++rank) {
    const auto record = std::span(all).subspan(rank * padded.size(), sizes[rank]);
    records.emplace_back(record.begin(), record.end());
  }
  return records;
}

std::vector<std::vector<std::byte>> Communicator::gather_any(std::span<const std::byte> mine) {
  const std::vector<std::uint64_t> sizes = sizes_of(mine);
  std::vector<std::vector<std::byte>> records;
  if (rank() == 0) {
    for (const std::uint64_t size : sizes) records.emplace_back(size);
  }
  if (world_size() > 1) {
    RecordsToFirst gather(mine, records);
    run(gather);
  } else {
    records[0].assign(mine.begin(), mine.end());
  }
  return records;
}

std::vector<std::uint64_t> Communicator::sizes_of(std::span<const std::byte> record) {
  const std::uint64_t size = record.size();
  std::vector<std::uint64_t> sizes(static_cast<std::size_t>(world_size()));
  all_gather(std::as_bytes(std::span(&size, 1)), std::as_writable_bytes(std::span(sizes)));
  return sizes;
}

Traffic Communicator::traffic() const noexcept { return thread_ ? thread_->traffic() : Traffic{}; }

double Communicator::waited_seconds() const noexcept {
  return thread_ ? thread_->waited_seconds() : 0;
}

void Communicator::fail(std::string_view text) noexcept {
  if (thread_) thread_->fail(text);
}

void Communicator::run(Job& job) { thread_->run(job, is_whole_); }
void Communicator::begin(Job& job) { thread_->begin(job, is_whole_); }
void Communicator::wait(const std::function<bool()>& is_over) { thread_->wait(is_over); }
void Communicator::end() {
  wait([] { return false; });
}
void Communicator::nudge() { thread_->nudge(); }

}  // namespace quadgate::cluster
