#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace quadgate::apps {

/// What a run of the program left.
struct Outcome {
  int code = -1;  ///< exit code, or -signal if one ended it
  std::string out;
  std::string err;
};

/// A temporary folder in which the program is run, with a small data set, data.h5, and a run file
/// for it, run.toml, that trains into run/.
class Workspace : public ::testing::Test {
 protected:
  static constexpr std::int64_t kTrainSize = 80;
  static constexpr std::int64_t kTestSize = 20;

  void SetUp() override;
  void TearDown() override;

  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const std::string& text) const;
  std::string read(const std::string& name) const;

  /// Runs the program until it ends. `file_limit`, if any, is the most bytes that it may make a
  /// file long, which stands for a full disk.
  Outcome run(const std::vector<std::string>& args, std::optional<rlim_t> file_limit = {}) const;
  /// Starts it, waits until `ready`, sends `signal`, and waits for its end.
  Outcome interrupt(const std::vector<std::string>& args, int signal,
                    const std::function<bool()>& ready) const;

  /// Starts it in the background, as `user` if given, which takes root; `finish` waits for its end.
  pid_t start(const std::vector<std::string>& args, std::optional<rlim_t> file_limit = {},
              std::optional<uid_t> user = {}) const;
  Outcome finish(pid_t child) const;

  /// Every file of the folder and its bytes.
  std::map<std::string, std::string> files() const;

  /// Expects exit code `code`, nothing on stdout, and one line with `part` on stderr.
  static void expect_error(const Outcome& outcome, int code, const std::string& part);

 private:
  std::filesystem::path folder_;
};

}  // namespace quadgate::apps
