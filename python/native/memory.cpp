// Data sets in Python's memory, which the commands open by their names: quadgate/_program.py
// declares these functions. One that fails, since memory is short or a name is taken, returns null
// or false.

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/hdf5/memory_file.h"

namespace {

using quadgate::hdf5::Attribute;
using quadgate::hdf5::MemoryFile;

template <typename Body>
bool succeeds(Body body) noexcept {
  try {
    body();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

template <typename Value, typename Given>
bool set(MemoryFile* file, const char* group, const char* name, std::int64_t count,
         const Given* values) noexcept {
  return succeeds([&] { file->set(group, name, std::vector<Value>(values, values + count)); });
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

MemoryFile* quadgate_memory_open(const char* name) {
  std::unique_ptr<MemoryFile> file;
  succeeds([&] { file = std::make_unique<MemoryFile>(name); });
  return file.release();
}

void quadgate_memory_close(MemoryFile* file) { delete file; }

/// `type` as numpy names it; `values` must stay until the file is closed and no command runs.
int quadgate_memory_add(MemoryFile* file, const char* dataset, const char* type, std::int64_t rank,
                        const std::int64_t* shape, const void* values) {
  return succeeds([&] { file->add(dataset, type, {shape, shape + rank}, values); });
}

int quadgate_memory_set_integers(MemoryFile* file, const char* group, const char* name,
                                 std::int64_t count, const std::int64_t* values) {
  return set<std::int64_t>(file, group, name, count, values);
}

int quadgate_memory_set_numbers(MemoryFile* file, const char* group, const char* name,
                                std::int64_t count, const double* values) {
  return set<double>(file, group, name, count, values);
}

int quadgate_memory_set_texts(MemoryFile* file, const char* group, const char* name,
                              std::int64_t count, const char* const* values) {
  return set<std::string>(file, group, name, count, values);
}

}  // extern "C"
#pragma GCC visibility pop
