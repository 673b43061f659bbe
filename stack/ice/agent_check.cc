// Connectivity checks as a STUN client and their pacing: RFC 8445 sections 6.1.4, 7.2 and 14.
#include <algorithm>

#include "stack/base/check.h"
#include "stack/ice/agent_impl.h"

namespace rtclab::ice {
namespace {

constexpr std::size_t kMaxLog = 2'000;

bool IsHardIcmp(const IcmpError& error) {
  // RFC 8445 section 19.2 counts destination unreachable with codes 2 to 4 of ICMP. Code 4, fragmentation needed, is left
  // out: a check is far below any MTU, so that one is about data. Of ICMPv6 (RFC 4443 section 3.1) port unreachable.
  if (error.destination.ip.IsV4()) return error.type == 3 && error.code >= 2 && error.code <= 3;
  return error.type == 1 && error.code == 4;
}

}  // namespace

// --- The pacer -----------------------------------------------------------------------------------

void Agent::Impl::RunPacer(Timestamp now) {
  if (pacer_idle_ || now < next_slot_) return;
  if (StartOneTransaction(now)) {
    next_slot_ = now + ta_;
    const bool more =
        !gather_queue_.empty() || set_.AnyTriggered() || set_.count(PairState::kWaiting) > 0 ||
        set_.count(PairState::kFrozen) > 0 ||
        std::any_of(permissions_.begin(), permissions_.end(),
                    [](const Permission& p) { return p.state == PermissionState::kNeeded; });
    pacer_idle_ = !more;
  } else {
    pacer_idle_ = true;
  }
}

bool Agent::Impl::StartOneTransaction(Timestamp now) {
  // Triggered checks first; gathering, permissions and ordinary checks take turns.
  if (set_.AnyTriggered() && StartCheck(now)) return true;
  for (int i = 0; i < 3; ++i) {
    const int kind = (next_kind_ + i) % 3;
    const bool started = kind == 0   ? StartGatherTask(now)
                         : kind == 1 ? RequestPermissions()
                                     : StartCheck(now);
    if (!started) continue;
    next_kind_ = (kind + 1) % 3;
    return true;
  }
  return false;
}

bool Agent::Impl::StartCheck(Timestamp now) {
  if (!formed_ && !set_.AnyTriggered()) return false;
  const auto may_send = [this](const Pair& pair) { return MaySend(pair); };
  for (int i = 0; i < set_.streams(); ++i) {
    const int stream = (next_stream_ + i) % set_.streams();
    // A completed checklist still checks what the peer nominates (RFC 8445 section 8.3.1).
    const Checklist& list = set_.list(stream);
    if (list.state != ChecklistState::kRunning && list.triggered.empty()) continue;
    bool triggered = false;
    Pair* pair = set_.Pick(stream, may_send, triggered);
    if (pair == nullptr) continue;
    next_stream_ = (stream + 1) % set_.streams();
    SendCheck(now, *pair, triggered);
    return true;
  }
  return false;
}

bool Agent::Impl::MaySend(const Pair& pair) {
  const Candidate& local = set_.local(pair.local).candidate;
  if (local.type != CandidateType::kRelayed) return true;
  const Permission* permission =
      FindPermission(local.address, set_.remote(pair.remote).candidate.address.ip);
  return permission != nullptr && permission->state == PermissionState::kGranted;
}

// --- TURN permissions, RFC 8445 section 7.2.1 ----------------------------------------------------

Agent::Impl::Permission* Agent::Impl::FindPermission(const TransportAddress& relayed,
                                                     const IpAddress& peer) {
  for (Permission& p : permissions_) {
    if (p.peer == peer && p.relayed == relayed) return &p;
  }
  return nullptr;
}

void Agent::Impl::NotePermissions() {
  if (relays_.empty()) return;
  for (const Pair& pair : set_.pairs()) {
    if (pair.serial == 0) continue;
    const Candidate& local = set_.local(pair.local).candidate;
    if (local.type != CandidateType::kRelayed) continue;
    const IpAddress& peer = set_.remote(pair.remote).candidate.address.ip;
    if (FindPermission(local.address, peer) == nullptr)
      permissions_.push_back({local.address, peer});
  }
}

bool Agent::Impl::RequestPermissions() {
  const auto needed =
      std::find_if(permissions_.begin(), permissions_.end(),
                   [](const Permission& p) { return p.state == PermissionState::kNeeded; });
  if (needed == permissions_.end()) return false;
  // One CreatePermission may name many peers (RFC 8656 section 9).
  PermissionWanted wanted{needed->relayed, {}};
  for (Permission& p : permissions_) {
    if (p.state != PermissionState::kNeeded || p.relayed != wanted.relayed) continue;
    p.state = PermissionState::kRequested;
    wanted.peers.push_back(p.peer);
  }
  Emit(std::move(wanted));
  return true;
}

void Agent::Impl::PermissionGranted(Timestamp now, const TransportAddress& relayed,
                                    const IpAddress& peer) {
  if (Permission* p = FindPermission(relayed, peer)) p->state = PermissionState::kGranted;
  Settle(now);
}

void Agent::Impl::PermissionFailed(Timestamp now, const TransportAddress& relayed,
                                   const IpAddress& peer, std::string_view) {
  if (Permission* p = FindPermission(relayed, peer)) {
    p->state = PermissionState::kFailed;
    for (Pair& pair : set_.pairs()) {
      if (pair.serial == 0 || pair.state == PairState::kFailed ||
          pair.state == PairState::kSucceeded)
        continue;
      const bool concerned = set_.local(pair.local).candidate.address == relayed &&
                             set_.remote(pair.remote).candidate.address.ip == peer;
      if (concerned) set_.SetFailed(pair, FailureCause::kPermission);
    }
  }
  Settle(now);
}

// --- Requests ------------------------------------------------------------------------------------

Bytes Agent::Impl::BuildRequest(const stun::TransactionId& id, const SessionKeys& keys,
                                uint32_t priority, bool use_candidate) const {
  using stun::AttributeType;
  stun::MessageBuilder builder(stun::MessageClass::kRequest, stun::Method::kBinding, id);
  builder.AddString(AttributeType::kUsername, keys.username)
      .AddU32(AttributeType::kPriority, priority)
      .AddU64(role_ == Role::kControlling ? AttributeType::kIceControlling
                                          : AttributeType::kIceControlled,
              tie_breaker_);
  if (use_candidate) builder.AddFlag(AttributeType::kUseCandidate);
  return builder.AddMessageIntegrity(keys.remote_key).AddFingerprint().Build();
}

void Agent::Impl::SendCheck(Timestamp now, Pair& pair, bool triggered) {
  set_.SetState(pair, PairState::kInProgress);
  // RFC 8445 section 14.3: RTO = MAX(500 ms, Ta * N * (Num-Waiting + Num-In-Progress)).
  const int active = set_.count(PairState::kWaiting) + set_.count(PairState::kInProgress);
  const TimeDelta rto = std::max(config_.min_rto, ta_ * (int64_t{set_.live_pairs()} * active));
  const stun::RetransmitPolicy policy{.rto = rto, .rc = config_.rc, .rm = config_.rm};
  const Candidate& local = set_.local(pair.local).candidate;
  const Candidate& remote = set_.remote(pair.remote).candidate;
  const bool use_candidate = role_ == Role::kControlling &&
                             (pair.nominate || config_.nomination == Nomination::kAggressive);
  const stun::TransactionId id = stun::NewTransactionId(*rng_);
  const uint32_t priority = PeerReflexivePriority(local.priority);
  CheckTransaction check{.id = id,
                         .pair = set_.RefOf(pair),
                         .stream = pair.stream,
                         .from = local.address,
                         .to = remote.address,
                         .timer = stun::RetransmitTimer(now, policy),
                         .expires = now + rto * ((int64_t{1} << (config_.rc - 1)) - 1 + config_.rm),
                         .request = BuildRequest(id, *keys_, priority, use_candidate),
                         .priority = priority,
                         .role = role_,
                         .nominating = use_candidate};
  if (log_.size() < kMaxLog) {
    check.log = static_cast<int>(log_.size());
    CheckRecord record;
    record.generation = keys_->generation;
    record.stream = pair.stream;
    record.component = pair.component;
    record.local_type = local.type;
    record.remote_type = remote.type;
    record.local = check.from;
    record.remote = check.to;
    record.transaction_id = id;
    record.triggered = triggered;
    record.nominating = use_candidate;
    record.role = role_;
    record.rto = rto;
    record.transmissions.push_back(now);
    log_.push_back(std::move(record));
  }
  ++counters_.checks_sent;
  SendPacket(check.from, check.to, check.request);
  checks_.push_back(std::move(check));
}

void Agent::Impl::FinishLog(const CheckTransaction& check, Timestamp now, CheckOutcome outcome,
                            int error_code) {
  CheckRecord* record = LogOf(check);
  if (record == nullptr) return;
  record->outcome = outcome;
  record->finished = now;
  if (error_code != 0) record->error_code = error_code;
}

// RFC 8445 sections 7.3.1.4 and 8.1.2: no more retransmissions and no failure, but an answer still counts.
void Agent::Impl::CancelChecks(PairRef pair, Timestamp now) {
  for (CheckTransaction& check : checks_) {
    if (check.pair != pair || check.cancelled || check.done) continue;
    check.cancelled = true;
    if (CheckRecord* record = LogOf(check)) record->cancelled = true;
    FinishLog(check, now, CheckOutcome::kCancelled);
  }
}

void Agent::Impl::HandleCheckTimers(Timestamp now) {
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    while (!checks_[i].done && !checks_[i].cancelled && checks_[i].timer.Next() <= now) {
      CheckTransaction& check = checks_[i];
      const auto action = check.timer.HandleTimeout(now);
      if (action == stun::RetransmitTimer::Action::kRetransmit) {
        ++counters_.retransmissions;
        if (CheckRecord* record = LogOf(check)) record->transmissions.push_back(now);
        SendPacket(check.from, check.to, check.request);
      } else if (action == stun::RetransmitTimer::Action::kTimedOut) {
        CheckFailed(now, check, FailureCause::kTimeout, 0);
      }
    }
    if (checks_[i].cancelled && checks_[i].expires <= now) checks_[i].done = true;
  }
  std::erase_if(checks_, [](const CheckTransaction& c) { return c.done; });
}

