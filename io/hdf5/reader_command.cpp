#include "io/hdf5/reader_command.h"

#include <memory>
#include <mutex>
#include <utility>

#include "io/files/child_service.h"
#include "io/hdf5/reader_program.h"
#include "io/hdf5/reader_service.h"

namespace quadgate::hdf5 {

extern const char* const kInstalledReader;  // of reader_location.cpp

namespace {

class ReaderProgram {
 public:
  static ReaderProgram& instance() {
    static ReaderProgram program;
    return program;
  }

  std::filesystem::path get() {
    const std::scoped_lock lock(mutex_);
    return path_;
  }

  void set(std::filesystem::path path) {
    const std::scoped_lock lock(mutex_);
    path_ = std::move(path);
  }

 private:
  std::mutex mutex_;
  std::filesystem::path path_ = kInstalledReader;
};

}  // namespace

std::filesystem::path reader_program() { return ReaderProgram::instance().get(); }

void set_reader_program(std::filesystem::path program) {
  ReaderProgram::instance().set(std::move(program));
}

std::vector<std::string> reader_arguments(const std::filesystem::path& file) {
  return {"quadgate", kReaderCommand, file.string()};
}

bool run_reader(int argc, char** argv) {
  if (argc != 3 || !child::has_owner()) return false;
  const std::filesystem::path path = argv[2];
  std::unique_ptr<ReaderService> reader;  // made by the first request, whose answer is its error
  child::serve([&](std::span<const std::byte> request, child::Bytes& answer) {
    if (!reader) reader = std::make_unique<ReaderService>(child::kFile, path);
    reader->answer(request, answer);
  });
}

}  // namespace quadgate::hdf5
