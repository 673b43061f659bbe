// The program: the commands with the simulator behind them.
#include "cli/commands.h"
#include "scenarios/executor.h"

int main(int argc, char** argv) {
  const rtclab::cli::Context context{rtclab::scenarios::Execute,
                                     rtclab::scenarios::StandardConsole()};
  return rtclab::cli::Main(argc, argv, context);
}
