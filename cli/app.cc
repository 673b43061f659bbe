// Parsing of the command line, and help where it goes wrong.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "results/report/terminal.h"
#include "results/version.h"
#include "scenarios/runner/selection.h"

namespace rtclab::cli {
namespace {

using results::Print;

constexpr const char* kExamples = R"(Examples:
  rtclab run scenarios/suites/quickstart.json       run a scenario file, show what happened
  rtclab run scenarios/suites/nat-matrix.json       every NAT against every NAT
  rtclab explain RUN-ID                             why one of those runs went as it did
  rtclab presets nat                                the NATs that a scenario can name

`rtclab COMMAND --help` says more about a command.
Exit codes: 0 all passed, 1 an expectation failed, 2 wrong usage or scenario, 3 a run crashed or timed
out or the results could not be written, 128 + N ended by signal N.)";

std::string Suggest(const std::string& wrong, const std::vector<std::string>& valid) {
  const std::string nearest = scenarios::Nearest(wrong, valid);
  return nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest);
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::vector<std::string> OptionNames(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// What CLI11 would say about a wrong first word or option, with the nearest right one. Empty: nothing to say.
std::string Mistake(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty()) return "";
  const std::string& first = arguments.front();
  const std::vector<std::string> commands = CommandNames(app);
  const bool known = std::find(commands.begin(), commands.end(), first) != commands.end();
  if (!known && !first.starts_with('-')) {
    std::error_code ignored;
    const std::string hint = std::filesystem::exists(first, ignored)
                                 ? fmt::format("; to run a scenario file: rtclab run {}", first)
                                 : Suggest(first, commands);
    return fmt::format("there is no command \"{}\"{}", first, hint);
  }
  const CLI::App* command = known ? app.get_subcommand(first) : &app;
  std::string path = known ? "rtclab " + first : "rtclab";
  // A command of commands, such as serve.
  if (known && !CommandNames(*command).empty() && arguments.size() > 1 &&
      !arguments[1].starts_with('-')) {
    const std::vector<std::string> inner = CommandNames(*command);
    if (std::find(inner.begin(), inner.end(), arguments[1]) == inner.end()) {
      return fmt::format("{} has no command \"{}\"{}", path, arguments[1],
                         Suggest(arguments[1], inner));
    }
    command = command->get_subcommand(arguments[1]);
    path += " " + arguments[1];
  }
  const std::vector<std::string> options = OptionNames(*command);
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    const std::string name = argument.substr(0, argument.find('='));
    if (!name.starts_with("--") ||
        std::find(options.begin(), options.end(), name) != options.end()) {
      continue;
    }
    return fmt::format("{} has no option {}{}", path, name, Suggest(name, options));
  }
  return "";
}

int Refuse(const Context& context, const std::string& message, const std::string& command) {
  Print(context.console.err,
        fmt::format("rtclab: {}\nrtclab {}--help shows what there is\n",
                    results::Printable(message), command.empty() ? "" : command + " "));
  return scenarios::kUsageError;
}

// `rtclab run ... >&-` must not give descriptor 1 to the journal, where what is printed would end up in it.
void OpenClosedStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // open() takes the lowest free descriptor, which is this one.
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF) open("/dev/null", O_RDWR);
  }
}

}  // namespace

int Main(int argc, const char* const* argv, const Context& context) {
  // `rtclab run ... | head` must not lose the results.
  std::signal(SIGPIPE, SIG_IGN);
  OpenClosedStreams();
  CLI::App app(
      "rtclab puts a WebRTC stack on a virtual internet: who sits behind which NAT, firewall and "
      "link, and "
      "what comes of it.",
      "rtclab");
  app.footer(kExamples);
  app.require_subcommand(1);
  app.set_version_flag("--version", "rtclab " + std::string(results::Build()));
  app.get_formatter()->column_width(34);
  Action action;
  AddRun(app, context, action);
  AddExplain(app, context, action);
  AddCheck(app, context, action);
  AddList(app, context, action);
  AddPresets(app, context, action);
  AddConform(app, context, action);
  AddPeerEcho(app, context, action);
  AddSchema(app, context, action);
  AddServe(app, context, action);
  AddLoad(app, context, action);
  AddVersion(app, context, action);

  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) {
    Print(context.console.err, app.help());
    return scenarios::kUsageError;
  }
  const std::string mistake = Mistake(app, arguments);
  const std::vector<std::string> commands = CommandNames(app);
  const bool known =
      std::find(commands.begin(), commands.end(), arguments.front()) != commands.end();
  if (!mistake.empty()) return Refuse(context, mistake, known ? arguments.front() : "");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    if (chosen.empty()) {
      Print(context.console.out, app.help());
    } else {
      const CLI::App* command = chosen.front();
      std::string parents = "rtclab";
      while (!command->get_subcommands().empty()) {
        parents += " " + command->get_name();
        command = command->get_subcommands().front();
      }
      Print(context.console.out, command->help(parents));
    }
    return scenarios::kAllPassed;
  } catch (const CLI::CallForVersion& e) {
    Print(context.console.out, std::string(e.what()) + "\n");
    return scenarios::kAllPassed;
  } catch (const CLI::ParseError& e) {
    return Refuse(context, e.what(), known ? arguments.front() : "");
  }
  const int exit_code = action();
  std::fflush(context.console.out);
  return exit_code;
}

}  // namespace rtclab::cli
