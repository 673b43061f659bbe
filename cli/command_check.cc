// rtclab check
#include <memory>

#include "cli/commands.h"
#include "results/report/terminal.h"
#include "scenarios/listing.h"

namespace rtclab::cli {

void AddCheck(CLI::App& app, const Context& context, Action& action) {
  CLI::App* command =
      app.add_subcommand("check", "Say whether scenario files are right, and what is not");
  const auto files = std::make_shared<std::vector<std::filesystem::path>>();
  command->add_option("FILE", *files, "Scenario files")->required()->type_name("");
  command->footer(
      "Runs nothing. A mistake gets a line with file, line, column and JSON pointer, what was "
      "expected and\n"
      "the nearest valid name. Exit code 2 when there is one.\n\nExample:\n  rtclab check "
      "scenarios/suites/*.json");
  command->callback([files, &context, &action] {
    action = [files, &context] {
      const scenarios::Listing listing = scenarios::CheckFiles(*files);
      results::Print(context.console.out, listing.out);
      results::Print(context.console.err, listing.err);
      return listing.exit_code;
    };
  });
}

}  // namespace rtclab::cli
