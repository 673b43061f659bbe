// rtclab serve turn
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>

#include "cli/commands.h"
#include "cli/suite_files.h"
#include "conformance/server/credentials.h"
#include "conformance/server/turn_host.h"
#include "conformance/socket/descriptor_limit.h"
#include "conformance/socket/real_clock.h"
#include "results/report/terminal.h"
#include "stack/crypto/base64.h"

namespace rtclab::cli {
namespace {

namespace cf = rtclab::conformance;

struct ServeOptions {
  std::vector<std::string> listen, secure_listen, relay, users, rest_secrets, oauth_keys;
  std::vector<std::string> allow, deny, redirect;
  std::string users_file, realm = "rtclab", oauth_server, certificate, key, alternate, ports;
  std::string software = "rtclab", edition = "8656";
  bool no_auth = false, no_udp = false, no_tcp = false, no_tcp_relay = false, mobility = false;
  bool allow_loopback = false, allow_private = false;
  int quota = 100, nonce_lifetime_s = 3600, max_lifetime_s = 3600, clock_speed = 1;
  uint64_t seed = 0;
};

constexpr const char* kServeFooter = R"(Examples:
  rtclab serve turn --user alice:secret --allow-loopback-peers
  rtclab serve turn --listen 192.0.2.1:3478 --tls-listen 192.0.2.1:5349 --cert cert.pem --key key.pem --users-file users
  rtclab serve turn --listen 127.0.0.1:3478 --alternate 127.0.0.2:3479 --user a:b      with NAT discovery (RFC 5780)

A server for tests: STUN (RFC 8489, 5780) and TURN (RFC 8656, 6062, 8016, 7635) over UDP, TCP, TLS and DTLS. Its random
numbers come from a seed, so don't leave it open to the world. The users file has a NAME:PASSWORD a line.
Prints a line a listening address, then serves until Ctrl-C.)";

Result<std::vector<TransportAddress>> Addresses(const std::vector<std::string>& texts,
                                                const char* option) {
  std::vector<TransportAddress> addresses;
  for (const std::string& text : texts) {
    const auto address = TransportAddress::Parse(text);
    if (!address || address->ip.IsAny()) {
      return Fail(
          fmt::format("{} {}: expected ADDRESS:PORT of this host, such as 127.0.0.1:3478 or "
                      "[::1]:3478; 0.0.0.0 and :: are not taken",
                      option, text));
    }
    addresses.push_back(*address);
  }
  return addresses;
}

Result<std::vector<turn::IpPrefix>> Prefixes(const std::vector<std::string>& texts,
                                             const char* option) {
  std::vector<turn::IpPrefix> prefixes;
  for (const std::string& text : texts) {
    const auto prefix = turn::IpPrefix::Parse(text);
    if (!prefix) {
      return Fail(fmt::format("{} {}: expected a prefix such as 192.0.2.0/24", option, text));
    }
    prefixes.push_back(*prefix);
  }
  return prefixes;
}

Result<void> AddUser(stun::StaticCredentials& users, std::string_view line,
                     std::string_view where) {
  const std::size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) {
    return Fail(fmt::format("{}: expected NAME:PASSWORD", where));
  }
  return users.Add(line.substr(0, colon), line.substr(colon + 1)).map_error([&](Error error) {
    error.reason = fmt::format("{}: {}", where, error.reason);
    return error;
  });
}

