#include "apps/bench/torch_peer.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>
#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <vector>

#include "apps/common/embedded.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

/// Starts `python` on torch_step.py, with `socket` as its stdin and stdout and without stderr;
/// returns 0 or the system's error.
int spawn(const std::string& python, int socket, pid_t& process) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, socket, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string program = python;
  std::string option = "-c";
  std::string text(embedded_torch_step());
  char* argv[] = {program.data(), option.data(), text.data(), nullptr};
  const int error = posix_spawnp(&process, python.c_str(), &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

nlohmann::json request(const StepShape& shape, const Batch& batch, int threads,
                       std::span<const int> cpus) {
  std::vector<std::int64_t> lengths;
  for (std::size_t row = 1; row < batch.offsets.size(); ++row) {
    lengths.push_back(batch.offsets[row] - batch.offsets[row - 1]);
  }
  return {{"cell", to_string(shape.cell)},
          {"proj_size", shape.proj_size},
          {"precision", to_string(shape.options.precision)},
          {"input_size", shape.input_size},
          {"hidden_size", shape.hidden_size},
          {"num_layers", shape.num_layers},
          {"bidirectional", shape.bidirectional},
          {"vocabulary", shape.vocabulary},
          {"lengths", lengths},
          {"threads", threads},
          {"cpus", cpus}};
}

}  // namespace

TorchPeer::TorchPeer(const std::string& python) : python_(python) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    throw FileError(fmt::format("{}: cannot be talked to: {}", python, reason(errno)));
  }
  const int error = spawn(python, ends[1], process_);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    throw FileError(fmt::format("{}: cannot be started: {}", python, reason(error)));
  }
  socket_ = ends[0];
}

TorchPeer::TorchPeer(const std::string& python, const StepShape& shape, const Batch& batch,
                     int threads, std::span<const int> cpus)
    : TorchPeer(python) {
  const std::string answer = exchange(request(shape, batch, threads, cpus).dump() + "\n");
  const auto parsed = nlohmann::json::parse(answer, nullptr, false);
  if (parsed.is_object() && parsed.contains("error") && parsed.contains("version")) {
    version_ = parsed["version"].get<std::string>();
    problem_ = fmt::format("PyTorch {} cannot do this step: {}", version_,
                           parsed["error"].get<std::string>());
    return;
  }
  version_ = field(answer, "version");
}

TorchPeer::~TorchPeer() {
  close(socket_);
  kill(process_, SIGTERM);
  waitpid(process_, nullptr, 0);
}

double TorchPeer::step_seconds(double seconds) {
  constexpr int kFewestSteps = 5;
  const nlohmann::json request = {{"seconds", seconds}, {"fewest", kFewestSteps}};
  return std::stod(field(exchange(request.dump() + "\n"), "step_ms_median")) / 1e3;
}

std::string TorchPeer::field(const std::string& text, const std::string& key) const {
  const auto answer = nlohmann::json::parse(text, nullptr, false);
  if (answer.is_object() && answer.contains("error")) {
    throw FileError(fmt::format("{}: {}", python_, answer["error"].get<std::string>()));
  }
  if (!answer.is_object() || !answer.contains(key)) {
    throw FileError(fmt::format("{}: ended, or answered with something else", python_));
  }
  return answer[key].is_string() ? answer[key].get<std::string>() : answer[key].dump();
}

std::string TorchPeer::exchange(std::string_view line) const {
  while (!line.empty()) {
    // If it has ended, that is an error here, not a signal.
    const ssize_t sent = ::send(socket_, line.data(), line.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      return {};
    }
    line.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string answer;
  for (char next = 0; ::read(socket_, &next, 1) == 1 && next != '\n';) {
    answer += next;
  }
  return answer;
}

}  // namespace quadgate::apps
