#include "scenarios/execution/endpoint_record.h"

#include <fmt/format.h>

#include "stack/base/overloaded.h"

namespace rtclab::scenarios {
namespace {

std::string CodeRule(std::string_view server_kind, std::string_view what, int code) {
  const bool unanswered = code == 0 || code == turn::kRequestTimedOut;
  return unanswered ? fmt::format("{}.no-answer", server_kind)
                    : fmt::format("{}.{}-{}", server_kind, what, code);
}

}  // namespace

bool EndpointRecord::settled() const {
  return agent() != nullptr && (agent()->state() == ice::AgentState::kFailed ||
                                agent()->state() == ice::AgentState::kCompleted);
}

void EndpointRecord::Record(Timestamp now, const peer::IceTransportEvent& event) {
  std::visit(
      Overloaded{
          [&](const ice::LocalCandidateGathered& e) {
            AddNote(now, "gathered " + ice::Describe(e.candidate));
          },
          [&](const ice::GatheringComplete&) {
            if (!gathered_) gathered_ = now;
            AddNote(now, "gathering complete");
          },
          [&](const ice::SelectedPairChanged& e) { RecordSelected(now, e.pair); },
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
          [&](const ice::DataReceived&) {},
          [&](const ice::Restarted&) { AddNote(now, "restarts ICE because the peer did"); },
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
}

void EndpointRecord::RecordSelected(Timestamp now, const ice::CandidatePair& pair) {
  if (!selected_) selected_ = now;
  last_selected_ = now;
  pair_ = pair;
  AddNote(now, fmt::format("selected pair: {} -> {}", ice::Describe(pair.local),
                           ice::Describe(pair.remote)));
}

void EndpointRecord::AddTrouble(Timestamp now, const TransportAddress& server, int code,
                                std::string rule, std::string reason) {
  AddNote(now, fmt::format("{}: {}", server.ToString(), reason));
  troubles_.push_back({now, server, code, std::move(rule), std::move(reason)});
}

}  // namespace rtclab::scenarios
