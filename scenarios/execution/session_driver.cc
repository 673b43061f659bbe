#include "scenarios/execution/session_driver.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/execution/schedule.h"

namespace rtclab::scenarios {
namespace {

// After the last datagram of an action: long enough for it to arrive over any link that the presets know.
constexpr TimeDelta kDataSettle = TimeDelta::Seconds(2);

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
                             const std::vector<ServerAccess>& servers,
                             std::function<void()> on_done)
    : spec_(spec),
      network_(network),
      on_done_(std::move(on_done)),
      actions_left_(spec.actions.size()) {
  // RFC 8445 section 6.1.1: the offerer controls, unless only the other side is a full agent.
  const bool a_controls = !spec.a.ice.lite || spec.b.ice.lite;
  a_ = std::make_unique<Endpoint>(spec.a, spec.name, true, a_controls, network, servers, *this);
  b_ = std::make_unique<Endpoint>(spec.b, spec.name, false, !a_controls, network, servers, *this);
  After(spec.start, [this] { Start(); });
  for (const ActionSpec& action : spec.actions) {
    After(spec.start + action.at, [this, &action] { Run(action); });
  }
}

SessionDriver::~SessionDriver() = default;

void SessionDriver::Start() {
  started_ = network_.Now();
  a_->Start();
}

void SessionDriver::OnDescription(Endpoint& from, const Description& description) {
  Endpoint& to = Other(from);
  After(spec_.signalling_delay, [&to, description] { to.ReceiveDescription(description); });
}

void SessionDriver::OnCandidate(Endpoint& from, const ice::Candidate& candidate) {
  Endpoint& to = Other(from);
  After(spec_.signalling_delay, [&to, candidate] { to.ReceiveCandidate(candidate); });
}

void SessionDriver::OnEndOfCandidates(Endpoint& from, const std::string& ufrag) {
  Endpoint& to = Other(from);
  After(spec_.signalling_delay, [&to, ufrag] { to.ReceiveEndOfCandidates(ufrag); });
}

void SessionDriver::OnProgress(Endpoint&) {
  if (!connected_ && a_->selected() && b_->selected())
    connected_ = std::max(*a_->selected(), *b_->selected());
  UpdateRestarts();
  CheckDone();
}

void SessionDriver::Run(const ActionSpec& action) {
  switch (action.kind) {
    case ActionSpec::Kind::kIceRestart: {
      Endpoint& endpoint = action.target == a_->host() ? *a_ : *b_;
      if (!endpoint.started()) break;  // before the offer arrived there is nothing to restart
      restarts_.push_back({.host = endpoint.host(), .at = network_.Now()});
      endpoint.RestartIce();
      break;
    }
    case ActionSpec::Kind::kLinkDown:
      network_.SetLinkUp(action.target, false);
      break;
    case ActionSpec::Kind::kLinkUp:
      network_.SetLinkUp(action.target, true);
      break;
    case ActionSpec::Kind::kNatReboot:
      network_.RebootNat(action.target);
      break;
    case ActionSpec::Kind::kSendData:
      SendData(action, 0);
      return;
  }
  FinishAction();
}

void SessionDriver::SendData(const ActionSpec& action, int sent) {
  if (sent == action.count) {
    After(kDataSettle, [this] { FinishAction(); });
    return;
  }
  Endpoint& endpoint = action.target == a_->host() ? *a_ : *b_;
  endpoint.SendNumbered(static_cast<uint32_t>(data_tried_),
                        static_cast<std::size_t>(std::max(action.size, 0)));
  ++data_tried_;
  After(action.interval, [this, &action, sent] { SendData(action, sent + 1); });
}

void SessionDriver::FinishAction() {
  --actions_left_;
  CheckDone();
}

void SessionDriver::UpdateRestarts() {
  for (Restart& restart : restarts_) {
    if (restart.over) continue;
    const auto after = [&](const std::optional<Timestamp>& t) { return t && *t > restart.at; };
    if (after(a_->last_selected()) && after(b_->last_selected())) {
      restart.connected = std::max(*a_->last_selected(), *b_->last_selected());
      restart.over = true;
    } else if (after(a_->failed()) || after(b_->failed())) {
      restart.over = true;
    }
  }
}

void SessionDriver::CheckDone() {
  const bool restarting =
      std::any_of(restarts_.begin(), restarts_.end(), [](const Restart& r) { return !r.over; });
  if (done_ || actions_left_ > 0 || restarting || !a_->settled() || !b_->settled()) return;
  done_ = true;
  on_done_();
}

results::Session SessionDriver::Result() const {
  results::Session session;
  session.name = spec_.name;
  session.state = connected_ ? "connected" : "failed";
  const auto since_start = [&](Timestamp t) { return (t - started_).millis_f(); };
  if (connected_) {
    if (const auto& pair = a_->pair()) {
      session.selected_pair = results::SelectedPair{ToResult(pair->local), ToResult(pair->remote)};
    }
    session.timing_ms.ice_connected = since_start(*connected_);
  }
  if (a_->gathered() && b_->gathered()) {
    session.timing_ms.gathering = since_start(std::max(*a_->gathered(), *b_->gathered()));
  }
  for (const Endpoint* endpoint : {a_.get(), b_.get()}) {
    if (endpoint->first_valid_pair()) {
      const double at = since_start(*endpoint->first_valid_pair());
      session.timing_ms.first_valid_pair =
          std::min(at, session.timing_ms.first_valid_pair.value_or(at));
    }
    AddChecks(*endpoint, session);
  }
  AddExtras(session);
  return session;
}

void SessionDriver::AddChecks(const Endpoint& endpoint, results::Session& session) const {
  const ice::AgentCounters& counters = endpoint.agent().counters();
  session.checks.sent += static_cast<int>(counters.checks_sent);
  session.checks.received += static_cast<int>(counters.checks_received);
  session.checks.succeeded += static_cast<int>(counters.checks_succeeded);
  session.checks.failed += static_cast<int>(counters.checks_failed);
  session.checks.retransmissions += static_cast<int>(counters.retransmissions);
  session.checks.role_conflicts += static_cast<int>(counters.role_conflicts);
  for (const ice::CheckRecord& check : endpoint.agent().check_log()) {
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
  for (const Endpoint* endpoint : {a_.get(), b_.get()}) {
    results::Json counts = {{"host", 0}, {"srflx", 0}, {"prflx", 0}, {"relay", 0}};
    if (endpoint->started()) {
      for (const ice::Candidate& c : endpoint->agent().local_candidates()) {
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
  if (data_tried_ > 0) {
    session.extra["data"] = {{"sent", data_tried_},
                             {"received", a_->data_received() + b_->data_received()}};
  }
  session.extra["consent_expired"] = a_->consent_expired() || b_->consent_expired();
  const ice::AgentState state = a_->agent().state();
  session.extra["final_state"] =
      state == ice::AgentState::kConnected || state == ice::AgentState::kCompleted ? "connected"
      : state == ice::AgentState::kDisconnected                                    ? "disconnected"
                                                                                   : "failed";
}

}  // namespace rtclab::scenarios
