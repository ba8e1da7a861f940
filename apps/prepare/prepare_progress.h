#pragma once

#include <chrono>
#include <string>

#include "apps/common/progress.h"
#include "io/files/file_progress.h"

namespace quadgate::apps {

/// Shows how far `quadgate prepare` is, a line on stderr, if there is no Host; and ends it when a
/// stop is requested, by throwing StopRequest.
class PrepareProgress {
 public:
  PrepareProgress();

  /// Lives no longer than this object.
  ProgressObserver observer() {
    return [this](const FileProgress& progress) { show(progress); };
  }

 private:
  void show(const FileProgress& progress);

  Progress::Time begin_;  // of the work on a file
  std::string work_;
  Progress progress_;
};

/// "reading a.csv  1.2 of 5.0 GB  84 MB/s  0:45 left"
std::string progress_text(const FileProgress& progress, double seconds);

}  // namespace quadgate::apps
