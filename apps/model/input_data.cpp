#include "apps/model/input_data.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "apps/common/signals.h"
#include "apps/common/warn.h"
#include "apps/model/text_output.h"

namespace quadgate::apps {
namespace {

std::filesystem::path make_folder(const std::filesystem::path& output) {
  catch_stop_signals(/*ends_reads=*/true);  // so that it does not stay behind
  catch_closed_pipes();
  const std::filesystem::path parent =
      is_standard_stream(output) ? std::filesystem::temp_directory_path() : output.parent_path();
  std::string name = (parent / ".quadgate-input-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) fail_to_write(output, errno);
  return name;
}

}  // namespace

InputData::InputData(const std::filesystem::path& input, const KnownData& model,
                     const std::filesystem::path& output, const std::filesystem::path& future)
    : folder_(make_folder(output)),
      path_(folder_ / "input.h5"),
      name_(is_standard_stream(input) ? "/dev/stdin" : input.string()) {
  try {
    PrepareArguments arguments;
    arguments.inputs = {name_};
    arguments.future = future;
    arguments.output = path_;
    run([&] { prepare_like(arguments, model, words_); });
  } catch (...) {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
    throw;
  }
}

InputData::~InputData() {
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

void InputData::tell_notes() const {
  for (const std::string& line : words_.notes) note(line);
}

std::string InputData::named(std::string message) const {
  for (std::size_t at = message.find(path_.string()); at != std::string::npos;
       at = message.find(path_.string(), at + name_.size())) {
    message.replace(at, path_.string().size(), name_);
  }
  return message;
}

}  // namespace quadgate::apps
