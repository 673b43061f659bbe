#include "scenarios/execution/ice_endpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "stack/base/overloaded.h"

namespace rtclab::scenarios {
namespace {

// Test data: a first byte outside of what RFC 7983 gives to STUN, so that it is told from ICE's own, and a number.
constexpr uint8_t kDataFirstByte = 0x80;
constexpr uint8_t kDataFiller = 0xa5;
constexpr std::size_t kDataNumberAt = 5;  // behind filler, where no dissector guesses a version
constexpr std::size_t kDataHeaderSize = kDataNumberAt + 4;

}  // namespace

ice::AgentConfig AgentConfigOf(const IceSpec& spec, bool controlling) {
  ice::AgentConfig config;
  config.role = controlling ? ice::Role::kControlling : ice::Role::kControlled;
  config.lite = spec.lite;
  config.nomination =
      spec.aggressive_nomination ? ice::Nomination::kAggressive : ice::Nomination::kRegular;
  switch (spec.trickle) {
    case IceSpec::Trickle::kNone:
      config.trickle = ice::Trickle::kNone;
      break;
    case IceSpec::Trickle::kHalf:
      config.trickle = ice::Trickle::kHalf;
      break;
    case IceSpec::Trickle::kFull:
      config.trickle = ice::Trickle::kFull;
      break;
  }
  if (spec.policy == IceSpec::Policy::kRelay) config.policy = ice::CandidatePolicy::kRelayOnly;
  config.ta = spec.ta;
  config.family_preference = spec.prefer_ipv6 ? ice::FamilyPreference::kInterleaveIpv6First
                                              : ice::FamilyPreference::kInterleaveIpv4First;
  config.consent.enabled = spec.consent;
  return config;
}

peer::IceTransportConfig TransportConfigOf(const IceSpec& spec, bool controlling,
                                           const std::vector<ServerAccess>& servers) {
  peer::IceTransportConfig config;
  config.agent = AgentConfigOf(spec, controlling);
  for (const std::string& name : spec.servers) {
    const auto server = std::find_if(servers.begin(), servers.end(),
                                     [&](const ServerAccess& s) { return s.name == name; });
    if (server == servers.end()) continue;
    for (const TransportAddress& address : server->addresses) {
      if (server->turn) {
        config.turn_servers.push_back({.address = address,
                                       .username = server->username,
                                       .password = server->password,
                                       .dual = server->dual});
      } else {
        config.stun_servers.push_back(address);
      }
    }
  }
  return config;
}

IceEndpoint::IceEndpoint(const EndpointSpec& spec, const std::string& session, bool offerer,
                         bool controlling, sim::Network& network,
                         const std::vector<ServerAccess>& servers, IceEndpointObserver& observer)
    : EndpointRecord(spec.host),
      spec_(spec),
      offerer_(offerer),
      observer_(observer),
      network_(network),
      rng_(network.Stream(fmt::format("ice/{}/{}", session, spec.host))),
      transport_(TransportConfigOf(spec.ice, controlling, servers), rng_) {}

void IceEndpoint::Start() {
  started_ = true;
  host_ = std::make_unique<sim::ProtocolHost<peer::IceTransport, OnEvent>>(
      network_.host(spec_.host), transport_, OnEvent{this});
  std::vector<TransportAddress> bound;
  for (const IpAddress& address : network_.addresses(spec_.host)) {
    if (auto local = host_->Bind({address, 0})) bound.push_back(*local);
  }
  host_->Run([&](peer::IceTransport& transport) {
    BeginGeneration();
    transport.Gather(network_.Now(), bound);
  });
}

void IceEndpoint::ReceiveDescription(const Description& description) {
  const Timestamp now = network_.Now();
  // An answer to an offer that a later restart has overtaken; the one to the latest is on its way.
  if (!description.answers_ufrag.empty() &&
      description.answers_ufrag != transport_.agent().local_credentials().ufrag) {
    return;
  }
  remote_ufrag_ = description.parameters.credentials.ufrag;
  if (!started_) {
    answering_ = remote_ufrag_;
    Start();
  }
  host_->Run([&](peer::IceTransport& transport) {
    if (const auto result = transport.SetRemoteParameters(now, description.parameters); !result) {
      AddNote(now, "refused the peer's description: " + result.error().reason);
      return;
    }
    for (const ice::Candidate& candidate : description.candidates)
      transport.AddRemoteCandidate(now, candidate);
    if (description.complete)
      transport.EndOfRemoteCandidates(now, description.parameters.credentials.ufrag);
  });
}

void IceEndpoint::ReceiveCandidate(const ice::Candidate& candidate) {
  host_->Run([&](peer::IceTransport& transport) {
    transport.AddRemoteCandidate(network_.Now(), candidate);
  });
}

void IceEndpoint::ReceiveEndOfCandidates(const std::string& ufrag) {
  host_->Run([&](peer::IceTransport& transport) {
    transport.EndOfRemoteCandidates(network_.Now(), ufrag);
  });
}

void IceEndpoint::RestartIce() {
  AddNote(network_.Now(), "restarts ICE");
  host_->Run([&](peer::IceTransport& transport) {
    transport.Restart(network_.Now());
    answering_.clear();
    BeginGeneration();
  });
}

bool IceEndpoint::SendNumbered(uint32_t number, std::size_t size) {
  if (!host_) return false;
  Bytes payload(std::max(size, kDataHeaderSize), kDataFiller);
  payload[0] = kDataFirstByte;
  StoreU32(payload.data() + kDataNumberAt, number);
  bool sent = false;
  host_->Run(
      [&](peer::IceTransport& transport) { sent = transport.Send(network_.Now(), payload); });
  return sent;
}

bool IceEndpoint::DescribesAtOnce() const {
  // RFC 8838 section 16: in half trickle only the initiator conveys all its candidates at once.
  return spec_.ice.trickle == IceSpec::Trickle::kFull ||
         (spec_.ice.trickle == IceSpec::Trickle::kHalf && !offerer_);
}

void IceEndpoint::BeginGeneration() {
  described_ = false;
  undescribed_.clear();
  if (DescribesAtOnce()) Describe(/*complete=*/false);
}

void IceEndpoint::Describe(bool complete) {
  described_ = true;
  Description description;
  description.parameters.credentials = transport_.agent().local_credentials();
  description.parameters.lite = spec_.ice.lite;
  description.parameters.ta = spec_.ice.ta;
  description.candidates = std::exchange(undescribed_, {});
  description.complete = complete;
  description.answers_ufrag = answering_;
  observer_.OnDescription(*this, description);
}

void IceEndpoint::Handle(Timestamp now, peer::IceTransportEvent event) {
  Record(now, event);
  std::visit(Overloaded{
                 [&](const ice::LocalCandidateGathered& e) { OnGathered(e); },
                 [&](const ice::GatheringComplete& e) { OnGatheringComplete(e); },
                 [&](const ice::DataReceived& e) {
                   if (e.payload.size() >= kDataHeaderSize)
                     data_received_.insert(LoadU32(e.payload.data() + kDataNumberAt));
                 },
                 [&](const ice::Restarted&) {
                   answering_ = remote_ufrag_;
                   BeginGeneration();
                 },
                 [](const auto&) {},
             },
             event);
  observer_.OnProgress(*this);
}

void IceEndpoint::OnGathered(const ice::LocalCandidateGathered& event) {
  if (described_) {
    observer_.OnCandidate(*this, event.candidate);
  } else {
    undescribed_.push_back(event.candidate);
  }
}

void IceEndpoint::OnGatheringComplete(const ice::GatheringComplete& event) {
  if (described_) {
    observer_.OnEndOfCandidates(*this, event.ufrag);
  } else {
    Describe(/*complete=*/true);
  }
}

}  // namespace rtclab::scenarios
