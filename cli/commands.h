// The subcommands of rtclab. Each has a file of its own, command_NAME.cc, that declares its options and runs it.
#ifndef RTCLAB_CLI_COMMANDS_H_
#define RTCLAB_CLI_COMMANDS_H_

#include <CLI/App.hpp>
#include <functional>

#include "scenarios/runner/runner.h"

namespace rtclab::cli {

// What every command may use.
struct Context {
  scenarios::Executor executor;  // runs one spec on the virtual internet
  scenarios::Console console;
};

// Set by the command that the user chose; called after parsing. Returns the exit code.
using Action = std::function<int()>;

void AddRun(CLI::App& app, const Context& context, Action& action);
void AddCheck(CLI::App& app, const Context& context, Action& action);
void AddList(CLI::App& app, const Context& context, Action& action);
void AddExplain(CLI::App& app, const Context& context, Action& action);
void AddPresets(CLI::App& app, const Context& context, Action& action);
void AddConform(CLI::App& app, const Context& context, Action& action);
void AddPeerEcho(CLI::App& app, const Context& context, Action& action);
void AddSchema(CLI::App& app, const Context& context, Action& action);
void AddLoad(CLI::App& app, const Context& context, Action& action);
void AddServe(CLI::App& app, const Context& context, Action& action);
void AddVersion(CLI::App& app, const Context& context, Action& action);

// The whole program: parses `argv`, runs the command, returns the exit code (see scenarios::ExitCode).
int Main(int argc, const char* const* argv, const Context& context);

}  // namespace rtclab::cli

#endif  // RTCLAB_CLI_COMMANDS_H_
