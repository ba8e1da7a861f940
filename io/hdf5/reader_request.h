#pragma once

#include <cstdint>
#include <type_traits>

namespace quadgate::hdf5 {

enum class ReaderTask : std::int64_t {
  describe,   ///< answered by an encoded Object
  read_rows,  ///< answered by the elements
};

/// What a ReaderClient asks its ReaderService. The name of the object follows it.
struct ReaderRequest {
  ReaderTask task = ReaderTask::describe;
  std::int64_t first = 0;  ///< row to read
  std::int64_t count = 0;  ///< of rows
};
static_assert(std::has_unique_object_representations_v<ReaderRequest>);

}  // namespace quadgate::hdf5
