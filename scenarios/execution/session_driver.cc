#include "scenarios/execution/session_driver.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/execution/schedule.h"

namespace rtclab::scenarios {
namespace {

std::string_view FamilyName(const IpAddress& ip) { return ip.IsV6() ? "ipv6" : "ipv4"; }

results::SelectedCandidate ToResult(const ice::Candidate& candidate) {
  return {.type = std::string(ToString(candidate.type)),
          .protocol = "udp",
          .family = std::string(FamilyName(candidate.address.ip)),
          .address = candidate.address.ip.ToString(),
          .port = candidate.address.port};
}

std::string OutcomeText(const ice::CheckRecord& check) {
  if (check.outcome == ice::CheckOutcome::kError) return fmt::format("error {}", check.error_code);
  return std::string(ToString(check.outcome));
}

}  // namespace

SessionDriver::SessionDriver(const SessionSpec& spec, sim::Network& network,
                             std::function<void()> on_done)
    : spec_(spec),
      network_(network),
      on_done_(std::move(on_done)),
      actions_left_(spec.actions.size()) {
  After(spec.start, [this] {
    started_ = network_.Now();
    Start();
  });
  for (const ActionSpec& action : spec.actions) {
    After(spec.start + action.at, [this, &action] { Run(action); });
  }
}

const std::vector<results::SeriesPoint>& SessionDriver::series() const {
  static const std::vector<results::SeriesPoint> kNone;
  return kNone;
}

void SessionDriver::OnProgress() {
  if (!connected_ && a().selected() && b().selected())
    connected_ = std::max(*a().selected(), *b().selected());
  UpdateRestarts();
  CheckDone();
}

void SessionDriver::Run(const ActionSpec& action) {
  bool over = true;
  switch (action.kind) {
    case ActionSpec::Kind::kIceRestart: {
      const EndpointRecord& endpoint = action.target == a().host() ? a() : b();
      // Before the offer arrived there is nothing to restart.
      if (done_ || endpoint.agent() == nullptr || endpoint.notes().empty()) break;
      restarts_.push_back({.host = endpoint.host(), .at = network_.Now()});
      RestartIce(endpoint.host());
      break;
    }
    case ActionSpec::Kind::kLinkDown:
      network_.SetLinkUp(action.target, false);
      break;
    case ActionSpec::Kind::kLinkUp:
      network_.SetLinkUp(action.target, true);
      break;
    case ActionSpec::Kind::kSetLink:
      network_.SetLink(action.target,
                       {.rate = action.rate, .delay = action.delay, .loss = action.loss}, action.up,
                       action.down);
      break;
    case ActionSpec::Kind::kNatReboot:
      network_.RebootNat(action.target);
      break;
    case ActionSpec::Kind::kSendData:
    case ActionSpec::Kind::kMediaPause:
    case ActionSpec::Kind::kMediaResume:
    case ActionSpec::Kind::kAddVideo:
    case ActionSpec::Kind::kClose:
      over = done_ || RunEndpointAction(action);
      break;
  }
  if (over) FinishAction();
}

void SessionDriver::FinishAction() {
  --actions_left_;
  CheckDone();
}

void SessionDriver::UpdateRestarts() {
  for (Restart& restart : restarts_) {
    if (restart.over) continue;
    const auto after = [&](const std::optional<Timestamp>& t) { return t && *t > restart.at; };
    if (after(a().last_selected()) && after(b().last_selected())) {
      restart.connected = std::max(*a().last_selected(), *b().last_selected());
      restart.over = true;
    } else if (after(a().failed()) || after(b().failed())) {
      restart.over = true;
    }
  }
}

void SessionDriver::CheckDone() {
  const bool restarting =
      std::any_of(restarts_.begin(), restarts_.end(), [](const Restart& r) { return !r.over; });
  if (done_) return;
  if (!Ended() && (actions_left_ > 0 || restarting || !Settled())) return;
  done_ = true;
  Finish();
  on_done_();
}

results::Session SessionDriver::Result() const {
  results::Session session;
  session.name = spec_.name;
  session.state = connected_ ? "connected" : "failed";
  if (connected_) {
    if (const auto& pair = a().pair()) {
      session.selected_pair = results::SelectedPair{ToResult(pair->local), ToResult(pair->remote)};
    }
    session.timing_ms.ice_connected = SinceStart(*connected_);
  }
  if (a().gathered() && b().gathered()) {
    session.timing_ms.gathering = SinceStart(std::max(*a().gathered(), *b().gathered()));
  }
  for (const EndpointRecord* endpoint : {&a(), &b()}) {
    if (endpoint->first_valid_pair()) {
      const double at = SinceStart(*endpoint->first_valid_pair());
      session.timing_ms.first_valid_pair =
          std::min(at, session.timing_ms.first_valid_pair.value_or(at));
    }
    AddChecks(*endpoint, session);
  }
  AddExtras(session);
  AddResult(session);
  return session;
}

void SessionDriver::AddChecks(const EndpointRecord& endpoint, results::Session& session) const {
  if (endpoint.agent() == nullptr) return;
  const ice::AgentCounters& counters = endpoint.agent()->counters();
  session.checks.sent += static_cast<int>(counters.checks_sent);
  session.checks.received += static_cast<int>(counters.checks_received);
  session.checks.succeeded += static_cast<int>(counters.checks_succeeded);
  session.checks.failed += static_cast<int>(counters.checks_failed);
  session.checks.retransmissions += static_cast<int>(counters.retransmissions);
  session.checks.role_conflicts += static_cast<int>(counters.role_conflicts);
  for (const ice::CheckRecord& check : endpoint.agent()->check_log()) {
    results::CheckRecord record;
    record.agent = endpoint.host();
    record.local_type = ToString(check.local_type);
    record.remote_type = ToString(check.remote_type);
    record.local = fmt::format("{} {}", record.local_type, check.local.ToString());
    record.remote = fmt::format("{} {}", record.remote_type, check.remote.ToString());
    record.sent_ms =
        check.transmissions.empty() ? 0 : (check.transmissions.front() - started_).millis_f();
    record.transmissions = static_cast<int>(check.transmissions.size());
    if (check.outcome == ice::CheckOutcome::kSucceeded && check.finished) {
      record.answered_ms = (*check.finished - started_).millis_f();
    }
    record.outcome = OutcomeText(check);
    record.nominating = check.nominating;
    session.check_log.push_back(std::move(record));
  }
}

void SessionDriver::AddExtras(results::Session& session) const {
  results::Json candidates = results::Json::object();
  for (const EndpointRecord* endpoint : {&a(), &b()}) {
    results::Json counts = {{"host", 0}, {"srflx", 0}, {"prflx", 0}, {"relay", 0}};
    if (endpoint->agent() != nullptr) {
      for (const ice::Candidate& c : endpoint->agent()->local_candidates()) {
        results::Json& count = counts[std::string(ToString(c.type))];
        count = count.get<int>() + 1;
      }
    }
    candidates[endpoint->host()] = counts;
  }
  session.extra["candidates"] = candidates;
  if (!restarts_.empty()) {
    results::Json list = results::Json::array();
    for (const Restart& restart : restarts_) {
      results::Json entry = {{"host", restart.host}, {"at_ms", (restart.at - started_).millis_f()}};
      entry["connected_ms"] = restart.connected
                                  ? results::Json((*restart.connected - started_).millis_f())
                                  : results::Json();
      list.push_back(entry);
    }
    session.extra["restarts"] = list;
  }
  session.extra["consent_expired"] = a().consent_expired() || b().consent_expired();
  const ice::AgentState state =
      a().agent() == nullptr ? ice::AgentState::kFailed : a().agent()->state();
  session.extra["final_state"] =
      state == ice::AgentState::kConnected || state == ice::AgentState::kCompleted ? "connected"
      : state == ice::AgentState::kDisconnected                                    ? "disconnected"
                                                                                   : "failed";
}

}  // namespace rtclab::scenarios
