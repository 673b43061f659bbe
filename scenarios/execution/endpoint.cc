#include "scenarios/execution/endpoint.h"

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

std::string CodeRule(std::string_view server_kind, std::string_view what, int code) {
  const bool unanswered = code == 0 || code == turn::kRequestTimedOut;
  return unanswered ? fmt::format("{}.no-answer", server_kind)
                    : fmt::format("{}.{}-{}", server_kind, what, code);
}

}  // namespace

Endpoint::Endpoint(const EndpointSpec& spec, const std::string& session, bool offerer,
                   bool controlling, sim::Network& network,
                   const std::vector<ServerAccess>& servers, EndpointObserver& observer)
    : spec_(spec),
      offerer_(offerer),
      observer_(observer),
      network_(network),
      rng_(network.Stream(fmt::format("ice/{}/{}", session, spec.host))),
      transport_(TransportConfigOf(spec.ice, controlling, servers), rng_) {}

void Endpoint::Start() {
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

void Endpoint::ReceiveDescription(const Description& description) {
  const Timestamp now = network_.Now();
  // An answer to an offer that a later restart has overtaken; the one to the latest is on its way.
  if (!description.answers_ufrag.empty() &&
      description.answers_ufrag != agent().local_credentials().ufrag) {
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

void Endpoint::ReceiveCandidate(const ice::Candidate& candidate) {
  host_->Run([&](peer::IceTransport& transport) {
    transport.AddRemoteCandidate(network_.Now(), candidate);
  });
}

void Endpoint::ReceiveEndOfCandidates(const std::string& ufrag) {
  host_->Run([&](peer::IceTransport& transport) {
    transport.EndOfRemoteCandidates(network_.Now(), ufrag);
  });
}

void Endpoint::RestartIce() {
  AddNote(network_.Now(), "restarts ICE");
  host_->Run([&](peer::IceTransport& transport) {
    transport.Restart(network_.Now());
    answering_.clear();
    BeginGeneration();
  });
}

bool Endpoint::SendNumbered(uint32_t number, std::size_t size) {
  if (!host_) return false;
  Bytes payload(std::max(size, kDataHeaderSize), kDataFiller);
  payload[0] = kDataFirstByte;
  StoreU32(payload.data() + kDataNumberAt, number);
  bool sent = false;
  host_->Run(
      [&](peer::IceTransport& transport) { sent = transport.Send(network_.Now(), payload); });
  return sent;
}

bool Endpoint::settled() const {
  return agent().state() == ice::AgentState::kFailed ||
         agent().state() == ice::AgentState::kCompleted;
}

bool Endpoint::DescribesAtOnce() const {
  // RFC 8838 section 16: in half trickle only the initiator conveys all its candidates at once.
  return spec_.ice.trickle == IceSpec::Trickle::kFull ||
         (spec_.ice.trickle == IceSpec::Trickle::kHalf && !offerer_);
}

void Endpoint::BeginGeneration() {
  described_ = false;
  undescribed_.clear();
  if (DescribesAtOnce()) Describe(/*complete=*/false);
}

void Endpoint::Describe(bool complete) {
  described_ = true;
  Description description;
  description.parameters.credentials = agent().local_credentials();
  description.parameters.lite = spec_.ice.lite;
  description.parameters.ta = spec_.ice.ta;
  description.candidates = std::exchange(undescribed_, {});
  description.complete = complete;
  description.answers_ufrag = answering_;
  observer_.OnDescription(*this, description);
}

void Endpoint::Handle(Timestamp now, peer::IceTransportEvent event) {
  std::visit(
      Overloaded{
          [&](const ice::LocalCandidateGathered& e) { OnGathered(now, e); },
          [&](const ice::GatheringComplete& e) { OnGatheringComplete(now, e); },
          [&](const ice::SelectedPairChanged& e) { OnSelected(now, e); },
          [&](const ice::GatheringFailed& e) {
            if (e.relay) return;  // RelayRefused says it
            AddTrouble(now, e.server, e.error_code, CodeRule("stun", "error", e.error_code),
                       e.reason);
          },
          [&](const ice::PairValid& e) {
            if (!first_valid_pair_) first_valid_pair_ = now;
            AddNote(now, fmt::format("valid pair: {} -> {}", ice::Describe(e.pair.local),
                                     ice::Describe(e.pair.remote)));
          },
          [&](const ice::StateChanged& e) {
            if (e.state == ice::AgentState::kFailed) failed_ = now;
            AddNote(now, e.reason.empty()
                             ? fmt::format("state {}", ToString(e.state))
                             : fmt::format("state {}: {}", ToString(e.state), e.reason));
          },
          [&](const ice::ChecklistFailed&) {},
          [&](const ice::RoleChanged& e) {
            AddNote(now, fmt::format("is now {}", ToString(e.role)));
          },
          [&](const ice::ConsentExpired& e) {
            consent_expired_ = true;
            AddNote(now, e.revoked ? "the peer revoked its consent" : "the peer's consent expired");
          },
          [&](const ice::DataReceived& e) {
            if (e.payload.size() >= kDataHeaderSize)
              data_received_.insert(LoadU32(e.payload.data() + kDataNumberAt));
          },
          [&](const ice::Restarted&) {
            AddNote(now, "restarts ICE because the peer did");
            answering_ = remote_ufrag_;
            BeginGeneration();
          },
          [&](const peer::RelayAllocated&) {},
          [&](const peer::RelayRefused& e) {
            AddTrouble(now, e.server, e.code, CodeRule("turn", "error", e.code), e.reason);
          },
          [&](const peer::RelayLost& e) {
            AddTrouble(now, e.server, e.code, "turn.allocation-lost", e.reason);
          },
          [&](const peer::RelayPeerRefused& e) {
            AddTrouble(now, e.relayed, e.code, CodeRule("turn", "peer-refused", e.code),
                       fmt::format("no permission for {}: {}", e.peer.ToString(), e.reason));
          },
      },
      event);
  observer_.OnProgress(*this);
}

void Endpoint::OnGathered(Timestamp now, const ice::LocalCandidateGathered& event) {
  AddNote(now, "gathered " + ice::Describe(event.candidate));
  if (described_) {
    observer_.OnCandidate(*this, event.candidate);
  } else {
    undescribed_.push_back(event.candidate);
  }
}

void Endpoint::OnGatheringComplete(Timestamp now, const ice::GatheringComplete& event) {
  if (!gathered_) gathered_ = now;
  AddNote(now, "gathering complete");
  if (described_) {
    observer_.OnEndOfCandidates(*this, event.ufrag);
  } else {
    Describe(/*complete=*/true);
  }
}

void Endpoint::OnSelected(Timestamp now, const ice::SelectedPairChanged& event) {
  if (!selected_) selected_ = now;
  last_selected_ = now;
  pair_ = event.pair;
  AddNote(now, fmt::format("selected pair: {} -> {}", ice::Describe(event.pair.local),
                           ice::Describe(event.pair.remote)));
}

void Endpoint::AddTrouble(Timestamp now, const TransportAddress& server, int code, std::string rule,
                          std::string reason) {
  AddNote(now, fmt::format("{}: {}", server.ToString(), reason));
  troubles_.push_back({now, server, code, std::move(rule), std::move(reason)});
}

}  // namespace rtclab::scenarios
