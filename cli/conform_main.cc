// `conform` alone, without the simulator: quick to build while cases are written. cmake --build --preset dev --target rtclab_conform_only
#include "cli/commands.h"

// After App.hpp, which they build on.
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

int main(int argc, char** argv) {
  CLI::App app("rtclab conform", "rtclab");
  const rtclab::cli::Context context{{}, rtclab::scenarios::StandardConsole()};
  rtclab::cli::Action action;
  app.require_subcommand(1);
  rtclab::cli::AddConform(app, context, action);
  rtclab::cli::AddPeerEcho(app, context, action);
  CLI11_PARSE(app, argc, argv);
  return action();
}
