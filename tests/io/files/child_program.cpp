// Does what the requests of child_process_test.cpp say: what a service can do to its process.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "io/files/child_service.h"

namespace quadgate {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

void use_cpu(double seconds) {
  const std::clock_t start = std::clock();
  while (static_cast<double>(std::clock() - start) < seconds * CLOCKS_PER_SEC) {
  }
}

std::string content_of_file() {
  std::string text(100, '\0');
  const ::ssize_t size = ::pread(child::kFile, text.data(), text.size(), 0);
  return text.substr(0, static_cast<std::size_t>(std::max<::ssize_t>(0, size)));
}

/// The descriptors that are open, as "0 1 2 ".
std::string descriptors() {
  std::string text;
  for (int descriptor = 0; descriptor < 1000; ++descriptor) {
    if (::lseek(descriptor, 0, SEEK_CUR) >= 0 || errno != EBADF) {
      text += std::to_string(descriptor);
      text += ' ';
    }
  }
  return text;
}

std::string obey(const std::string& order) {
  if (order == "throw") throw std::runtime_error("a.h5: no");
  if (order == "abort") std::abort();
  if (order == "loop") use_cpu(100);
  if (order == "work") use_cpu(0.5);
  if (order == "allocate") {
    if (::mmap(nullptr, 128 * kMiB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) {
      throw std::bad_alloc();
    }
  }
  for (const auto& [name, signal] :
       {std::pair{"kill", SIGKILL}, {"interrupt", SIGINT}, {"stop", SIGSTOP}}) {
    if (order == name) std::raise(signal);
  }
  if (order == "print") std::fputs("not to be seen\n", stderr);
  if (order == "file") return content_of_file();
  if (order == "descriptors") return descriptors();
  return order == "long" ? std::string(kMiB + 1, 'x') : "did " + order;
}

void serve(std::span<const std::byte> request, child::Bytes& answer) {
  const std::string text = obey({reinterpret_cast<const char*>(request.data()), request.size()});
  const auto bytes = std::as_bytes(std::span(text));
  answer.assign(bytes.begin(), bytes.end());
}

}  // namespace
}  // namespace quadgate

/// "child_program wrong" says that it is of another version.
int main(int argc, char** argv) {
  if (!quadgate::child::has_owner()) return 2;
  if (argc > 1 && std::string_view(argv[1]) == "wrong") {
    constexpr std::array<char, 8> kOther{'o', 't', 'h', 'e', 'r'};
    const auto written = ::write(quadgate::child::kSocket, kOther.data(), kOther.size());
    ::pause();
    return written == 8 ? 0 : 1;
  }
  if (argc > 1) return 3;
  quadgate::child::serve(quadgate::serve);
}
