#pragma once

#include <filesystem>

namespace quadgate::apps {

/// The file of the program `quadgate` that this process is, also where no /proc is mounted.
std::filesystem::path this_program();

/// Says where that file lies if this process is another program, which runs commands of ours. To be
/// called before the first of them.
void set_program(std::filesystem::path program);

}  // namespace quadgate::apps
