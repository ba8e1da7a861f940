#pragma once

#include "apps/common/command.h"
#include "apps/model/export.h"
#include "apps/model/import.h"

namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace quadgate::apps {

/// Adds the subcommand `export`, which fills `arguments` and, where it is chosen, `command`.
void add_export(CLI::App& app, ExportArguments& arguments, Command& command);
/// Likewise `import`.
void add_import(CLI::App& app, ImportArguments& arguments, Command& command);

}  // namespace quadgate::apps
