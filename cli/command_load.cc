// rtclab load
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>

#include "cli/commands.h"
#include "cli/suite_files.h"
#include "conformance/engine/text_file.h"
#include "conformance/engine/uri.h"
#include "conformance/load/load_json.h"
#include "conformance/load/load_run.h"
#include "conformance/load/process_cpu.h"
#include "conformance/socket/descriptor_limit.h"
#include "results/report/terminal.h"
#include "results/version.h"
#include "results/whole_file.h"

namespace rtclab::cli {
namespace {

namespace load = rtclab::conformance;

struct LoadOptions {
  std::string uri, user, password, password_file, ca_file, peers = "local", direction = "to-peer",
                                                           json;
  bool insecure = false, quiet = false;
  load::LoadPlan plan;
  double step_s = 5, max_time_s = 120, max_p99_ms = 100, max_loss_percent = 1;
};

constexpr const char* kLoadFooter = R"(Examples:
  rtclab load turn:127.0.0.1:3478 --user alice --password secret --clients 50 --rate 20000
  rtclab load turns:turn.example.org --user alice --password-file pw --peers relay --ramp --json load.json

Clients allocate, bind a channel each, and send packets that carry their time; what arrives is compared byte by byte.
With --ramp the rate grows until loss or latency pass their limit: the highest rate within them is the knee. Ask the owner of a
server before you load it. The password may come from RTCLAB_PASSWORD.
Exit codes: 0 run to the end, 2 wrong usage, 3 could not reach the server or did not run to the end.)";

Result<void> AddServerTo(const LoadOptions& options, load::LoadPlan& plan, std::string& uri) {
  const auto parsed = load::ParseServerUri(options.uri);
  if (!parsed) return Fail(options.uri + ": " + parsed.error().reason);
  if (!parsed->turn) return Fail(options.uri + ": expected a turn: or turns: URI");
  load::Target target;
  if (auto added = load::AddServer(target, *parsed); !added) return added;
  plan.client.transport = parsed->transport;
  plan.client.server = target.endpoints.at({target.transport, target.family});
  plan.client.server_name = parsed->host;
  uri = parsed->ToString();
  if (parsed->transport != load::Transport::kTls && parsed->transport != load::Transport::kDtls) {
    return {};
  }
  const auto protocol = parsed->transport == load::Transport::kTls ? load::SecureProtocol::kTls
                                                                   : load::SecureProtocol::kDtls;
  auto secure = load::SecureContext::Client(
      protocol, {.ca_file = options.ca_file, .insecure = options.insecure});
  if (!secure) return tl::unexpected(secure.error());
  plan.client.secure = *secure;
  return {};
}

Result<load::LoadPlan> MakePlan(const LoadOptions& options, std::string& uri) {
  load::LoadPlan plan = options.plan;
  if (auto added = AddServerTo(options, plan, uri); !added) return tl::unexpected(added.error());
  plan.client.username = options.user;
  plan.client.password = options.password;
  if (!options.password_file.empty()) {
    auto secret = load::ReadSecretFile(options.password_file);
    if (!secret) return tl::unexpected(secret.error());
    plan.client.password = *secret;
  }
  if (plan.client.password.empty()) {
    const char* value = std::getenv("RTCLAB_PASSWORD");
    plan.client.password = value == nullptr ? "" : value;
  }
  plan.peers = options.peers == "relay" ? load::LoadPeers::kRelay : load::LoadPeers::kLocal;
  if (plan.peers == load::LoadPeers::kRelay && plan.clients % 2 != 0) {
    return Fail("--peers relay needs an even number of --clients: they are each other's peers");
  }
  if (plan.peers == load::LoadPeers::kRelay && options.direction != "to-peer") {
    return Fail("--direction is for --peers local: with relay every packet goes both ways");
  }
  if (plan.ramp && plan.max_packets_per_s < plan.packets_per_s) {
    return Fail("--max-rate is below --rate, where the ramp begins: raise it or lower --rate");
  }
  if (plan.server_pid != 0 && !load::ProcessCpu(plan.server_pid)) {
    return Fail(fmt::format(
        "--pid {}: no such process in /proc; give the id of the server when it runs on this Linux "
        "machine, or leave --pid out",
        plan.server_pid));
  }
  if (plan.client.password.empty() != plan.client.username.empty()) {
    return Fail(plan.client.username.empty()
                    ? "a password without --user: name the user"
                    : "--user needs --password, --password-file or RTCLAB_PASSWORD");
  }
  plan.to_peer = options.direction != "to-client";
  plan.to_client = options.direction != "to-peer";
  plan.step = TimeDelta::SecondsF(options.step_s);
  plan.max_time = TimeDelta::SecondsF(options.max_time_s);
  plan.max_p99 = TimeDelta::SecondsF(options.max_p99_ms / 1'000);
  plan.max_loss = options.max_loss_percent / 100;
  return plan;
}

int Load(const LoadOptions& options, const Context& context) {
  std::string uri;
  auto plan = MakePlan(options, uri);
  if (!plan) return UsageError(context.console, plan.error().reason);
  if (!options.json.empty()) {
    if (auto writable = results::CheckOutput(options.json); !writable) {
      return UsageError(context.console, "--json: " + writable.error().reason);
    }
  }
  load::InterruptOnSignals();
  load::RaiseDescriptorLimit();
  const bool live = !options.quiet && results::DetectTerminal(fileno(context.console.err)).tty;
  const auto progress = [&](const std::string& line) {
    if (live) results::Print(context.console.err, "\r\x1b[K" + line);
  };
  const load::LoadReport report = load::LoadRun(std::move(*plan), progress).Run();
  if (live) results::Print(context.console.err, "\r\x1b[K");
  if (!options.json.empty()) {
    const auto written = results::WriteOutput(
        options.json, load::LoadJson(report, uri, std::string(results::Build())));
    if (!written) return UsageError(context.console, "--json: " + written.error().reason);
  }
  std::istringstream text(load::LoadText(report, uri));
  for (std::string line; std::getline(text, line);) {
    results::Print(context.console.out, results::Printable(line) + "\n");
  }
  return report.complete ? scenarios::kAllPassed : scenarios::kRunError;
}

// CLI::Range finds nothing wrong with "nan", which is neither below nor above anything: a rate of it would be no limit.
CLI::Validator Between(double low, double high) {
  return CLI::Validator(
      [low, high](std::string& text) -> std::string {
        double value = 0;
        if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high) return {};
        return fmt::format("Value {} not in range {} to {}", text, low, high);
      },
      "");
}

void AddTrafficOptions(CLI::App& command, LoadOptions& options) {
  load::LoadPlan& plan = options.plan;
  command.add_option("--clients", plan.clients, "Allocations held at a time (default: 10)")
      ->type_name("N")
      ->check(Between(1, 10'000));
  command.add_option("--opening", plan.opening, "Allocations under way at a time (default: 32)")
      ->type_name("N")
      ->check(Between(1, 1'000));
  command
      .add_option("--peers", options.peers,
                  "local: sockets here (default); relay: clients in pairs, for a server that can't "
                  "reach us")
      ->type_name("KIND")
      ->check(CLI::IsMember({"local", "relay"}).description(""));
  command.add_option("--direction", options.direction, "to-peer (default), to-client or both")
      ->type_name("WAY")
      ->check(CLI::IsMember({"to-peer", "to-client", "both"}).description(""));
  command.add_option("--size", plan.payload_bytes, "Bytes of application data (default: 1000)")
      ->type_name("BYTES")
      ->check(Between(32, 8'000));
  command
      .add_option("--rate", plan.packets_per_s,
                  "Packets a second of all clients, each direction (default: 1000)")
      ->type_name("N")
      ->check(Between(1.0, 1e7));
  command.add_option("--step", options.step_s, "Seconds that a rate is held (default: 5)")
      ->type_name("S")
      ->check(Between(0.1, 3'600.0));
}

void AddLimitOptions(CLI::App& command, LoadOptions& options) {
  load::LoadPlan& plan = options.plan;
  command.add_flag("--ramp", plan.ramp, "Raise the rate until a limit is reached");
  command.add_option("--factor", plan.ramp_factor, "By which it grows (default: 1.5)")
      ->type_name("F")
      ->check(Between(1.05, 10.0));
  command.add_option("--max-rate", plan.max_packets_per_s, "Where a ramp ends (default: 1000000)")
      ->type_name("N")
      ->check(Between(1.0, 1e7));
  command.add_option("--max-loss", options.max_loss_percent, "Percent (default: 1)")
      ->type_name("PERCENT")
      ->check(Between(0.0, 100.0));
  command.add_option("--max-p99", options.max_p99_ms, "Milliseconds one way (default: 100)")
      ->type_name("MS")
      ->check(Between(0.001, 60'000.0));
  command.add_option("--max-time", options.max_time_s, "Of everything, seconds (default: 120)")
      ->type_name("S")
      ->check(Between(1.0, 86'400.0));
  command.add_option("--max-packets", plan.max_packets, "Of everything (default: 50000000)")
      ->type_name("N")
      ->check(Between(1.0, 1e12));
  command.add_option("--seed", plan.seed, "Of payloads and transaction ids (default: 1)")
      ->type_name("N");
}

}  // namespace

void AddLoad(CLI::App& app, const Context& context, Action& action) {
  CLI::App* command = app.add_subcommand("load", "Measure what a TURN server carries");
  const auto options = std::make_shared<LoadOptions>();
  command->footer(kLoadFooter);
  command->add_option("URI", options->uri, "turn: or turns: URI")->required()->type_name("");
  command->add_option("--user", options->user, "Username")->type_name("NAME");
  command->add_option("--password", options->password, "Password")->type_name("TEXT");
  command->add_option("--password-file", options->password_file, "Password, from a file")
      ->type_name("FILE");
  command->add_option("--ca", options->ca_file, "Trust anchors (default: the system's)")
      ->type_name("PEM");
  command->add_flag("--insecure", options->insecure, "Take any certificate");
  AddTrafficOptions(*command, *options);
  AddLimitOptions(*command, *options);
  command
      ->add_option("--pid", options->plan.server_pid,
                   "The server's process, when it runs here: tells its CPU time a packet")
      ->type_name("PID")
      ->check(CLI::Range(1, 1 << 30).description(""));
  command->add_option("--json", options->json, "Write the results to this file")->type_name("FILE");
  command->add_flag("--quiet,-q", options->quiet, "No live line");
  command->callback([options, &context, &action] {
    action = [options, &context] { return Load(*options, context); };
  });
}

}  // namespace rtclab::cli
