#include "apps/model/input_data.h"

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "apps/common/messages.h"
#include "apps/common/signals.h"
#include "apps/common/warn.h"
#include "apps/model/text_output.h"
#include "apps/prepare/prepare_pieces.h"

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

InputData::InputData(const std::filesystem::path& input, KnownData model,
                     const std::filesystem::path& output, std::filesystem::path future)
    : model_(std::move(model)),
      future_(std::move(future)),
      folder_(make_folder(output)),
      path_(folder_ / "input.h5"),
      name_(is_standard_stream(input) ? "/dev/stdin" : input.string()) {}

InputData::~InputData() {
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

PrepareArguments InputData::arguments() const {
  PrepareArguments arguments;
  arguments.inputs = {name_};
  arguments.future = future_;
  arguments.output = path_;
  return arguments;
}

void InputData::answer(const std::function<void()>& work) {
  with_messages(
      [&] {
        prepare_like(arguments(), model_, words_);
        work();
      },
      [&](const std::string& message) { return named(message); });
}

void InputData::answer_pieces(bool windows, const std::function<void()>& work) {
  const bool is_whole = std::filesystem::is_regular_file(name_) || !future_.empty();
  if (is_whole || !comes_in_pieces(model_, windows)) return answer(work);
  with_messages([&] { prepare_pieces(arguments(), model_, words_, work); },
                [&](const std::string& message) { return named(message); });
}

std::string InputData::named(std::string message) const {
  for (std::size_t at = message.find(path_.string()); at != std::string::npos;
       at = message.find(path_.string(), at + name_.size())) {
    message.replace(at, path_.string().size(), name_);
  }
  return message;
}

void InputData::tell_notes() const {
  for (const std::string& line : words_.notes) note(line);
}

}  // namespace quadgate::apps