// --- Answers -------------------------------------------------------------------------------------

bool Agent::Impl::HandleCheckResponse(Timestamp now, CheckTransaction& check,
                                      const Datagram& packet, const stun::MessageView& message) {
  int error_code = 0;
  if (message.IsError()) {
    const auto error = message.GetErrorCode();
    if (!error) return false;
    error_code = error->code;
  }
  // RFC 8489 section 9.1.4: an unauthenticated response is as if it had not come; the log remembers its code.
  if (!message.VerifyIntegrity(keys_->remote_key)) {
    if (CheckRecord* record = LogOf(check); record != nullptr && error_code != 0)
      record->error_code = error_code;
    return false;
  }
  if (now >= check.expires) return false;
  // RFC 8445 section 7.2.5.2.1.
  if (packet.source != check.to || packet.destination != check.from) {
    CheckFailed(now, check, FailureCause::kNonSymmetric, 0);
    return true;
  }
  if (message.IsError()) {
    if (error_code == stun::kErrorRoleConflict) {
      FinishLog(check, now, CheckOutcome::kError, error_code);
      check.done = true;
      HandleRoleConflictResponse(now, check);
    } else {
      CheckFailed(now, check, FailureCause::kError, error_code);
    }
    return true;
  }
  const auto mapped = message.GetXorAddress(stun::AttributeType::kXorMappedAddress);
  if (!mapped) return false;
  check.done = true;
  CheckSucceeded(now, check, *mapped);
  return true;
}

