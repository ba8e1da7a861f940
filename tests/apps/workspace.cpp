#include "tests/apps/workspace.h"
#include "tests/support/paths.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "engine/base/random.h"
#include "io/prepare/dataset_writer.h"

namespace quadgate::apps {
namespace {

constexpr const char* kRunFile = R"([data]
path = "data.h5"
[model]
hidden_size = 8
num_layers = 2
dropout = 0.2
[train]
epochs = 3
batch_size = 16
lr = 1e-2
clip_norm = 1.0
threads = 2
[output]
dir = "run"
)";

/// Sequences of 5 to 9 steps and 3 features: noise around the number of their class, 0 to 2.
LabelledSequences sequences(std::int64_t count, std::uint64_t seed) {
  LabelledSequences data("synthetic");
  data.input_size = 3;
  data.class_names = {"zero", "one, or \"1\"", "two"};
  for (std::int64_t row = 0; row < count; ++row) {
    const auto random = philox(seed, {static_cast<std::uint32_t>(row), 0, 0, 0});
    const std::int64_t label = row % 3;
    const std::uint32_t length = 5 + random[0] % 5;
    std::vector<float> x;
    for (std::uint32_t i = 0; i < 3 * length; ++i) {
      const auto noise = philox(seed, {static_cast<std::uint32_t>(row), 1, i, 0});
      x.push_back(static_cast<float>(label) + to_unit_float(noise[0]));
    }
    data.add(x, label);
  }
  return data;
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

void redirect(int descriptor, const char* file) {
  const int opened = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  dup2(opened, descriptor);
}

}  // namespace

void Workspace::SetUp() {
  std::string name = testing::TempDir() + "quadgate_XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  folder_ = name;
  std::filesystem::create_directory(folder_ / "w");
  write_sequences(path("data.h5"), sequences(kTrainSize + 10, 1), {}, sequences(kTestSize, 2),
                  {.valid_fraction = 10.0 / (kTrainSize + 10), .standardize = true});
  write("run.toml", kRunFile);
}

void Workspace::TearDown() { std::filesystem::remove_all(folder_); }

void Workspace::write(const std::string& name, const std::string& text) const {
  std::ofstream(path(name), std::ios::binary) << text;
}

std::string Workspace::read(const std::string& name) const { return text_of(path(name)); }

pid_t Workspace::start(const std::vector<std::string>& args, std::optional<rlim_t> file_limit,
                       std::optional<uid_t> user) const {
  std::vector<std::string> words = {paths::program()};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (chdir(folder_.c_str()) != 0) {
      _exit(126);
    }
    redirect(STDOUT_FILENO, "w/stdout");
    redirect(STDERR_FILENO, "w/stderr");
    if (file_limit) {
      const rlimit limit{*file_limit, *file_limit};
      setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (user && setuid(*user) != 0) {
      _exit(126);
    }
    execv(argv[0], argv.data());
    _exit(127);
  }
  return child;
}

Outcome Workspace::finish(pid_t child) const {
  int status = 0;
  waitpid(child, &status, 0);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return {code, read("w/stdout"), read("w/stderr")};
}

Outcome Workspace::run(const std::vector<std::string>& args,
                       std::optional<rlim_t> file_limit) const {
  return finish(start(args, file_limit));
}

Outcome Workspace::interrupt(const std::vector<std::string>& args, int signal,
                             const std::function<bool()>& ready) const {
  const pid_t child = start(args, {});
  siginfo_t info = {};
  // Waits without reaping, so that a child that ended too early is not waited for.
  const auto running = [&] {
    info.si_pid = 0;
    waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == 0;
  };
  while (running() && !ready()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  kill(child, signal);
  return finish(child);
}

std::map<std::string, std::string> Workspace::files() const {
  std::map<std::string, std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (entry.is_regular_file() && entry.path().parent_path() != folder_ / "w") {
      found[entry.path().lexically_relative(folder_).string()] = text_of(entry.path());
    }
  }
  return found;
}

void Workspace::expect_error(const Outcome& outcome, int code, const std::string& part) {
  EXPECT_EQ(outcome.code, code) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, testing::StartsWith("quadgate: error: "));
  EXPECT_THAT(outcome.err, testing::HasSubstr(part));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_TRUE(outcome.err.ends_with('\n'));
}

}  // namespace quadgate::apps
