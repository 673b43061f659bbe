// rtclab conform
#include <fmt/format.h>

#include <cstdlib>
#include <memory>

#include "cli/commands.h"
#include "cli/conform_progress.h"
#include "conformance/cases/catalogue.h"
#include "conformance/engine/overlay.h"
#include "conformance/engine/runner.h"
#include "conformance/engine/target_file.h"
#include "conformance/engine/text_file.h"
#include "conformance/engine/uri.h"
#include "conformance/report/report.h"
#include "conformance/socket/real_clock.h"
#include "results/report/terminal.h"
#include "results/whole_file.h"
#include "stack/crypto/base64.h"

namespace rtclab::cli {
namespace {

namespace conf = rtclab::conformance;

struct ConformOptions {
  std::vector<std::string> uris;
  std::string target_file, overlay_file;
  std::string user, password, password_file;
  std::string user2, password2, password2_file;
  std::string rest_secret;
  std::string oauth_kid, oauth_key, oauth_algorithm = "A256GCM", oauth_server_name;
  std::string ca_file;
  bool insecure = false;
  std::vector<std::string> addresses, local_peers, probes;
  std::string peers, peer_echo, peer_token, denied_peer, redirecting;
  bool list = false, slow = false, safety = false, shuffle = false, quiet = false;
  std::vector<std::string> only;
  std::string level = "all", edition;
  uint64_t seed = 1;
  int jobs = 8;
  double time_limit_s = 0;  // 0: the runner's own
  std::string json, junit, html, captures;
};

int Misuse(const Context& context, const std::string& message) {
  results::Print(context.console.err,
                 fmt::format("rtclab: {}\nrtclab conform --help shows what there is\n",
                             results::Printable(message)));
  return 2;
}

// From the option, else from the file, else from the environment.
Result<std::string> Secret(const std::string& option, const std::string& file,
                           const char* variable) {
  if (!option.empty()) return option;
  if (!file.empty()) return conf::ReadSecretFile(file);
  const char* value = std::getenv(variable);
  return std::string(value == nullptr ? "" : value);
}

Result<std::vector<IpAddress>> ParseAddresses(const char* option,
                                              const std::vector<std::string>& texts) {
  std::vector<IpAddress> out;
  for (const std::string& text : texts) {
    const auto ip = IpAddress::Parse(text);
    if (!ip) return Fail(fmt::format("{}: \"{}\" is no IP address", option, text));
    out.push_back(*ip);
  }
  return out;
}

Result<TransportAddress> ParseEndpoint(const char* option, const std::string& text) {
  const auto address = TransportAddress::Parse(text);
  if (!address) {
    return Fail(
        fmt::format("{}: \"{}\" is no IP address and port, such as 192.0.2.1:3478", option, text));
  }
  return *address;
}

Result<void> AddCredentials(const ConformOptions& options, conf::Target& target) {
  const auto first = Secret(options.password, options.password_file, "RTCLAB_PASSWORD");
  if (!first) return Fail(first.error().reason);
  const auto second = Secret(options.password2, options.password2_file, "RTCLAB_PASSWORD2");
  if (!second) return Fail(second.error().reason);
  if (!options.user.empty()) {
    if (first->empty()) {
      return Fail("--user needs --password, --password-file or RTCLAB_PASSWORD");
    }
    target.user = conf::Credentials{options.user, *first};
  }
  if (!options.user2.empty()) {
    if (second->empty()) {
      return Fail("--user2 needs --password2, --password2-file or RTCLAB_PASSWORD2");
    }
    target.second_user = conf::Credentials{options.user2, *second};
  }
  const auto secret = Secret(options.rest_secret, "", "RTCLAB_REST_SECRET");
  if (!secret->empty()) target.rest_secret = *secret;
  const auto key = Secret(options.oauth_key, "", "RTCLAB_OAUTH_KEY");
  if (!options.oauth_kid.empty()) {
    if (key->empty()) return Fail("--oauth-kid needs --oauth-key or RTCLAB_OAUTH_KEY");
    target.oauth =
        conf::OauthKey{options.oauth_kid, *key, options.oauth_algorithm, options.oauth_server_name};
  }
  return {};
}

Result<void> AddPeers(const ConformOptions& options, conf::Target& target) {
  const auto local = ParseAddresses("--local-peer", options.local_peers);
  if (!local) return Fail(local.error().reason);
  target.peers.local.insert(target.peers.local.end(), local->begin(), local->end());
  if (options.peers == "local") target.peers.kind = conf::PeerPlan::Kind::kLocal;
  if (options.peers == "relay") target.peers.kind = conf::PeerPlan::Kind::kRelay;
  if (options.peers == "auto") target.peers.kind = conf::PeerPlan::Kind::kAuto;
  if (!options.peer_echo.empty()) {
    const auto remote = ParseEndpoint("--peer-echo", options.peer_echo);
    if (!remote) return Fail(remote.error().reason);
    target.peers.kind = conf::PeerPlan::Kind::kRemote;
    target.peers.remote = *remote;
    target.peers.remote_token = Secret(options.peer_token, "", "RTCLAB_PEER_TOKEN").value();
    if (target.peers.remote_token.empty()) {
      return Fail("--peer-echo needs --peer-token or RTCLAB_PEER_TOKEN");
    }
  }
  return {};
}

Result<void> AddRest(const ConformOptions& options, conf::Target& target) {
  const auto further = ParseAddresses("--address", options.addresses);
  if (!further) return Fail(further.error().reason);
  target.addresses.insert(target.addresses.end(), further->begin(), further->end());
  const auto probes = ParseAddresses("--probe", options.probes);
  if (!probes) return Fail(probes.error().reason);
  auto& destinations = target.safety.destinations;
  destinations.insert(destinations.end(), probes->begin(), probes->end());
  target.safety.enabled |= options.safety;
  if (!options.denied_peer.empty()) {
    const auto denied = ParseEndpoint("--denied-peer", options.denied_peer);
    if (!denied) return Fail(denied.error().reason);
    target.denied_peer = *denied;
  }
  if (!options.redirecting.empty()) {
    const auto redirecting = ParseEndpoint("--redirecting", options.redirecting);
    if (!redirecting) return Fail(redirecting.error().reason);
    target.redirecting = *redirecting;
  }
  if (!options.ca_file.empty()) target.ca_file = options.ca_file;
  target.insecure |= options.insecure;
  if (options.edition == "5766") target.edition = conf::Edition::kClassic;
  if (options.edition == "8656") target.edition = conf::Edition::kCurrent;
  if (!options.overlay_file.empty()) target.overlay = options.overlay_file;
  return {};
}

// What would only show as failures of the server.
Result<void> CheckCredentials(const conf::Target& target) {
  if (target.user && target.second_user && target.user->username == target.second_user->username) {
    return Fail("the second user has to be another one than the first");
  }
  if (target.oauth) {
    const auto key = crypto::Base64Decode(target.oauth->key);
    const std::size_t size = target.oauth->algorithm == "A128GCM" ? 16 : 32;
    if (!key || key->size() != size) {
      return Fail(
          fmt::format("the key of {} is {} bytes in base64", target.oauth->algorithm, size));
    }
  }
  return {};
}

Result<conf::Target> MakeTarget(const ConformOptions& options) {
  conf::Target target;
  if (!options.target_file.empty()) {
    auto loaded = conf::LoadTarget(options.target_file);
    if (!loaded) return loaded;
    target = std::move(*loaded);
  }
  for (const std::string& text : options.uris) {
    const auto uri = conf::ParseServerUri(text);
    if (!uri) return Fail(uri.error().reason);
    if (const auto added = conf::AddServer(target, *uri); !added) return Fail(added.error().reason);
  }
  for (const auto add : {AddCredentials, AddPeers, AddRest}) {
    if (const auto added = add(options, target); !added) return Fail(added.error().reason);
  }
  if (const auto sound = CheckCredentials(target); !sound) return Fail(sound.error().reason);
  return target;
}

conf::RunOptions MakeRunOptions(const ConformOptions& options) {
  conf::RunOptions run;
  run.only = options.only;
  run.level = options.level == "must"     ? conf::LevelFilter::kMust
              : options.level == "should" ? conf::LevelFilter::kShould
                                          : conf::LevelFilter::kAll;
  run.slow = options.slow;
  run.shuffle = options.shuffle;
  run.seed = options.seed;
  run.jobs = options.jobs;
  if (options.time_limit_s > 0) run.time_limit = TimeDelta::SecondsF(options.time_limit_s);
  return run;
}

int ListCatalogue(const ConformOptions& options, const Context& context) {
  conf::Target everything;
  everything.safety.enabled = true;
  if (options.edition == "5766") everything.edition = conf::Edition::kClassic;
  conf::RunOptions run = MakeRunOptions(options);
  run.slow = true;
  results::Print(context.console.out,
                 conf::ListCases(conf::Select(conf::Catalogue(), everything, run)));
  return 0;
}

// What was found, to where the user wants it. False: a file could not be written.
bool WriteReports(const ConformOptions& options, const Context& context,
                  const conf::RunReport& report) {
  std::vector<Result<void>> written;
  if (!options.json.empty()) written.push_back(conf::WriteJson(report, options.json));
  if (!options.junit.empty()) written.push_back(conf::WriteJunit(report, options.junit));
  if (!options.html.empty()) written.push_back(conf::WriteHtml(report, options.html));
  if (!options.captures.empty()) {
    written.push_back(conf::WriteFailureCaptures(report, options.captures));
  }
  bool all = true;
  for (const Result<void>& one : written) {
    if (one) continue;
    all = false;
    results::Print(context.console.err,
                   fmt::format("rtclab: {}\n", results::Printable(one.error().reason)));
  }
  return all;
}

// The files can be written, which is better known before the run.
Result<void> CheckReports(const ConformOptions& options) {
  for (const std::string& path : {options.json, options.junit, options.html}) {
    if (path.empty()) continue;
    if (auto possible = results::CheckOutput(path); !possible) return possible;
  }
  return options.captures.empty() ? Result<void>() : conf::CheckCaptureDirectory(options.captures);
}

int RunConform(const ConformOptions& options, const Context& context, const conf::Target& target,
               conf::RunOptions run) {
  const results::Terminal out = results::DetectTerminal(fileno(context.console.out));
  ConformProgress progress(context.console.err,
                           results::DetectTerminal(fileno(context.console.err)), options.quiet);
  progress.Begin(fmt::format("asking {} what it can do ...", target.name));
  run.progress = [&progress](int done, int total, const conf::CaseResult& last) {
    progress.CaseEnded(done, total, last);
  };
  conf::InterruptOnSignals();
  conf::RunReport report = conf::Run(conf::Catalogue(), target, run);
  progress.Finish();
  report.uri = options.uris.empty() ? options.target_file : options.uris.front();
  const bool written = WriteReports(options, context, report);
  if (!options.quiet) results::Print(context.console.out, conf::Summary(report, out.color));
  if (options.quiet && !report.complete) {
    results::Print(context.console.err,
                   fmt::format("rtclab: {}\n", results::Printable(report.incomplete_why)));
  }
  return written ? conf::ExitCode(report) : 3;
}

int Conform(const ConformOptions& options, const Context& context) {
  if (options.list) return ListCatalogue(options, context);
  if (options.uris.empty() && options.target_file.empty()) {
    return Misuse(context, "conform: expected the URI of a server, or --target FILE");
  }
  const auto target = MakeTarget(options);
  if (!target) return Misuse(context, "conform: " + target.error().reason);
  conf::RunOptions run = MakeRunOptions(options);
  Result<conf::Overlay> overlay;
  if (!target->overlay.empty()) {
    overlay = conf::LoadOverlay(target->overlay, conf::Catalogue());
    if (!overlay) return Misuse(context, "conform: " + overlay.error().reason);
    run.overlay = &*overlay;
  }
  if (conf::Select(conf::Catalogue(), *target, run).empty()) {
    return Misuse(context, "conform: no case is selected; rtclab conform --list shows them");
  }
  if (const auto possible = CheckReports(options); !possible) {
    return Misuse(context, "conform: " + possible.error().reason);
  }
  return RunConform(options, context, *target, std::move(run));
}

using Options = std::shared_ptr<ConformOptions>;

void AddWho(CLI::App& command, const Options& o) {
  const std::string group = "Credentials";
  const auto text = [&](const char* name, std::string& to, const char* help, const char* type) {
    command.add_option(name, to, help)->type_name(type)->group(group);
  };
  text("--user", o->user, "A user of the server (long-term credentials)", "NAME");
  text("--password", o->password, "Their password; better RTCLAB_PASSWORD in the environment",
       "TEXT");
  text("--password-file", o->password_file, "A file whose first line is the password", "FILE");
  text("--user2", o->user2, "A second user, for cases of two", "NAME");
  text("--password2", o->password2, "Their password; or RTCLAB_PASSWORD2", "TEXT");
  text("--password2-file", o->password2_file, "A file whose first line is that password", "FILE");
  text("--rest-secret", o->rest_secret,
       "Shared secret of time-limited credentials; or RTCLAB_REST_SECRET", "TEXT");
  text("--oauth-kid", o->oauth_kid, "RFC 7635: the key's id", "TEXT");
  text("--oauth-key", o->oauth_key, "The key in base64; or RTCLAB_OAUTH_KEY", "TEXT");
  command.add_option("--oauth-algorithm", o->oauth_algorithm, "Its algorithm")
      ->check(CLI::IsMember({"A256GCM", "A128GCM"}))
      ->capture_default_str()
      ->group(group);
  text("--oauth-server-name", o->oauth_server_name, "The server's name in its tokens", "TEXT");
}

void AddWhere(CLI::App& command, const Options& o) {
  const std::string group = "The server and its peers";
  const auto text = [&](const char* name, std::string& to, const char* help, const char* type) {
    command.add_option(name, to, help)->type_name(type)->group(group);
  };
  text("--target", o->target_file, "A JSON profile of the server, with any of this", "FILE");
  text("--ca", o->ca_file, "Trust anchors for TLS and DTLS (PEM)", "FILE");
  command.add_flag("--insecure", o->insecure, "Take any certificate; the report says so")
      ->group(group);
  command
      .add_option("--address", o->addresses,
                  "A further address of the server: relayed, or its second for RFC 5780")
      ->type_name("IP")
      ->group(group);
  command.add_option("--peers", o->peers, "Peers of relayed data: our sockets, or allocations")
      ->check(CLI::IsMember({"auto", "local", "relay"}))
      ->group(group);
  command
      .add_option("--local-peer", o->local_peers, "An address of this host that the server reaches")
      ->type_name("IP")
      ->group(group);
  text("--peer-echo", o->peer_echo, "Peers on another host: where `rtclab peer-echo` listens",
       "IP:PORT");
  text("--peer-token", o->peer_token, "Its token; or RTCLAB_PEER_TOKEN", "TEXT");
  text("--denied-peer", o->denied_peer, "A peer that the server is known to refuse", "IP:PORT");
  text("--redirecting", o->redirecting, "A listener of the server that answers 300", "IP:PORT");
}

void AddWhich(CLI::App& command, const Options& o) {
  const std::string group = "Which cases, and how";
  command.add_flag("--list", o->list, "Show the cases, run nothing")->group(group);
  command.add_option("--only", o->only, "Only cases whose id matches (* ?); may be repeated")
      ->type_name("GLOB")
      ->group(group);
  command
      .add_option("--level", o->level, "must: MUST and what is not left open; should: SHOULD too")
      ->check(CLI::IsMember({"must", "should", "all"}))
      ->capture_default_str()
      ->group(group);
  command.add_option("--edition", o->edition, "8656: RFC 8489 and 8656; 5766: RFC 5389 and 5766")
      ->check(CLI::IsMember({"8656", "5766"}))
      ->group(group);
  command
      .add_flag("--slow", o->slow, "Also cases that wait for lifetimes to pass: some 10 minutes")
      ->group(group);
  command.add_flag("--safety", o->safety, "Also probes of what a relay must not be used for")
      ->group(group);
  command
      .add_option("--probe", o->probes,
                  "With --safety: an address that may be tried through the relay")
      ->type_name("IP")
      ->group(group);
  command.add_flag("--shuffle", o->shuffle, "In an order drawn from the seed")->group(group);
  command.add_option("--seed", o->seed, "Of the order and of every random byte")
      ->capture_default_str()
      ->group(group);
  command.add_option("--jobs", o->jobs, "Cases side by side")
      ->check(CLI::Range(1, 64))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--time-limit", o->time_limit_s,
                  "Of the whole run (default: 900, with --slow 1800): then what has not begun is "
                  "skipped, exit code 3")
      ->check(CLI::Range(1.0, 86'400.0).description(""))
      ->type_name("SECONDS")
      ->group(group);
}

void AddOutput(CLI::App& command, const Options& o) {
  const std::string group = "Reports";
  const auto file = [&](const char* name, std::string& to, const char* help, const char* type) {
    command.add_option(name, to, help)->type_name(type)->group(group);
  };
  file("--json", o->json, "Everything, as JSON", "FILE");
  file("--junit", o->junit, "JUnit XML", "FILE");
  file("--html", o->html, "A page with every failure's exchange decoded", "FILE");
  file("--pcap-failures", o->captures, "A capture of each failure", "DIR");
  file("--overlay", o->overlay_file, "What the server is known to do otherwise (JSON)", "FILE");
  command
      .add_flag("-q,--quiet", o->quiet, "No progress, no summary: the exit code and the reports")
      ->group(group);
}

}  // namespace

void AddConform(CLI::App& app, const Context& context, Action& action) {
  CLI::App* command = app.add_subcommand(
      "conform", "Test a STUN or TURN server against its RFCs, clause by clause");
  const auto o = std::make_shared<ConformOptions>();
  command
      ->add_option("URI", o->uris,
                   "turn:, turns:, stun: or stuns: URIs of one server; cases run over the first")
      ->type_name("");
  AddWho(*command, o);
  AddWhere(*command, o);
  AddWhich(*command, o);
  AddOutput(*command, o);
  command->footer(
      "Sends to the addresses named here and to this host, and nowhere else. Exit codes: 0 no "
      "failures, 1 failures, 2 wrong\n"
      "usage, 3 the server could not be reached or the run did not end: Ctrl-C, or the time "
      "limit.\n\n"
      "Examples:\n"
      "  rtclab conform turn:127.0.0.1:3478 --user alice --password secret\n"
      "  rtclab conform turn:192.0.2.1 turns:turn.example.org --user alice --html report.html\n"
      "  rtclab conform --target coturn.json --overlay coturn-4.6.1.json --junit conform.xml");
  command->callback(
      [o, &context, &action] { action = [o, &context] { return Conform(*o, context); }; });
}

}  // namespace rtclab::cli