void Agent::Impl::HandleRoleConflictResponse(Timestamp now, CheckTransaction& check) {
  // RFC 8445 section 7.2.5.1: the role opposite to what the request said, and another tie-breaker.
  ++counters_.role_conflicts;
  const Role other = check.role == Role::kControlling ? Role::kControlled : Role::kControlling;
  if (role_ != other) {
    SwitchRole(other, now);
    tie_breaker_ = rng_->NextU64();
  }
  if (Pair* pair = set_.Find(check.pair)) set_.Trigger(*pair);
}

void Agent::Impl::CheckSucceeded(Timestamp now, CheckTransaction& check,
                                 const TransportAddress& mapped) {
  FinishLog(check, now, CheckOutcome::kSucceeded);
  if (CheckRecord* record = LogOf(check)) record->mapped = mapped;
  ++counters_.checks_succeeded;
  Pair* pair = set_.Find(check.pair);
  if (pair == nullptr) return;  // removed from the checklist meanwhile
  const bool still_to_nominate = pair->nominate && !check.nominating;
  if (!still_to_nominate) {
    set_.Dequeue(*pair);
    CancelChecks(check.pair, now);
    set_.SetState(*pair, PairState::kSucceeded);
  }
  pair->failure = FailureCause::kNone;
  set_.Unfreeze(*pair);
  const int valid_index = AddValidPair(now, *pair, check, mapped);
  ValidPair& valid = set_.list(check.stream).valid[static_cast<std::size_t>(valid_index)];
  // RFC 8445 section 7.2.5.3.4.
  const bool we_nominated = role_ == Role::kControlling && check.nominating && check.role == role_;
  const bool peer_nominated = role_ == Role::kControlled && pair->nominate_on_success;
  if (we_nominated || peer_nominated) {
    pair->nominate = false;
    pair->nominate_on_success = false;
    Nominated(now, check.stream, valid);
  }
}

