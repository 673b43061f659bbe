// rtclab version
#include "cli/commands.h"
#include "results/report/terminal.h"
#include "results/version.h"

namespace rtclab::cli {

void AddVersion(CLI::App& app, const Context& context, Action& action) {
  CLI::App* command = app.add_subcommand("version", "Show version and git revision");
  command->callback([&context, &action] {
    action = [&context] {
      results::Print(context.console.out, "rtclab " + std::string(results::Build()) + "\n");
      return static_cast<int>(scenarios::kAllPassed);
    };
  });
}

}  // namespace rtclab::cli
