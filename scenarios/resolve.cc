#include "scenarios/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "scenarios/language.h"
#include "scenarios/resolve_action.h"
#include "scenarios/resolve_expect.h"
#include "scenarios/resolve_media.h"
#include "scenarios/resolve_network.h"
#include "scenarios/run_checks.h"
#include "scenarios/structure.h"

namespace rtclab::scenarios {
namespace {

class Resolver {
 public:
  Resolver(const Node& scenario, const Origins& origins, Report& report)
      : scenario_(scenario), origins_(origins), report_(report), network_(report) {}

  RunSpec Run(const Matrix& matrix, const Combination& combination);

 private:
  void Servers();
  void DefaultServers();
  void Server(const std::string& name, const Node& node);
  void ReadServer(const Node& node, ServerSpec& server);
  void ServerHost(const Node& node, ServerSpec& server);
  void TurnOptions(const Node& node, ServerSpec& server, const sim::HostSpec& host);
  void Sessions();
  void Session(const std::string& name, const Node& node);
  void Ice(const Node& options, IceSpec& ice);
  void Families(const Node& between, const SessionSpec& session);
  void Probes();
  void Probe(const std::string& name, const Node& node);
  void ProbeServer(const Node& node, ProbeSpec& probe);
  void ProbeFamilies(const Node& node, const ProbeSpec& probe);
  const std::string* KnownHost(const Node& name);
  std::vector<std::string> ServerNames() const;
  ServerSpec* FindServer(const std::string& name);

