#pragma once

#ifdef QUADGATE_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace quadgate {

/// A moment between what some threads do and what others do after them. TBB orders the two with
/// atomics inside its library, where the thread sanitizer does not look, so they are told to it
/// here. Between those that come to the moment nothing is said, so their races are found. Without
/// the sanitizer it is nothing.
class Moment {
 public:
  /// What this thread has done until now comes before the moment.
  void comes() noexcept {
#ifdef QUADGATE_THREAD_SANITIZER
    __tsan_release(&place_);
#endif
  }
  /// What this thread does from now on comes after it.
  void has_come() noexcept {
#ifdef QUADGATE_THREAD_SANITIZER
    __tsan_acquire(&place_);
#endif
  }

 private:
  [[maybe_unused]] char place_ = 0;  // by which the sanitizer knows it
};

}  // namespace quadgate
