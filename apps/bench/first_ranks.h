#pragma once

#include <map>
#include <memory>

#include "apps/bench/rank_values.h"
#include "engine/cluster/communicator.h"

namespace quadgate::apps {

/// The first ranks of a run, as many as asked for at a time, while the others sleep.
class FirstRanks {
 public:
  /// `all` must outlive it.
  explicit FirstRanks(cluster::Communicator& all) : all_(all) {}

  /// Calls body(communicator, null for one rank) on the first `count` ranks. All ranks wait for its
  /// end.
  template <typename Body>
  void run(int count, Body body) {
    if (all_.rank() < count) {
      std::unique_ptr<cluster::Communicator>& view = views_[count];
      if (!view) view = std::make_unique<cluster::Communicator>(all_, count);
      body(count == 1 ? nullptr : view.get());
    }
    meet(all_);
  }

 private:
  cluster::Communicator& all_;
  std::map<int, std::unique_ptr<cluster::Communicator>> views_;
};

}  // namespace quadgate::apps