int Agent::Impl::AddValidPair(Timestamp now, Pair& pair, const CheckTransaction& check,
                              const TransportAddress& mapped) {
  int local = set_.FindLocal(pair.stream, pair.component, mapped, pair.local);
  if (local < 0) {
    // RFC 8445 section 7.2.5.3.1.
    const Candidate& base = set_.local(pair.local).candidate;
    LocalCandidate l;
    l.stream = pair.stream;
    l.base = pair.local;
    l.candidate.type = CandidateType::kPeerReflexive;
    l.candidate.component = pair.component;
    l.candidate.address = mapped;
    l.candidate.base = base.address;
    l.candidate.related = base.address;
    l.candidate.priority = check.priority;
    l.candidate.ufrag = keys_->local.ufrag;
    l.foundation = FoundationOf(CandidateType::kPeerReflexive, base.address.ip, {});
    l.candidate.foundation = std::to_string(l.foundation);
    local = set_.AddLocal(std::move(l));
  }
  auto& list = set_.list(pair.stream).valid;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].local != local || list[i].remote != pair.remote) continue;
    list[i].since = now;
    return static_cast<int>(i);
  }
  // RFC 8445 section 7.2.5.3.2: the pair itself, another one of the checklist, or one that is on none.
  ValidPair valid{pair.component, local, pair.remote, set_.RefOf(pair), pair.priority, false, now};
  if (local != pair.local) {
    const uint32_t ours = set_.local(local).candidate.priority;
    valid.priority = role_ == Role::kControlling ? PairPriority(ours, pair.remote_priority)
                                                 : PairPriority(pair.remote_priority, ours);
    for (Pair& other : set_.pairs()) {
      if (other.serial == 0 || other.local != local || other.remote != pair.remote) continue;
      CancelChecks(set_.RefOf(other), now);
      set_.Dequeue(other);
      set_.SetState(other, PairState::kSucceeded);
    }
  }
  list.push_back(valid);
  Component& c = component(pair.stream, pair.component);
  if (c.first_valid.IsInfinite()) c.first_valid = now;
  Emit(PairValid{Describe(pair.stream, pair.component, local, pair.remote, valid.priority)});
  return static_cast<int>(list.size()) - 1;
}

void Agent::Impl::CheckFailed(Timestamp now, CheckTransaction& check, FailureCause cause,
                              int error_code) {
  static constexpr CheckOutcome kOutcomes[] = {CheckOutcome::kPending, CheckOutcome::kTimeout,
                                               CheckOutcome::kError, CheckOutcome::kNonSymmetric,
                                               CheckOutcome::kIcmp};
  check.done = true;
  FinishLog(check, now, kOutcomes[static_cast<std::size_t>(cause)], error_code);
  // A cancelled check does not fail its pair.
  if (check.cancelled) return;
  ++counters_.checks_failed;
  Pair* pair = set_.Find(check.pair);
  if (pair == nullptr) return;
  const bool nomination = (check.nominating && check.role == role_) || pair->nominate_on_success;
  set_.SetFailed(*pair, cause, error_code);
  if (nomination) NominationFailed(now, *pair);
}

void Agent::Impl::HandleIcmp(Timestamp now, const IcmpError& error) {
  if (!config_.icmp_fails_checks || !IsHardIcmp(error)) return;
  for (CheckTransaction& check : checks_) {
    if (check.done || check.cancelled || check.to != error.destination ||
        check.from != error.source)
      continue;
    CheckFailed(now, check, FailureCause::kIcmp, 0);
  }
  std::erase_if(checks_, [](const CheckTransaction& c) { return c.done; });
  Settle(now);
}

}  // namespace rtclab::ice
