#pragma once

#include "engine/cluster/messenger.h"

namespace quadgate::cluster {

/// This rank's part in a collective call, the work of the communicating thread.
class Job {
 public:
  Job() = default;
  virtual ~Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// Does what can be done now, without waiting: it is called again when a piece of a message is
  /// done. Returns whether this rank's part is over; then nothing of it is under way. Throws Error.
  virtual bool advance(Messenger& messenger) = 0;
};

}  // namespace quadgate::cluster
