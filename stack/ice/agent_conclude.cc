// Nomination, selection, failure and release: RFC 8445 sections 7.2.5.4 and 8, RFC 8863.
#include <algorithm>
#include <array>

#include "stack/base/check.h"
#include "stack/ice/agent_impl.h"

namespace rtclab::ice {

// --- Nominating, RFC 8445 section 8.1.1 ----------------------------------------------------------

TimeDelta Agent::Impl::NominationDelayOf(const ValidPair& valid) const {
  const CandidateType local = set_.local(valid.local).candidate.type;
  const CandidateType remote = set_.remote(valid.remote).candidate.type;
  if (local == CandidateType::kRelayed || remote == CandidateType::kRelayed) {
    return config_.nomination_delay.relayed;
  }
  if (local == CandidateType::kHost && remote == CandidateType::kHost)
    return config_.nomination_delay.host;
  return config_.nomination_delay.reflexive;
}

bool Agent::Impl::BetterPairPossible(int stream, int component_id, uint64_t priority) const {
  for (const Pair& pair : set_.pairs()) {
    if (pair.serial == 0 || pair.stream != stream || pair.component != component_id) continue;
    const bool undecided = pair.state == PairState::kFrozen || pair.state == PairState::kWaiting ||
                           pair.state == PairState::kInProgress;
    if (undecided && pair.priority > priority) return true;
  }
  return false;
}

void Agent::Impl::MaybeNominate(Timestamp now, int stream) {
  StreamState& state = streams_[static_cast<std::size_t>(stream)];
  state.nominate_at = Timestamp::PlusInfinity();
  if (role_ != Role::kControlling || config_.lite || config_.nomination != Nomination::kRegular)
    return;
  if (state.nominating || !formed_ || !set_.EveryComponentValid(stream)) return;
  const int components = set_.list(stream).components;
  Timestamp ready_at = now;
  for (int id = 1; id <= components; ++id) {
    const ValidPair& best = *set_.BestValid(stream, id);
    const Pair* checked = set_.Find(best.checked);
    const uint64_t priority = checked != nullptr ? checked->priority : best.priority;
    // Candidates that are still to come can only beat what is not host to host.
    const bool more_to_come = !gathering_complete_ || !set_.list(stream).remote_ended;
    const bool direct = set_.local(best.local).candidate.type == CandidateType::kHost &&
                        set_.remote(best.remote).candidate.type == CandidateType::kHost;
    if (!BetterPairPossible(stream, id, priority) && (direct || !more_to_come)) continue;
    ready_at = std::max(ready_at, component(stream, id).first_valid + NominationDelayOf(best));
  }
  if (ready_at > now) {
    state.nominate_at = ready_at;
    return;
  }
  state.nominating = true;
  for (int id = 1; id <= components; ++id) {
    ValidPair& best = *set_.BestValid(stream, id);
    Pair* pair = set_.Find(best.checked);
    if (pair == nullptr || best.nominated) continue;
    // The check that made the valid pair is repeated with USE-CANDIDATE.
    pair->nominate = true;
    set_.Trigger(*pair);
  }
}

void Agent::Impl::Nominated(Timestamp now, int stream, ValidPair& valid) {
  valid.nominated = true;
  const int id = valid.component;
  Checklist& list = set_.list(stream);
  if (list.state == ChecklistState::kCompleted) {
    // RFC 8445 section 8.1.1: of several nominated pairs the best one is used.
    Select(now, stream, *set_.BestValid(stream, id, true));
    return;
  }
  if (list.state != ChecklistState::kRunning) return;
  if (!config_.lite) RemovePairsOf(now, stream, id, set_.BestValid(stream, id, true)->priority);
  for (int c = 1; c <= list.components; ++c) {
    if (set_.BestValid(stream, c, true) == nullptr) return;
  }
  Complete(now, stream);
}

void Agent::Impl::RemovePairsOf(Timestamp now, int stream, int component_id,
                                uint64_t selected_priority) {
  // RFC 8445 section 8.1.2. Pairs that made valid ones stay, as the memory of what succeeded; so do better pairs that an
  // aggressive nomination is still under way for (RFC 5245 section 8.1.2).
  const Checklist& list = set_.list(stream);
  for (Pair& pair : set_.pairs()) {
    if (pair.serial == 0 || pair.stream != stream || pair.component != component_id) continue;
    const PairRef ref = set_.RefOf(pair);
    const bool made_valid = std::any_of(list.valid.begin(), list.valid.end(),
                                        [&ref](const ValidPair& v) { return v.checked == ref; });
    if (made_valid && !pair.queued && pair.state != PairState::kInProgress) continue;
    const bool aggressive = role_ == Role::kControlling &&
                            config_.nomination == Nomination::kAggressive &&
                            pair.state == PairState::kInProgress;
    if ((pair.nominate_on_success || aggressive) && pair.priority > selected_priority) continue;
    CancelChecks(ref, now);
    if (made_valid) {
      set_.Dequeue(pair);
      set_.SetState(pair, PairState::kSucceeded);
    } else {
      set_.Remove(pair);
    }
  }
}

void Agent::Impl::Complete(Timestamp now, int stream) {
  Checklist& list = set_.list(stream);
  list.state = ChecklistState::kCompleted;
  StreamState& state = streams_[static_cast<std::size_t>(stream)];
  state.nominating = false;
  state.nominate_at = Timestamp::PlusInfinity();
  // RFC 8445 section 8.3.2: a lite agent has nothing to wait for.
  state.release_at = config_.lite ? now : now + config_.release_delay;
  for (int id = 1; id <= list.components; ++id)
    Select(now, stream, *set_.BestValid(stream, id, true));
  if (!AnyChecklistRuns())
    stun_bindings_.clear();  // RFC 8445 section 5.1.1.4: kept alive until ICE has completed
}

void Agent::Impl::Select(Timestamp now, int stream, const ValidPair& valid) {
  Component& c = component(stream, valid.component);
  const TransportAddress from = set_.local(set_.local(valid.local).base).candidate.address;
  const TransportAddress to = set_.remote(valid.remote).candidate.address;
  if (c.keys == keys_ && c.from == from && c.to == to && !c.lost) return;
  c.keys = keys_;
  c.selected = Describe(stream, valid.component, valid.local, valid.remote, valid.priority);
  c.from = from;
  c.to = to;
  c.on_path = true;
  c.lost = false;
  c.quiet = false;
  c.last_sent = now;
  c.priority_attribute =
      PeerReflexivePriority(set_.local(set_.local(valid.local).base).candidate.priority);
  c.last_consent = valid.since;  // RFC 7675 section 5: a check that succeeds is consent
  c.outstanding.clear();
  c.next_consent = Timestamp::PlusInfinity();
  if (ConsentRuns(c)) ScheduleConsent(c, now);
  Emit(SelectedPairChanged{c.selected});
}

void Agent::Impl::NominationFailed(Timestamp, Pair& pair) {
  // RFC 8445 section 7.2.5.3.4. Aggressive nominations fail as ordinary checks do.
  const PairRef ref = set_.RefOf(pair);
  std::erase_if(set_.list(pair.stream).valid,
                [&ref](const ValidPair& v) { return v.checked == ref && !v.nominated; });
  if (role_ == Role::kControlling && config_.nomination == Nomination::kAggressive) return;
  StreamState& state = streams_[static_cast<std::size_t>(pair.stream)];
  state.nominating = false;
  // The checklist fails with it, though not before the PAC timer has run out (RFC 8863 section 4); until then another valid
  // pair may be nominated.
  state.nomination_failed = true;
}

bool Agent::Impl::AnyChecklistRuns() const {
  for (int s = 0; s < set_.streams(); ++s) {
    if (set_.list(s).state == ChecklistState::kRunning) return true;
  }
  return false;
}

// --- Failing, RFC 8445 section 7.2.5.4 -----------------------------------------------------------

void Agent::Impl::MaybeFail(Timestamp now, int stream) {
  Checklist& list = set_.list(stream);
  StreamState& state = streams_[static_cast<std::size_t>(stream)];
  if (config_.lite || list.state != ChecklistState::kRunning || !keys_->has_remote() ||
      !patience_over_)
    return;
  const bool decided = list.undecided == 0;
  const bool more_to_come = !gathering_complete_ || !list.remote_ended;
  const bool hopeless = decided && !more_to_come && !set_.EveryComponentValid(stream);
  // A nomination that failed ends the checklist, unless another one is on its way.
  const bool nomination_failed = state.nomination_failed && !state.nominating;
  if (!hopeless && !nomination_failed) return;
  list.state = ChecklistState::kFailed;
  state.failure = ExplainFailure(stream);
  state.nominate_at = Timestamp::PlusInfinity();
  for (Pair& pair : set_.pairs()) {
    if (pair.serial != 0 && pair.stream == stream) CancelChecks(set_.RefOf(pair), now);
  }
  // RFC 8445 section 12.1: without a new selected pair, data of an earlier session stops as well.
  for (Component& c : components_) {
    if (c.stream != stream || !c.has_selected()) continue;
    c.keys = nullptr;
    c.on_path = false;
  }
  if (!AnyChecklistRuns()) stun_bindings_.clear();
  Emit(ChecklistFailed{stream, state.failure});
}

std::string Agent::Impl::ExplainFailure(int stream) {
  const Checklist& list = set_.list(stream);
  std::array<int, 7> by_cause{};
  int failed = 0;
  std::vector<std::pair<int, int>> errors;  // code, count
  for (const Pair& pair : set_.pairs()) {
    if (pair.serial == 0 || pair.stream != stream || pair.state != PairState::kFailed) continue;
    ++failed;
    ++by_cause[static_cast<std::size_t>(pair.failure)];
    if (pair.failure != FailureCause::kError) continue;
    const auto known = std::find_if(errors.begin(), errors.end(),
                                    [&pair](const auto& e) { return e.first == pair.error_code; });
    if (known == errors.end()) {
      errors.emplace_back(pair.error_code, 1);
    } else {
      ++known->second;
    }
  }
  int remotes = 0, locals = 0;
  for (int r = 0; r < set_.remote_count(); ++r) remotes += set_.remote(r).stream == stream;
  for (int l = 0; l < set_.local_count(); ++l)
    locals += set_.local(l).stream == stream && !set_.local(l).hidden;
  std::string out;
  if (streams_[static_cast<std::size_t>(stream)].nomination_failed &&
      set_.EveryComponentValid(stream)) {
    out = "the nominated pair failed";
  } else if (list.components == 1) {
    out = "no valid pair";
  } else {
    out = "no valid pair for component";
    for (int id = 1; id <= list.components; ++id) {
      if (set_.BestValid(stream, id) == nullptr) out += ' ' + std::to_string(id);
    }
  }
  if (failed == 0) {
    return out + ": no candidate pairs (" + std::to_string(locals) + " local, " +
           std::to_string(remotes) + " remote candidates)";
  }
  static constexpr std::string_view kCauses[] = {"",
                                                 "no answer",
                                                 "",
                                                 "answered from another address",
                                                 "ICMP error",
                                                 "no TURN permission",
                                                 "local address gone"};
  std::string causes;
  const auto add = [&causes](int count, std::string_view what) {
    if (!causes.empty()) causes += ", ";
    causes += std::to_string(count);
    causes += ' ';
    causes += what;
  };
  for (std::size_t i = 1; i < by_cause.size(); ++i) {
    if (by_cause[i] > 0 && i != static_cast<std::size_t>(FailureCause::kError))
      add(by_cause[i], kCauses[i]);
  }
  for (const auto& [code, count] : errors) add(count, "error " + std::to_string(code));
  return out + ": " + std::to_string(failed) +
         (failed == 1 ? " pair failed (" : " pairs failed (") + causes + ")";
}

// --- Freeing candidates, RFC 8445 section 8.3 ----------------------------------------------------

void Agent::Impl::ReleaseCandidates(int stream) {
  for (int i = 0; i < set_.local_count(); ++i) {
    LocalCandidate& l = set_.local(i);
    if (l.stream != stream || !l.listening) continue;
    const TransportAddress& base = set_.local(l.base).candidate.address;
    const bool selected =
        std::any_of(components_.begin(), components_.end(), [&](const Component& c) {
          return c.has_selected() && c.stream == stream && c.from == base;
        });
    if (selected) continue;
    l.listening = false;
    if (l.base != i) continue;
    if (l.candidate.type == CandidateType::kRelayed) {
      std::erase_if(relays_, [&](const Relay& r) { return r.relayed == l.candidate.address; });
      std::erase_if(permissions_,
                    [&](const Permission& p) { return p.relayed == l.candidate.address; });
    }
    Emit(CandidateReleased{stream, l.candidate});
  }
}

// --- The agent's state ---------------------------------------------------------------------------

AgentState Agent::Impl::ComputeState(std::string& reason) {
  if (!keys_->has_remote() && keys_->generation == 0) return AgentState::kNew;
  bool all_completed = true, all_connected = true, any_running = false, any_completed = false,
       any_failed = false;
  bool disconnected = false;
  for (int s = 0; s < set_.streams(); ++s) {
    const Checklist& list = set_.list(s);
    any_failed |= list.state == ChecklistState::kFailed;
    any_completed |= list.state == ChecklistState::kCompleted;
    any_running |= list.state == ChecklistState::kRunning;
    if (list.state == ChecklistState::kFailed) {
      if (reason.empty()) reason = streams_[static_cast<std::size_t>(s)].failure;
      continue;
    }
    all_completed &= list.state == ChecklistState::kCompleted;
    for (int id = 1; id <= list.components; ++id) {
      const Component& c = component(s, id);
      const bool alive = c.has_selected() && !c.lost;
      const bool quiet = alive && c.quiet;
      if (list.state == ChecklistState::kCompleted && !alive) {
        reason = c.lost_why;
        return AgentState::kFailed;
      }
      disconnected |= quiet;
      // During a restart the old pair still connects (RFC 8445 section 12.1).
      if (!(alive && !quiet) && set_.BestValid(s, id) == nullptr) all_connected = false;
    }
  }
  if (any_failed && !any_running && (!config_.continue_without_failed_streams || !any_completed)) {
    return AgentState::kFailed;
  }
  reason.clear();
  if (disconnected && all_completed) {
    reason = "the peer does not answer on the selected pair";
    return AgentState::kDisconnected;
  }
  if (all_completed) return AgentState::kCompleted;
  return all_connected ? AgentState::kConnected : AgentState::kChecking;
}

void Agent::Impl::UpdateState(Timestamp now) {
  if (config_.lite && remote_lite_ && formed_) ConcludeBetweenLiteAgents(now);
  std::string reason;
  const AgentState state = ComputeState(reason);
  if (state == state_) return;
  state_ = state;
  failure_reason_ = state == AgentState::kFailed ? reason : std::string();
  Emit(StateChanged{state, reason});
}

}  // namespace rtclab::ice
