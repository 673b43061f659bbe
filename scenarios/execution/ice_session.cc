#include "scenarios/execution/ice_session.h"

#include <algorithm>

#include "scenarios/execution/schedule.h"

namespace rtclab::scenarios {
namespace {

// After the last datagram of an action: long enough for it to arrive over any link that the presets know.
constexpr TimeDelta kDataSettle = TimeDelta::Seconds(2);

// RFC 8445 section 6.1.1: the offerer controls, unless only the other side is a full agent.
bool FirstControls(const SessionSpec& spec) { return !spec.a.ice.lite || spec.b.ice.lite; }

}  // namespace

IceSession::IceSession(const SessionSpec& spec, sim::Network& network,
                       const std::vector<ServerAccess>& servers, std::function<void()> on_done)
    : SessionDriver(spec, network, std::move(on_done)),
      a_(spec.a, spec.name, true, FirstControls(spec), network, servers, *this),
      b_(spec.b, spec.name, false, !FirstControls(spec), network, servers, *this) {}

void IceSession::OnDescription(IceEndpoint& from, const Description& description) {
  IceEndpoint& to = Other(from);
  After(spec().signalling_delay, [&to, description] { to.ReceiveDescription(description); });
}

void IceSession::OnCandidate(IceEndpoint& from, const ice::Candidate& candidate) {
  IceEndpoint& to = Other(from);
  After(spec().signalling_delay, [&to, candidate] { to.ReceiveCandidate(candidate); });
}

void IceSession::OnEndOfCandidates(IceEndpoint& from, const std::string& ufrag) {
  IceEndpoint& to = Other(from);
  After(spec().signalling_delay, [&to, ufrag] { to.ReceiveEndOfCandidates(ufrag); });
}

void IceSession::OnProgress(IceEndpoint&) { SessionDriver::OnProgress(); }

void IceSession::RestartIce(const std::string& host) {
  if (Named(host).started()) Named(host).RestartIce();
}

bool IceSession::RunEndpointAction(const ActionSpec& action) {
  if (action.kind != ActionSpec::Kind::kSendData) return true;
  SendData(action, 0);
  return false;
}

void IceSession::SendData(const ActionSpec& action, int sent) {
  if (sent == action.count) {
    After(kDataSettle, [this] { FinishAction(); });
    return;
  }
  Named(action.target)
      .SendNumbered(static_cast<uint32_t>(data_tried_),
                    static_cast<std::size_t>(std::max(action.size, 0)));
  ++data_tried_;
  After(action.interval, [this, &action, sent] { SendData(action, sent + 1); });
}

void IceSession::AddResult(results::Session& session) const {
  if (data_tried_ == 0) return;
  session.extra["data"] = {{"sent", data_tried_},
                           {"received", a_.data_received() + b_.data_received()}};
}

}  // namespace rtclab::scenarios