Result<std::shared_ptr<const stun::CredentialStore>> Credentials(const ServeOptions& options) {
  auto users = std::make_shared<stun::StaticCredentials>();
  for (const std::string& user : options.users) {
    if (auto added = AddUser(*users, user, "--user"); !added) return tl::unexpected(added.error());
  }
  if (!options.users_file.empty()) {
    std::ifstream file(options.users_file);
    if (!file) return Fail("--users-file " + options.users_file + ": cannot be read");
    int number = 0;
    for (std::string line; std::getline(file, line);) {
      ++number;
      if (line.empty() || line[0] == '#') continue;
      const std::string where = fmt::format("{}:{}", options.users_file, number);
      if (auto added = AddUser(*users, line, where); !added) return tl::unexpected(added.error());
    }
  }
  std::vector<std::shared_ptr<const stun::CredentialStore>> stores{users};
  if (!options.rest_secrets.empty()) {
    stores.push_back(std::make_shared<stun::RestCredentials>(
        options.rest_secrets, cf::UnixTimeAtZero().nanos() / 1'000'000'000));
  }
  return std::make_shared<cf::CredentialChain>(std::move(stores));
}

Result<turn::ThirdPartyAuthorization> ThirdParty(const ServeOptions& options) {
  turn::ThirdPartyAuthorization third_party;
  third_party.server_name = options.oauth_server;
  if (third_party.server_name.empty()) {
    return Fail("--oauth-key needs --oauth-server, the name that tokens are made for");
  }
  for (const std::string& text : options.oauth_keys) {
    const std::size_t colon = text.find(':');
    const auto key = crypto::Base64Decode(
        std::string_view(text).substr(colon == std::string::npos ? text.size() : colon + 1));
    if (colon == std::string::npos || !key || (key->size() != 16 && key->size() != 32)) {
      return Fail("--oauth-key: expected KID:KEY, the key 16 or 32 bytes in base64");
    }
    third_party.keys.push_back(
        {.kid = text.substr(0, colon),
         .key = *key,
         .algorithm = key->size() == 32 ? crypto::Aead::kAes256Gcm : crypto::Aead::kAes128Gcm});
  }
  return third_party;
}

Result<void> SetAuthentication(const ServeOptions& options, turn::ServerConfig& config) {
  const bool none = options.users.empty() && options.users_file.empty() &&
                    options.rest_secrets.empty() && options.oauth_keys.empty();
  if (options.no_auth) {
    return none ? Result<void>() : Fail("--no-auth and users exclude each other");
  }
  if (none) return Fail("nobody may allocate: give --user NAME:PASSWORD, or --no-auth");
  auto store = Credentials(options);
  if (!store) return tl::unexpected(store.error());
  turn::ServerAuthentication authentication;
  authentication.credentials = *store;
  authentication.long_term.realm = options.realm;
  authentication.long_term.nonce_lifetime = TimeDelta::Seconds(options.nonce_lifetime_s);
  authentication.time_limited = !options.rest_secrets.empty();
  if (!options.oauth_keys.empty()) {
    auto third_party = ThirdParty(options);
    if (!third_party) return tl::unexpected(third_party.error());
    authentication.third_party = *third_party;
  }
  config.authentication = std::move(authentication);
  return {};
}

Result<void> SetPorts(const std::string& text, turn::ServerConfig& config) {
  if (text.empty()) return {};
  unsigned low = 0, high = 0;
  char end = 0;
  if (std::sscanf(text.c_str(), "%u-%u%c", &low, &high, &end) != 2 || low < 1'024 || high < low ||
      high > 65'535) {
    return Fail("--ports " + text + ": expected LOW-HIGH, such as 49152-65535");
  }
  config.min_port = static_cast<uint16_t>(low);
  config.max_port = static_cast<uint16_t>(high);
  return {};
}

// Whom it relays for, and to whom.
Result<void> SetTurn(const ServeOptions& options, turn::ServerConfig& config) {
  if (auto set = SetAuthentication(options, config); !set) return set;
  if (auto set = SetPorts(options.ports, config); !set) return set;
  auto allow = Prefixes(options.allow, "--allow-peer");
  if (!allow) return tl::unexpected(allow.error());
  auto deny = Prefixes(options.deny, "--deny-peer");
  if (!deny) return tl::unexpected(deny.error());
  auto redirect = Addresses(options.redirect, "--redirect");
  if (!redirect) return tl::unexpected(redirect.error());
  config.peer_policy = {.allow_loopback = options.allow_loopback,
                        .allow_private = options.allow_private,
                        .allow = *allow,
                        .deny = *deny};
  config.alternate_servers = *redirect;
  config.redirect_all = !redirect->empty();
  config.max_allocations_per_user = static_cast<std::size_t>(options.quota);
  config.max_lifetime = TimeDelta::Seconds(options.max_lifetime_s);
  config.default_lifetime = std::min(config.default_lifetime, config.max_lifetime);
  config.tcp_relay = !options.no_tcp_relay;
  config.mobility = options.mobility;
  config.software = options.software;
  config.unix_time_at_zero = TimeDelta::Nanos(cf::UnixTimeAtZero().nanos());
  if (options.edition == "5766") turn::UseRfc5766(config);
  return {};
}

Result<void> SetRelays(const ServeOptions& options, cf::HostConfig& config) {
  for (const std::string& text : options.relay) {
    const auto ip = IpAddress::Parse(text);
    if (!ip || ip->IsAny())
      return Fail("--relay " + text + ": expected an IP address of this host");
    config.turn.relay_addresses.push_back(*ip);
  }
  if (!config.turn.relay_addresses.empty()) return {};
  for (const auto* addresses : {&config.listen, &config.secure_listen}) {
    for (const TransportAddress& address : *addresses) {
      auto& relays = config.turn.relay_addresses;
      if (std::find(relays.begin(), relays.end(), address.ip) == relays.end()) {
        relays.push_back(address.ip);
      }
    }
  }
  return {};
}

Result<void> SetIdentity(const ServeOptions& options, cf::HostConfig& config) {
  if (options.certificate.empty() != options.key.empty()) {
    return Fail("--cert and --key belong together");
  }
  if (!options.certificate.empty()) {
    auto identity = cf::ServerIdentity::Load(options.certificate, options.key);
    if (!identity) return tl::unexpected(identity.error());
    config.identities.push_back(*identity);
  } else if (!config.secure_listen.empty()) {
    std::vector<std::string> names{"localhost"};
    for (const TransportAddress& address : config.secure_listen) {
      names.push_back(address.ip.ToString());
    }
    using Key = cf::ServerIdentity::Key;
    config.identities.push_back(cf::ServerIdentity::SelfSigned(Key::kEcdsa, names));
    config.identities.push_back(cf::ServerIdentity::SelfSigned(Key::kRsa, names));
  }
  return {};
}

Result<cf::HostConfig> Configure(const ServeOptions& options) {
  cf::HostConfig config;
  auto listen = Addresses(options.listen, "--listen");
  if (!listen) return tl::unexpected(listen.error());
  auto secure = Addresses(options.secure_listen, "--tls-listen");
  if (!secure) return tl::unexpected(secure.error());
  config.listen = *listen;
  config.secure_listen = *secure;
  if (config.listen.empty() && config.secure_listen.empty()) {
    config.listen.push_back(*TransportAddress::Parse("127.0.0.1:3478"));
  }
  config.udp = !options.no_udp;
  config.tcp = !options.no_tcp;
  config.clock_speed = options.clock_speed;
  for (const auto& set :
       {SetTurn(options, config.turn), SetRelays(options, config), SetIdentity(options, config)}) {
    if (!set) return tl::unexpected(set.error());
  }
  if (!options.alternate.empty()) {
    const auto alternate = Addresses({options.alternate}, "--alternate");
    if (!alternate) return tl::unexpected(alternate.error());
    const TransportAddress& other = alternate->front();
    if (config.listen.empty() || other.family() != config.listen[0].family() ||
        other.ip == config.listen[0].ip || other.port == config.listen[0].port) {
      return Fail(
          "--alternate: differs from the first --listen in address and in port, not in family");
    }
    config.nat_discovery.push_back({config.listen[0], other});
  }
  return config;
}

int Serve(const ServeOptions& options, const Context& context) {
  auto config = Configure(options);
  if (!config) return UsageError(context.console, config.error().reason);
  // Without --seed nonces and tickets must not be the same in every process.
  Rng rng(options.seed != 0 ? options.seed : static_cast<uint64_t>(cf::UnixTimeAtZero().nanos()));
  auto host = cf::TurnHost::Start(std::move(*config), rng);
  if (!host) {
    results::Print(context.console.err, "rtclab: " + host.error().reason + "\n");
    return scenarios::kRunError;
  }
  for (const auto& endpoint : (*host)->endpoints()) {
    results::Print(context.console.out,
                   fmt::format("listening on {} {}\n", cf::ToString(endpoint.transport),
                               endpoint.address.ToString()));
  }
  results::Print(context.console.out, "ready\n");
  std::fflush(context.console.out);
  cf::InterruptOnSignals();
  cf::RaiseDescriptorLimit();
  (*host)->Run();
  const turn::ServerCounters& counters = (*host)->server().counters();
  results::Print(context.console.out,
                 fmt::format("{} allocations, {} datagrams to peers, {} to clients\n",
                             counters.allocations_created, counters.packets_to_peers,
                             counters.packets_to_clients));
  return scenarios::kAllPassed;
}

void AddAddressOptions(CLI::App& command, ServeOptions& options) {
  const auto list = [&](const char* name, std::vector<std::string>& into, const char* text,
                        const char* type) {
    command.add_option(name, into, text)->type_name(type)->allow_extra_args(false);
  };
  list("--listen", options.listen, "Where UDP and TCP clients come (default: 127.0.0.1:3478)",
       "ADDRESS:PORT");
  list("--tls-listen", options.secure_listen, "Where TLS and DTLS clients come", "ADDRESS:PORT");
  list("--relay", options.relay, "Relayed addresses (default: the listening ones)", "IP");
  command
      .add_option("--alternate", options.alternate,
                  "A second address and port for NAT discovery (RFC 5780)")
      ->type_name("ADDRESS:PORT");
  command.add_option("--ports", options.ports, "Ports of relayed addresses (default: 49152-65535)")
      ->type_name("LOW-HIGH");
  list("--redirect", options.redirect, "Answer every Allocate with 300 and this server",
       "ADDRESS:PORT");
  list("--allow-peer", options.allow, "Peers to relay to, whatever the classes say", "PREFIX");
  list("--deny-peer", options.deny, "Peers to refuse (403)", "PREFIX");
  command.add_flag("--allow-loopback-peers", options.allow_loopback,
                   "Relay to 127.0.0.0/8 and ::1");
  command.add_flag("--allow-private-peers", options.allow_private, "Relay to private addresses");
  command
      .add_option("--cert", options.certificate,
                  "Certificate for TLS and DTLS (default: self-signed)")
      ->type_name("PEM");
  command.add_option("--key", options.key, "Its private key")->type_name("PEM");
}

void AddUserOptions(CLI::App& command, ServeOptions& options) {
  const auto list = [&](const char* name, std::vector<std::string>& into, const char* text,
                        const char* type) {
    command.add_option(name, into, text)->type_name(type)->allow_extra_args(false);
  };
  list("--user", options.users, "A user (long-term credentials)", "NAME:PASSWORD");
  command.add_option("--users-file", options.users_file, "The same from a file")->type_name("FILE");
  list("--rest-secret", options.rest_secrets, "Shared secret of time-limited credentials",
       "SECRET");
  list("--oauth-key", options.oauth_keys, "Key of access tokens (RFC 7635)", "KID:BASE64");
  command.add_option("--oauth-server", options.oauth_server, "The name that tokens are made for")
      ->type_name("NAME");
  command.add_option("--realm", options.realm, "REALM (default: rtclab)")->type_name("TEXT");
  command.add_flag("--no-auth", options.no_auth, "Everybody may allocate");
  command.add_option("--quota", options.quota, "Allocations a user may have (default: 100)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000).description(""));
}

void AddBehaviourOptions(CLI::App& command, ServeOptions& options) {
  command.add_flag("--mobility", options.mobility, "Mobility tickets (RFC 8016)");
  command.add_flag("--no-tcp-relay", options.no_tcp_relay, "No TCP allocations (RFC 6062)");
  command.add_flag("--no-udp", options.no_udp, "No UDP and DTLS clients");
  command.add_flag("--no-tcp", options.no_tcp, "No TCP and TLS clients");
  command
      .add_option("--edition", options.edition,
                  "8656 (default), or 5766 for a server of RFC 5389 and RFC 5766")
      ->type_name("RFC")
      ->check(CLI::IsMember({"8656", "5766"}).description(""));
  const auto seconds = [&](const char* name, int& into, const char* text, int high) {
    command.add_option(name, into, text)
        ->type_name("S")
        ->check(CLI::Range(1, high).description(""));
  };
  seconds("--nonce-lifetime", options.nonce_lifetime_s, "Until 438 (default: 3600)", 86'400);
  seconds("--max-lifetime", options.max_lifetime_s, "Longest LIFETIME (default: 3600)", 86'400);
  command
      .add_option("--clock-speed", options.clock_speed,
                  "Its time runs so many times faster: lifetimes end early (for tests)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000).description(""));
  command.add_option("--software", options.software, "SOFTWARE (default: rtclab; empty: none)")
      ->type_name("TEXT");
  command.add_option("--seed", options.seed, "Of nonces, ports and tickets (default: the time)")
      ->type_name("N");
}

}  // namespace

void AddServe(CLI::App& app, const Context& context, Action& action) {
  CLI::App* serve = app.add_subcommand("serve", "Run a STUN and TURN server on real sockets");
  serve->require_subcommand(1);
  CLI::App* command = serve->add_subcommand("turn", "STUN and TURN over UDP, TCP, TLS and DTLS");
  const auto options = std::make_shared<ServeOptions>();
  command->footer(kServeFooter);
  AddAddressOptions(*command, *options);
  AddUserOptions(*command, *options);
  AddBehaviourOptions(*command, *options);
  command->callback([options, &context, &action] {
    action = [options, &context] { return Serve(*options, context); };
  });
}

}  // namespace rtclab::cli
