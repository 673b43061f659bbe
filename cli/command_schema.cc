// rtclab schema
#include <memory>
#include <string>

#include "cli/commands.h"
#include "conformance/engine/target_file.h"
#include "conformance/load/load_json.h"
#include "conformance/report/report.h"
#include "results/report/terminal.h"
#include "results/series.h"
#include "results/version.h"
#include "scenarios/schema.h"

namespace rtclab::cli {
namespace {

std::string SchemaText(const std::string& which) {
  if (which == "results") return std::string(results::ResultsSchema());
  if (which == "series") return std::string(results::SeriesSchema());
  if (which == "conformance") return std::string(conformance::ConformanceSchema());
  if (which == "target") return std::string(conformance::TargetSchema());
  if (which == "load") return std::string(conformance::LoadSchema());
  return scenarios::ScenarioSchema().dump(2) + "\n";
}

}  // namespace

void AddSchema(CLI::App& app, const Context& context, Action& action) {
  CLI::App* command = app.add_subcommand("schema", "Print a JSON Schema, for editors and scripts");
  const auto which = std::make_shared<std::string>("scenario");
  command
      ->add_option("WHICH", *which,
                   "scenario (default), results, series, conformance, target or load")
      ->type_name("")
      ->check(CLI::IsMember({"scenario", "results", "series", "conformance", "target", "load"})
                  .description(""));
  command->footer(
      "Example:\n  rtclab schema scenario > scenario.schema.json\n"
      "A scenario file with { \"$schema\": \"scenario.schema.json\", ... } is then completed and "
      "checked by editors.");
  command->callback([which, &context, &action] {
    action = [which, &context] {
      const std::string text = SchemaText(*which);
      results::Print(context.console.out, text);
      return static_cast<int>(scenarios::kAllPassed);
    };
  });
}

}  // namespace rtclab::cli