  const Node& scenario_;
  const Origins& origins_;
  Report& report_;
  NetworkResolver network_;
  RunSpec run_;
  std::vector<std::string> user_hosts_;  // declared under "hosts"
  std::set<std::string>
      refused_discovery_;  // servers whose behaviour_discovery the file sets to false
};

RunSpec Resolver::Run(const Matrix& matrix, const Combination& combination) {
  const std::size_t before = report_.count();
  run_.max_duration = DefaultMaxDuration(scenario_);
  Read(scenario_, "max_duration", run_.max_duration);
  if (run_.max_duration > kLongestRun) {
    report_.Add(scenario_.Find("max_duration")->origin,
                "is more than the 24 h that a run may take");
  }
  Read(scenario_, "min_duration", run_.min_duration);
  if (run_.min_duration > run_.max_duration) {
    report_.Add(scenario_.Find("min_duration")->origin,
                fmt::format("is more than the run may take, {} s", run_.max_duration.seconds()));
  }
  With(scenario_, "networks", [&](const Node& v) { network_.AddNetworks(v); });
  const Node& hosts = *scenario_.Find("hosts");
  if (hosts.members.empty()) report_.Add(hosts.origin, "there are no hosts; expected at least one");
  for (const Member& host : hosts.members) {
    network_.AddHost(host.key, host.value);
    user_hosts_.push_back(host.key);
  }
  With(scenario_, "flows",
       [&](const Node& v) { run_.flows = ResolveFlows(v, network_, run_.max_duration, report_); });
  Servers();
  Sessions();
  Probes();
  run_.network = network_.Take();
  if (report_.count() == before) {
    CheckAddresses(scenario_, run_.network, report_);
    CheckLiteAgents(scenario_, run_, report_);
  }
  With(scenario_, "expect", [&](const Node& v) {
    ResolveExpectations(v, matrix, combination, origins_, report_, run_);
  });
  return std::move(run_);
}

const std::string* Resolver::KnownHost(const Node& name) {
  const auto found = std::find(user_hosts_.begin(), user_hosts_.end(), name.text);
  if (found != user_hosts_.end()) return &*found;
  report_.Add(name.origin, fmt::format("unknown host {}{}", Quoted(name.text),
                                       Suggestion(name.text, user_hosts_)));
  return nullptr;
}

std::vector<std::string> Resolver::ServerNames() const {
  std::vector<std::string> names;
  for (const ServerSpec& server : run_.servers) names.push_back(server.name);
  return names;
}

ServerSpec* Resolver::FindServer(const std::string& name) {
  const auto found = std::find_if(run_.servers.begin(), run_.servers.end(),
                                  [&](const ServerSpec& s) { return s.name == name; });
  return found == run_.servers.end() ? nullptr : &*found;
}

void Resolver::Servers() {
  const Node* servers = scenario_.Find("servers");
  if (servers == nullptr) return DefaultServers();
  for (const Member& server : servers->members) Server(server.key, server.value);
}

// One of each, so that a short scenario can already meet a peer behind any NAT.
void Resolver::DefaultServers() {
  for (const char* kind : {"stun", "turn"}) {
    Node node;
    node.type = Node::Type::kString;
    node.text = kind;
    node.origin = scenario_.Find("hosts")->origin;
    Server(kind, node);
  }
}

void Resolver::Server(const std::string& name, const Node& node) {
  ServerSpec server;
  server.name = name;
  server.turn = (node.IsString() ? node : *node.Find("type")).text == "turn";
  ServerHost(node, server);
  const sim::HostSpec* host = network_.FindHost(server.host);
  if (host == nullptr) return;
  server.ipv4_relay = host->ipv4;
  server.ipv6_relay = host->ipv6;
  if (node.IsObject()) {
    ReadServer(node, server);
    TurnOptions(node, server, *host);
  }
  for (const ServerSpec& other : run_.servers) {
    if (other.host != server.host) continue;
    if (other.port != server.port && !(other.behaviour_discovery && other.port + 1 == server.port))
      continue;
    report_.Add(node.origin,
                fmt::format("port {} of the host \"{}\" already belongs to the server \"{}\"",
                            server.port, server.host, other.name));
  }
  if (server.behaviour_discovery) network_.FindHost(server.host)->addresses = 2;
  run_.servers.push_back(std::move(server));
}

void Resolver::ServerHost(const Node& node, ServerSpec& server) {
  const Node* host = node.IsObject() ? node.Find("host") : nullptr;
  if (host == nullptr) {
    server.host = server.name;
    network_.AddServerHost(server.name, node, {.ipv4 = true, .ipv6 = network_.has_ipv6_host()});
    return;
  }
  for (const char* key : {"network", "families", "link"}) {
    if (const Node* own = node.Find(key)) {
      report_.Add(
          own->origin,
          fmt::format("\"{}\" is for a server with a host of its own; this one runs on \"{}\"", key,
                      host->text),
          true);
    }
  }
  if (const std::string* known = KnownHost(*host)) server.host = *known;
}

void Resolver::ReadServer(const Node& node, ServerSpec& server) {
  Read(node, "port", server.port);
  Read(node, "silent", server.silent);
  Read(node, "behaviour_discovery", server.behaviour_discovery);
  Read(node, "username", server.username);
  Read(node, "password", server.password);
  With(node, "client_password", [&](const Node& v) { server.client_password = v.text; });
  With(node, "rest_secret", [&](const Node& v) { server.rest_secret = v.text; });
  Read(node, "rest_ttl", server.rest_ttl);
  Read(node, "max_lifetime", server.max_lifetime);
  With(node, "user_quota", [&](const Node& v) { server.user_quota = static_cast<int>(v.integer); });
  Read(node, "allow_private_peers", server.allow_private_peers);
}

void Resolver::TurnOptions(const Node& node, ServerSpec& server, const sim::HostSpec& host) {
  if (!server.turn) {
    for (const char* key :
         {"username", "password", "client_password", "rest_secret", "rest_ttl", "max_lifetime",
          "user_quota", "allow_private_peers", "relay_families"}) {
      if (const Node* value = node.Find(key)) {
        report_.Add(value->origin,
                    fmt::format("\"{}\" is for a turn server; this one is stun", key), true);
      }
    }
    const Node* discovery = node.Find("behaviour_discovery");
    if (discovery != nullptr && !discovery->boolean) refused_discovery_.insert(server.name);
    return;
  }
  if (const Node* discovery = node.Find("behaviour_discovery");
      discovery != nullptr && discovery->boolean) {
    report_.Add(discovery->origin, "\"behaviour_discovery\" is for a stun server; this one is turn",
                true);
  }
  if (server.rest_secret) {
    for (const char* key : {"password", "client_password"}) {
      if (const Node* value = node.Find(key)) {
        report_.Add(value->origin, fmt::format("\"{}\" has no effect with \"rest_secret\"", key),
                    true);
      }
    }
  } else if (const Node* ttl = node.Find("rest_ttl")) {
    report_.Add(ttl->origin, "\"rest_ttl\" needs \"rest_secret\"", true);
  }
  With(node, "relay_families", [&](const Node& v) {
    const auto families = ReadFamilies(v, report_);
    if ((families.ipv4 && !host.ipv4) || (families.ipv6 && !host.ipv6)) {
      report_.Add(v.origin, fmt::format("the server's host \"{}\" has only {}", host.name,
                                        host.ipv4 ? "ipv4" : "ipv6"));
    }
    server.ipv4_relay = families.ipv4;
    server.ipv6_relay = families.ipv6;
  });
}

void Resolver::Sessions() {
  if (const Node* sessions = scenario_.Find("sessions")) {
    for (const Member& session : sessions->members) Session(session.key, session.value);
  } else if (scenario_.Find("probes") == nullptr && user_hosts_.size() >= 2) {
    const Node& hosts = *scenario_.Find("hosts");
    Node node, between;
    node.type = Node::Type::kObject;
    between.type = Node::Type::kArray;
    node.origin = between.origin = hosts.origin;
    for (std::size_t i = 0; i < 2; ++i) {
      Node& name = between.items.emplace_back();
      name.type = Node::Type::kString;
      name.text = user_hosts_[i];
      name.origin = hosts.members[i].value.origin;
    }
    node.members.push_back({"between", std::move(between)});
    Session("call", node);
  }
  if (run_.sessions.empty() && scenario_.Find("probes") == nullptr && !user_hosts_.empty()) {
    const Node* sessions = scenario_.Find("sessions");
    report_.Add(sessions == nullptr ? scenario_.Find("hosts")->origin : sessions->origin,
                "there is nothing to run; expected a session (two hosts) or a probe");
  }
}

void Resolver::Session(const std::string& name, const Node& node) {
  SessionSpec session;
  session.name = name;
  const Node& between = *node.Find("between");
  const std::string* a = KnownHost(between.items[0]);
  const std::string* b = KnownHost(between.items[1]);
  session.a.host = between.items[0].text;
  session.b.host = between.items[1].text;
  if (a != nullptr && a == b) {
    report_.Add(between.origin,
                fmt::format("a session of \"{}\" with itself; expected two different hosts", *a));
  }
  Node shared;
  shared.type = Node::Type::kObject;
  shared.origin = node.origin;
  With(node, "ice", [&](const Node& v) { shared = v; });
  const Node* endpoints = node.Find("endpoints");
  if (endpoints != nullptr) {
    const std::vector<std::string> hosts = {session.a.host, session.b.host};
    for (const Member& member : endpoints->members) {
      if (member.key == hosts[0] || member.key == hosts[1]) continue;
      report_.Add(member.value.origin,
                  fmt::format("the host {} is not in this session{}", Quoted(member.key),
                              Suggestion(member.key, hosts)),
                  true);
    }
  }
  for (EndpointSpec* endpoint : {&session.a, &session.b}) {
    const Node* own = endpoints == nullptr ? nullptr : endpoints->Find(endpoint->host);
    Ice(own == nullptr ? shared : Merged(shared, *own), endpoint->ice);
  }
  Read(node, "start", session.start);
  Read(node, "signalling_delay", session.signalling_delay);
  if (session.start >= run_.max_duration) {
    report_.Add(node.Find("start") == nullptr ? node.origin : node.Find("start")->origin,
                fmt::format("the session would start after the run's end, {} s",
                            run_.max_duration.seconds()));
  }
  if (a != nullptr && b != nullptr && a != b) Families(between, session);
  ResolvePeer(node, session, report_);
  With(node, "actions", [&](const Node& list) {
    for (const Node& item : list.items) {
      session.actions.push_back(ResolveAction(item, session, network_, run_.max_duration, report_));
    }
  });
  run_.sessions.push_back(std::move(session));
}

void Resolver::Ice(const Node& options, IceSpec& ice) {
  With(options, "mode", [&](const Node& v) { ice.lite = v.text == "lite"; });
  With(options, "nomination",
       [&](const Node& v) { ice.aggressive_nomination = v.text == "aggressive"; });
  ReadEnum(options, "trickle", kTrickleNames, ice.trickle);
  ReadEnum(options, "policy", kPolicyNames, ice.policy);
  Read(options, "ta", ice.ta);
  With(options, "prefer", [&](const Node& v) { ice.prefer_ipv6 = v.text == "ipv6"; });
  Read(options, "consent", ice.consent);
  ice.servers = ServerNames();
  With(options, "servers", [&](const Node& list) {
    ice.servers.clear();
    for (const Node& item : list.items) {
      const std::vector<std::string> names = ServerNames();
      if (FindServer(item.text) == nullptr) {
        report_.Add(item.origin, fmt::format("unknown server {}{}", Quoted(item.text),
                                             Suggestion(item.text, names)));
      } else if (std::find(ice.servers.begin(), ice.servers.end(), item.text) !=
                 ice.servers.end()) {
        report_.Add(item.origin, fmt::format("the server {} is given twice", Quoted(item.text)));
      } else {
        ice.servers.push_back(item.text);
      }
    }
  });
}

// Without a family in common, only a relay that has the other side's family can join the two (RFC 8656 section 1).
void Resolver::Families(const Node& between, const SessionSpec& session) {
  const sim::HostSpec& a = *network_.FindHost(session.a.host);
  const sim::HostSpec& b = *network_.FindHost(session.b.host);
  if ((a.ipv4 && b.ipv4) || (a.ipv6 && b.ipv6)) return;
  if ((!a.ipv4 && !a.ipv6) || (!b.ipv4 && !b.ipv6)) return;  // reported already
  const auto bridges = [&](const EndpointSpec& endpoint, const sim::HostSpec& own,
                           const sim::HostSpec& other) {
    return std::any_of(
        endpoint.ice.servers.begin(), endpoint.ice.servers.end(), [&](const std::string& name) {
          const ServerSpec& server = *FindServer(name);
          const sim::HostSpec& host = *network_.FindHost(server.host);
          const bool reachable = (own.ipv4 && host.ipv4) || (own.ipv6 && host.ipv6);
          return server.turn && reachable &&
                 ((other.ipv4 && server.ipv4_relay) || (other.ipv6 && server.ipv6_relay));
        });
  };
  if (bridges(session.a, a, b) || bridges(session.b, b, a)) return;
  report_.Add(
      between.origin,
      fmt::format("\"{}\" ({}) and \"{}\" ({}) have no address family in common, and no turn "
                  "server relays from one to the other",
                  a.name, a.ipv4 ? "ipv4" : "ipv6", b.name, b.ipv4 ? "ipv4" : "ipv6"));
}

void Resolver::Probes() {
  const Node* probes = scenario_.Find("probes");
  if (probes == nullptr) return;
  for (const Member& probe : probes->members) Probe(probe.key, probe.value);
  if (probes->members.empty() && run_.sessions.empty()) {
    report_.Add(probes->origin,
                "there is nothing to run; expected a session (two hosts) or a probe");
  }
}

void Resolver::Probe(const std::string& name, const Node& node) {
  for (const SessionSpec& session : run_.sessions) {
    if (session.name != name) continue;
    report_.Add(node.origin, fmt::format("the name {} already belongs to a session", Quoted(name)),
                true);
    return;
  }
  ProbeSpec probe;
  probe.name = name;
  const Node& host = node.IsString() ? node : *node.Find("host");
  if (KnownHost(host) != nullptr) probe.host = host.text;
  if (node.IsObject()) {
    Read(node, "start", probe.start);
    Read(node, "lifetime", probe.lifetime);
    if (probe.start >= run_.max_duration) {
      report_.Add(node.Find("start")->origin,
                  fmt::format("the probe would start after the run's end, {} s",
                              run_.max_duration.seconds()));
    }
  }
  ProbeServer(node, probe);
  run_.probes.push_back(std::move(probe));
}

// The server has to do RFC 5780; one that the file leaves open is made to.
void Resolver::ProbeServer(const Node& node, ProbeSpec& probe) {
  const Node* given = node.IsObject() ? node.Find("server") : nullptr;
  ServerSpec* server = nullptr;
  if (given == nullptr) {
    for (ServerSpec& candidate : run_.servers) {
      if (server == nullptr && !candidate.turn && !refused_discovery_.contains(candidate.name))
        server = &candidate;
    }
    if (server == nullptr) {
      report_.Add(node.origin, "there is no stun server with behaviour_discovery to probe against");
      return;
    }
  } else {
    server = FindServer(given->text);
    if (server == nullptr) {
      report_.Add(given->origin, fmt::format("unknown server {}{}", Quoted(given->text),
                                             Suggestion(given->text, ServerNames())));
      return;
    }
    if (server->turn || refused_discovery_.contains(server->name)) {
      report_.Add(
          given->origin,
          fmt::format("the server {} does no behaviour discovery; expected a stun server with "
                      "behaviour_discovery",
                      Quoted(given->text)));
      return;
    }
  }
  server->behaviour_discovery = true;
  network_.FindHost(server->host)->addresses = 2;
  probe.server = server->name;
  if (!probe.host.empty()) ProbeFamilies(given == nullptr ? node : *given, probe);
}

void Resolver::ProbeFamilies(const Node& node, const ProbeSpec& probe) {
  const sim::HostSpec& own = *network_.FindHost(probe.host);
  const sim::HostSpec& server = *network_.FindHost(FindServer(probe.server)->host);
  if ((own.ipv4 && server.ipv4) || (own.ipv6 && server.ipv6)) return;
  if ((!own.ipv4 && !own.ipv6) || (!server.ipv4 && !server.ipv6)) return;  // reported already
  report_.Add(node.origin,
              fmt::format("\"{}\" ({}) and the server \"{}\" ({}) have no address family in common",
                          own.name, own.ipv4 ? "ipv4" : "ipv6", probe.server,
                          server.ipv4 ? "ipv4" : "ipv6"));
}

}  // namespace

RunSpec Resolve(const Node& scenario, const Matrix& matrix, const Combination& combination,
                const Origins& origins, Report& report) {
  return Resolver(scenario, origins, report).Run(matrix, combination);
}

}  // namespace rtclab::scenarios
