#include "conformance/engine/preflight.h"

#include <fmt/format.h>

#include <algorithm>

#include "conformance/engine/peer_echo.h"
#include "conformance/engine/test.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kPreflightLimit = TimeDelta::Seconds(20);
constexpr int kRttSamples = 3;

const Case& PreflightCase() {
  static const Case kCase = {.id = "preflight", .title = "preflight"};
  return kCase;
}

bool OnLoopback(const Target& target) {
  return !target.endpoints.empty() &&
         std::all_of(target.endpoints.begin(), target.endpoints.end(),
                     [](const auto& e) { return e.second.ip.IsLoopback(); });
}

// An address of the server in this family, to find the way to.
std::optional<TransportAddress> ServerAddress(const Target& target, AddressFamily family) {
  for (const auto& [key, endpoint] : target.endpoints) {
    if (endpoint.family() == family) return endpoint;
  }
  for (const IpAddress& ip : target.addresses) {
    if (ip.family() == family) return TransportAddress{ip, 3478};
  }
  return std::nullopt;
}

std::vector<IpAddress> OwnAddresses(const Target& target, AddressFamily family) {
  std::vector<IpAddress> out;
  for (const IpAddress& ip : target.peers.local) {
    if (ip.family() == family) out.push_back(ip);
  }
  if (!out.empty()) return out;
  if (OnLoopback(target)) {
    if (family == AddressFamily::kIpv6) return {*IpAddress::Parse("::1")};
    // The second one is none of the server's: those it may refuse as peers.
    uint8_t last = 9;
    const auto taken = [&](const IpAddress& ip) {
      return std::find(target.addresses.begin(), target.addresses.end(), ip) !=
                 target.addresses.end() ||
             std::any_of(target.endpoints.begin(), target.endpoints.end(),
                         [&](const auto& e) { return e.second.ip == ip; });
    };
    while (taken(IpAddress::V4(127, 0, 0, last))) ++last;
    return {IpAddress::V4(127, 0, 0, 1), IpAddress::V4(127, 0, 0, last)};
  }
  const auto server = ServerAddress(target, family);
  const auto local = server ? LocalAddressFor(*server) : Fail("no address");
  if (local) out.push_back(local->ip);
  return out;
}

// Whether a datagram that the server relays comes to a socket of ours.
bool ServerReachesUs(RunContext& run, AddressFamily family) {
  Session session(run, "preflight/peer", 0, run.target().transport, run.target().family,
                  kPreflightLimit);
  try {
    Test t(PreflightCase(), session);
    Client client = t.Connect();
    Request request = AllocateRequest();
    if (family == AddressFamily::kIpv6) request.RequestedFamily(2);
    const Allocation allocation = client.Allocate(request);
    if (!run.destinations.MaySend(allocation.relayed.ip)) {
      run.warnings.push_back(fmt::format(
          "the relayed address {} is not one that was named: cases that send to it are skipped; "
          "--address {} allows them",
          allocation.relayed.ip.ToString(), allocation.relayed.ip.ToString()));
    }
    Peer peer = t.OpenPeer({.family = family});
    client.CreatePermission(peer.address());
    const Bytes data = t.Payload(40);
    for (int i = 0; i < 4; ++i) {
      client.SendIndication(peer.address(), data);
      if (peer.Receive(std::max(TimeDelta::Millis(250), run.rtt * 2))) return true;
    }
  } catch (const Stop&) {
  }
  return false;
}

Result<void> FindRemotePeers(RunContext& run) {
  std::string why;
  for (const AddressFamily family : {AddressFamily::kIpv4, AddressFamily::kIpv6}) {
    const auto peer =
        EchoPeer::Open(run.target().peers.remote, run.target().peers.remote_token, family);
    if (!peer) {
      why += (why.empty() ? "" : "; ") + peer.error().reason;
      continue;
    }
    run.destinations.AddOwn((*peer)->address().ip);
    run.peers[family] = PeerPlan::Kind::kRemote;
  }
  if (run.peers.empty()) return Fail("no peer on the other host: " + why);
  return {};
}

}  // namespace

Result<void> Reach(RunContext& run) {
  const Target& target = run.target();
  for (const AddressFamily family : {AddressFamily::kIpv4, AddressFamily::kIpv6}) {
    run.own[family] = OwnAddresses(target, family);
    for (const IpAddress& ip : run.own[family]) run.destinations.AddOwn(ip);
  }
  Session session(run, "preflight", 0, target.transport, target.family, kPreflightLimit);
  const auto endpoint = session.Endpoint(target.transport, target.family);
  const std::string where = fmt::format("{} over {}", endpoint ? endpoint->ToString() : target.host,
                                        ToString(target.transport));
  try {
    Test t(PreflightCase(), session);
    Client client = t.Connect();
    Response answer = client.Once(Request(stun::Method::kBinding).Unsigned());
    if (!answer && !target.stun_only) {
      run.answers_binding = false;
      if (!client.open()) client = t.Connect();
      answer = client.Once(AllocateRequest().Unsigned());
    }
    if (!answer) {
      return Fail(fmt::format("{} does not answer: tried a Binding request{}, {:.1f} s each", where,
                              target.stun_only ? "" : " and an Allocate request",
                              target.answer_timeout.seconds()));
    }
    if (const auto software = answer.view().GetString(stun::AttributeType::kSoftware)) {
      run.software = *software;
    }
    const Request probe = run.answers_binding ? Request(stun::Method::kBinding).Unsigned()
                                              : AllocateRequest().Unsigned();
    std::vector<TimeDelta> samples;
    for (int i = 0; i < kRttSamples; ++i) {
      const Timestamp before = RealNow();
      if (client.Once(probe)) samples.push_back(RealNow() - before);
    }
    std::sort(samples.begin(), samples.end());
    if (!samples.empty()) run.rtt = samples[samples.size() / 2];
  } catch (const Stop& stop) {
    return Fail(fmt::format("{} can't be reached: {}", where, stop.verdict.reason));
  }
  run.silence = std::max(target.silence, run.rtt * 3);
  run.introduce = run.answers_binding;
  return {};
}

Result<void> FindPeers(RunContext& run) {
  const PeerPlan& plan = run.target().peers;
  if (!run.Supports(Feature::kTurn)) return {};
  if (plan.kind == PeerPlan::Kind::kRemote) return FindRemotePeers(run);
  for (const AddressFamily family : {AddressFamily::kIpv4, AddressFamily::kIpv6}) {
    const Feature relay =
        family == AddressFamily::kIpv4 ? Feature::kIpv4Relay : Feature::kIpv6Relay;
    if (!run.Supports(relay)) continue;
    const bool have = !run.own[family].empty();
    if (plan.kind == PeerPlan::Kind::kRelay) {
      run.peers[family] = PeerPlan::Kind::kRelay;
      continue;
    }
    if (plan.kind == PeerPlan::Kind::kLocal) {
      if (have) run.peers[family] = PeerPlan::Kind::kLocal;
      continue;
    }
    if (have) run.peers[family] = PeerPlan::Kind::kLocal;
    if (have && ServerReachesUs(run, family)) continue;
    run.peers[family] = PeerPlan::Kind::kRelay;
    run.warnings.push_back(
        fmt::format("the server does not reach {} here: a second allocation is the {} peer",
                    have ? run.own[family].front().ToString() : "any address",
                    family == AddressFamily::kIpv6 ? "IPv6" : "IPv4"));
  }
  return {};
}

}  // namespace rtclab::conformance
