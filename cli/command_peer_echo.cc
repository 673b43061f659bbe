// rtclab peer-echo
#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <memory>

#include "cli/commands.h"
#include "conformance/engine/peer_echo_server.h"
#include "conformance/engine/text_file.h"
#include "conformance/socket/real_clock.h"
#include "results/report/terminal.h"

namespace rtclab::cli {
namespace {

struct PeerEchoOptions {
  std::string listen, token, token_file;
  std::vector<std::string> allow, connect, addresses;
};

Result<conformance::EchoServerOptions> ReadPeerEcho(const PeerEchoOptions& options) {
  conformance::EchoServerOptions out;
  const auto listen = TransportAddress::Parse(options.listen);
  if (!listen) {
    return Fail(
        fmt::format("\"{}\" is no IP address and port, such as 192.0.2.1:4000", options.listen));
  }
  out.listen = *listen;
  out.token = options.token;
  if (!options.token_file.empty()) {
    const auto token = conformance::ReadSecretFile(options.token_file);
    if (!token) return Fail(token.error().reason);
    out.token = *token;
  }
  if (const char* value = std::getenv("RTCLAB_PEER_TOKEN"); out.token.empty() && value != nullptr) {
    out.token = value;
  }
  if (out.token.empty()) return Fail("expected --token, --token-file or RTCLAB_PEER_TOKEN");
  for (const std::string& text : options.allow) {
    const auto prefix = conformance::ParsePrefix(text);
    if (!prefix) return Fail("--allow: " + prefix.error().reason);
    out.allow.push_back(*prefix);
  }
  for (const std::string& text : options.connect) {
    const auto prefix = conformance::ParsePrefix(text);
    if (!prefix) return Fail("--connect: " + prefix.error().reason);
    out.connect.push_back(*prefix);
  }
  for (const std::string& text : options.addresses) {
    const auto ip = IpAddress::Parse(text);
    if (!ip) return Fail(fmt::format("--address: \"{}\" is no IP address", text));
    out.addresses.push_back(*ip);
  }
  return out;
}

int PeerEcho(const PeerEchoOptions& options, const Context& context) {
  const auto misuse = [&context](const std::string& message) {
    results::Print(context.console.err,
                   fmt::format("rtclab: peer-echo: {}\n", results::Printable(message)));
    return 2;
  };
  auto read = ReadPeerEcho(options);
  if (!read) return misuse(read.error().reason);
  auto server = conformance::EchoServer::Listen(std::move(*read));
  if (!server) return misuse(server.error().reason);
  conformance::InterruptOnSignals();
  results::Print(context.console.out,
                 fmt::format("listening on {}\n", server->address().ToString()));
  std::fflush(context.console.out);
  const std::atomic<bool> never{false};
  server->Run(never);
  return 0;
}

}  // namespace

void AddPeerEcho(CLI::App& app, const Context& context, Action& action) {
  CLI::App* command = app.add_subcommand(
      "peer-echo", "Be the peer behind a relay, for `rtclab conform` on another host");
  const auto o = std::make_shared<PeerEchoOptions>();
  command->add_option("LISTEN", o->listen, "Where the tester connects to: IP:PORT over TCP")
      ->required()
      ->type_name("");
  command
      ->add_option("--allow", o->allow,
                   "The relay under test: peers send to it and take TCP connections from it only; "
                   "may be repeated")
      ->required()
      ->type_name("CIDR");
  command
      ->add_option("--connect", o->connect,
                   "Where peers may open TCP connections to: relayed addresses (default: nowhere)")
      ->type_name("CIDR");
  command
      ->add_option("--address", o->addresses,
                   "Where peers are; else where the tester connects to; one a family")
      ->type_name("IP");
  command->add_option("--token", o->token, "What the tester has to know; better RTCLAB_PEER_TOKEN")
      ->type_name("TEXT");
  command->add_option("--token-file", o->token_file, "A file whose first line it is")
      ->type_name("FILE");
  command->footer(
      "Runs until Ctrl-C. Exit codes: 0 stopped, 2 wrong usage or an address that can't be "
      "listened on.\n\n"
      "Example:\n"
      "  RTCLAB_PEER_TOKEN=... rtclab peer-echo 198.51.100.7:4000 --allow 192.0.2.0/24 --connect "
      "192.0.2.0/24\n"
      "  RTCLAB_PEER_TOKEN=... rtclab conform turn:192.0.2.1 --user alice --peer-echo "
      "198.51.100.7:4000");
  command->callback(
      [o, &context, &action] { action = [o, &context] { return PeerEcho(*o, context); }; });
}

}  // namespace rtclab::cli
