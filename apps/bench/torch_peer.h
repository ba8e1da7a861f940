#pragma once

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>

#include "apps/bench/step_shape.h"
#include "engine/model/batch.h"

namespace quadgate::apps {

/// PyTorch at the same training step, in a Python process of its own, which sleeps between
/// questions. The process ends with this object, or with this program.
class TorchPeer {
 public:
  /// Starts `python`, and waits until it has made a model of `shape` and data like `batch`. It has
  /// one thread on each of `cpus`, or, without these, `threads` where the system puts them. Throws
  /// FileError if `python` cannot be started or has no torch.
  TorchPeer(const std::string& python, const StepShape& shape, const Batch& batch, int threads,
            std::span<const int> cpus);
  ~TorchPeer();
  TorchPeer(const TorchPeer&) = delete;
  TorchPeer& operator=(const TorchPeer&) = delete;

  const std::string& version() const noexcept { return version_; }
  /// Why this PyTorch cannot do the step, as one without AVX-512 cannot in bf16; empty if it can.
  const std::string& problem() const noexcept { return problem_; }

  /// Runs steps for about `seconds`. Returns the median of their seconds.
  double step_seconds(double seconds);

 private:
  explicit TorchPeer(const std::string& python);

  /// The field `key` of an answer in JSON.
  std::string field(const std::string& text, const std::string& key) const;
  /// Sends a line and reads one; empty if the process has ended.
  std::string exchange(std::string_view line) const;

  std::string python_;
  int socket_ = -1;
  pid_t process_ = -1;
  std::string version_;
  std::string problem_;
};

}  // namespace quadgate::apps
