#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

/// What a ChildProcess and the program that it starts know of each other. Both are of one build; a
/// program of another one is told by its greeting.
namespace quadgate::child {

using Bytes = std::vector<std::byte>;

/// What one answer of a child process may take.
struct AnswerLimits {
  std::int64_t cpu_milliseconds;
  std::int64_t memory_bytes;  ///< beyond what the process had when it began
};

// The child's descriptors, beside those of /dev/null.
inline constexpr int kSocket = 3;
inline constexpr int kFile = 4;

/// The first bytes that a child sends: "QG", "chld", and the version of all below.
inline constexpr std::uint64_t kGreeting = 0x5147'6368'6c64'0001;

inline constexpr int kOutOfMemory = 1;  ///< exit status

/// The request follows it.
struct RequestHeader {
  std::int64_t size;
  AnswerLimits limits;
};

/// The answer follows it, or the message of an error.
struct AnswerHeader {
  std::int64_t size;
  std::int64_t is_error;
};

static_assert(std::has_unique_object_representations_v<RequestHeader> &&
              std::has_unique_object_representations_v<AnswerHeader>);

}  // namespace quadgate::child
