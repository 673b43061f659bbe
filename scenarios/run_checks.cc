#include "scenarios/run_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/structure.h"
#include "sim/topology/address_plan.h"

namespace rtclab::scenarios {
namespace {

constexpr TimeDelta kSessionTime = TimeDelta::Seconds(60);
// Without the lifetime a discovery takes up to some 120 s: three transactions that nobody answers, 39.5 s each (RFC 8489
// section 6.2.1).
constexpr TimeDelta kProbeTime = TimeDelta::Seconds(600);
// The lifetime is searched by halving 0 s to 600 s down to 1 s: ten trials, each a wait of up to 600 s and up to two
// transactions that nobody answers (at most 6,790 s), then two waits of less than 600 s for the refresh test.
constexpr TimeDelta kLifetimeProbeTime = TimeDelta::Seconds(10'800);

// Where a network, host or server of that name stands in the file.
OriginId Place(const Node& scenario, const std::string& name) {
  for (const char* key : {"networks", "hosts", "servers"}) {
    const Node* group = scenario.Find(key);
    const Node* found = group == nullptr ? nullptr : group->Find(name);
    if (found == nullptr) continue;
    const Node* pool = found->Find("external_addresses");
    return pool == nullptr ? found->origin : pool->origin;
  }
  return scenario.origin;
}

const sim::LanSpec* FindLan(const sim::NetworkSpec& network, const std::string& name) {
  const auto found = std::ranges::find(network.lans, name, &sim::LanSpec::name);
  return found == network.lans.end() ? nullptr : &*found;
}

// Whether some address of the host, in some family, is the same on the internet.
bool HasUntranslated(const sim::NetworkSpec& network, const sim::HostSpec& host) {
  return std::ranges::any_of(host.attachments, [&](const sim::AttachmentSpec& attachment) {
    bool ipv4 = host.ipv4, ipv6 = host.ipv6;
    for (const auto* lan = FindLan(network, attachment.lan); lan != nullptr;
         lan = FindLan(network, lan->parent)) {
      ipv4 = ipv4 && lan->ipv4 && !lan->nat;
      ipv6 = ipv6 && lan->ipv6 && !(lan->nat && lan->nat->translate_ipv6);
    }
    return ipv4 || ipv6;
  });
}

}  // namespace

TimeDelta DefaultMaxDuration(const Node& scenario) {
  TimeDelta longest = kSessionTime;
  With(scenario, "probes", [&](const Node& probes) {
    for (const Member& probe : probes.members) {
      TimeDelta start;
      bool lifetime = false;
      if (probe.value.IsObject()) {
        Read(probe.value, "start", start);
        Read(probe.value, "lifetime", lifetime);
      }
      longest = std::max(longest, start + (lifetime ? kLifetimeProbeTime : kProbeTime));
    }
  });
  return std::min(longest, kLongestRun);
}

void CheckAddresses(const Node& scenario, const sim::NetworkSpec& network, Report& report) {
  const auto shortage = sim::FindShortage(network);
  if (!shortage) return;
  report.Add(Place(scenario, shortage->name),
             fmt::format("needs more addresses than there are: {}", shortage->reason));
}

void CheckLiteAgents(const Node& scenario, const RunSpec& run, Report& report) {
  for (const SessionSpec& session : run.sessions) {
    for (const EndpointSpec* endpoint : {&session.a, &session.b}) {
      if (!endpoint->ice.lite) continue;
      const auto host = std::ranges::find(run.network.hosts, endpoint->host, &sim::HostSpec::name);
      if (host == run.network.hosts.end() || HasUntranslated(run.network, *host)) continue;
      const Node* node = scenario.Find("sessions");
      node = node == nullptr ? &scenario : node->Find(session.name);
      for (const char* key : {"endpoints", "ice"}) {
        const Node* options = node->Find(key);
        if (options != nullptr && key == std::string_view("endpoints"))
          options = options->Find(endpoint->host);
        const Node* mode = options == nullptr ? nullptr : options->Find("mode");
        if (mode == nullptr) continue;
        report.Add(
            mode->origin,
            fmt::format("the lite agent \"{}\" is behind a NAT; expected one with an address "
                        "of its own on the internet (RFC 8445 section 2.5)",
                        endpoint->host));
        break;
      }
    }
  }
}

}  // namespace rtclab::scenarios
