// rtclab schema
#include <memory>
#include <string>

#include "cli/commands.h"
#include "results/report/terminal.h"
#include "results/series.h"
#include "results/version.h"
#include "scenarios/schema.h"

namespace rtclab::cli {

void AddSchema(CLI::App& app, const Context& context, Action& action) {
  CLI::App* command = app.add_subcommand("schema", "Print a JSON Schema, for editors and scripts");
  const auto which = std::make_shared<std::string>("scenario");
  command->add_option("WHICH", *which, "scenario (default), results or series")
      ->type_name("")
      ->check(CLI::IsMember({"scenario", "results", "series"}).description(""));
  command->footer(
      "Example:\n  rtclab schema scenario > scenario.schema.json\n"
      "A scenario file with { \"$schema\": \"scenario.schema.json\", ... } is then completed and "
      "checked by editors.");
  command->callback([which, &context, &action] {
    action = [which, &context] {
      const std::string text = *which == "results"  ? std::string(results::ResultsSchema())
                               : *which == "series" ? std::string(results::SeriesSchema())
                                                    : scenarios::ScenarioSchema().dump(2) + "\n";
      results::Print(context.console.out, text);
      return static_cast<int>(scenarios::kAllPassed);
    };
  });
}

}  // namespace rtclab::cli
