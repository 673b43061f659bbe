// rtclab presets
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/commands.h"
#include "results/report/terminal.h"
#include "scenarios/link_presets.h"
#include "sim/firewall/presets.h"
#include "sim/nat/presets.h"

namespace rtclab::cli {
namespace {

using Json = nlohmann::ordered_json;

// The presets of one kind as name, description, source.
template <typename Presets>
Json Rows(const Presets& presets) {
  Json rows = Json::array();
  for (const auto& p : presets) {
    rows.push_back({{"name", p.name}, {"description", p.description}, {"source", p.source}});
  }
  return rows;
}

std::string Text(const Json& all, const results::Terminal& t) {
  std::string out;
  const auto wrapped = [&](const std::string& text, results::Color color) {
    for (const std::string& line : results::Wrap(text, static_cast<std::size_t>(t.width) - 6)) {
      out += "      " + results::Paint(t, color, line) + "\n";
    }
  };
  for (const auto& [kind, rows] : all.items()) {
    out += results::Paint(t, results::Color::kBold, kind + " presets") + "\n";
    for (const Json& row : rows) {
      out += "  " + results::Paint(t, results::Color::kCyan, row["name"].get<std::string>()) + "\n";
      wrapped(row["description"], results::Color::kNone);
      wrapped("source: " + row["source"].get<std::string>(), results::Color::kDim);
    }
    out += "\n";
  }
  return out;
}

}  // namespace

void AddPresets(CLI::App& app, const Context& context, Action& action) {
  CLI::App* command =
      app.add_subcommand("presets", "Show the named NATs, firewalls and links, with their sources");
  const auto kind = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("KIND", *kind, "nat, firewall or link (default: all)")
      ->type_name("")
      ->check(CLI::IsMember({"nat", "firewall", "link"}).description(""));
  command->add_flag("--json", *json, "As JSON, for scripts");
  command->footer("Example:\n  rtclab presets nat");
  command->callback([kind, json, &context, &action] {
    action = [kind, json, &context] {
      Json all = Json::object();
      if (kind->empty() || *kind == "nat") all["nat"] = Rows(sim::NatPresets());
      if (kind->empty() || *kind == "firewall") all["firewall"] = Rows(sim::FirewallPresets());
      if (kind->empty() || *kind == "link") all["link"] = Rows(scenarios::LinkPresets());
      results::Print(context.console.out,
                     *json ? all.dump(2) + "\n" : Text(all, context.console.out_terminal));
      return static_cast<int>(scenarios::kAllPassed);
    };
  });
}

}  // namespace rtclab::cli
