// Received checks: RFC 8445 section 7.3.
#include <algorithm>

#include "stack/base/check.h"
#include "stack/ice/agent_impl.h"

namespace rtclab::ice {
namespace {

using stun::AttributeType;

// The comprehension-required attributes that a check may carry.
constexpr AttributeType kKnown[] = {AttributeType::kUsername, AttributeType::kPriority,
                                    AttributeType::kUseCandidate};

// How many checks may wait for the peer's credentials: each pair of addresses counts once.
constexpr std::size_t kMaxBufferedChecks = 32;
// The latest of the paths that data is taken from.
constexpr std::size_t kMaxProvenPaths = 32;

}  // namespace

void Agent::Impl::RejectRequest(const Datagram& packet, const stun::MessageView& message, int code,
                                const stun::IntegrityKey* key) {
  ++counters_.checks_rejected;
  auto builder = stun::MessageBuilder::ErrorResponseTo(message, code);
  if (code == stun::kErrorUnknownAttribute)
    builder.AddUnknownAttributes(message.UnknownRequired(kKnown));
  if (key != nullptr) builder.AddMessageIntegrity(*key);
  SendPacket(packet.destination, packet.source, builder.AddFingerprint().Build());
}

std::shared_ptr<const SessionKeys> Agent::Impl::KeysForUfrag(std::string_view ufrag) const {
  if (ufrag == keys_->local.ufrag) return keys_;
  if (previous_keys_ != nullptr && ufrag == previous_keys_->local.ufrag) return previous_keys_;
  for (const Component& c : components_) {
    if (c.keys != nullptr && ufrag == c.keys->local.ufrag) return c.keys;
  }
  return nullptr;
}

bool Agent::Impl::HandleRequest(Timestamp now, const Datagram& packet,
                                const stun::MessageView& message) {
  const int base = set_.FindBase(packet.destination);
  if (!ListensOn(packet.destination) || !message.VerifyFingerprint()) return false;
  if (config_.policy == CandidatePolicy::kRelayOnly && base >= 0 && set_.local(base).hidden)
    return false;
  // RFC 8489 section 9.1.3 for short-term credentials.
  const auto username = message.GetString(AttributeType::kUsername);
  const std::size_t colon = username ? username->find(':') : std::string_view::npos;
  if (!username || !message.HasIntegrity()) {
    RejectRequest(packet, message, stun::kErrorBadRequest, nullptr);
    return true;
  }
  const auto keys =
      colon == std::string_view::npos ? nullptr : KeysForUfrag(username->substr(0, colon));
  // A relay that this generation has not confirmed serves the earlier ones only.
  if (base < 0 && keys == keys_) return false;
  if (keys == nullptr || !message.VerifyIntegrity(keys->local_key)) {
    RejectRequest(packet, message, stun::kErrorUnauthenticated, nullptr);
    return true;
  }
  // Both fragments are of one generation (RFC 8445 section 7.2.2). Chromium, when it restarts, pairs its new candidates with our old ones
  // before it has our answer; where that succeeds it forms no pair of the new generation any more.
  if (keys->has_remote() && username->substr(colon + 1) != keys->remote.ufrag) {
    RejectRequest(packet, message, stun::kErrorUnauthenticated, &keys->local_key);
    return true;
  }
  if (!message.UnknownRequired(kKnown).empty()) {
    RejectRequest(packet, message, stun::kErrorUnknownAttribute, &keys->local_key);
    return true;
  }
  ++counters_.checks_received;
  const bool current = keys == keys_;
  if (current && !config_.lite && ResolveRoleConflict(now, packet, message, keys->local_key))
    return true;

  auto response = stun::MessageBuilder::ResponseTo(message, stun::MessageClass::kSuccessResponse);
  response.AddXorAddress(AttributeType::kXorMappedAddress, packet.source)
      .AddMessageIntegrity(keys->local_key)
      .AddFingerprint();
  SendPacket(packet.destination, packet.source, response.Build());
  const ProvenPath path{packet.destination, packet.source};
  if (std::find(proven_paths_.begin(), proven_paths_.end(), path) == proven_paths_.end()) {
    if (proven_paths_.size() == kMaxProvenPaths) proven_paths_.erase(proven_paths_.begin());
    proven_paths_.push_back(path);
  }
  // An earlier generation's checks keep its path alive and mean nothing else.
  if (!current || state_ == AgentState::kClosed) return true;

  BufferedCheck check{base, packet.source, std::string(username->substr(colon + 1)),
                      message.GetU32(AttributeType::kPriority).value_or(0),
                      message.Has(AttributeType::kUseCandidate)};
  if (keys_->has_remote()) {
    ProcessReceivedCheck(now, check);
    return true;
  }
  for (BufferedCheck& known : buffered_checks_) {
    if (known.base != base || known.source != packet.source) continue;
    check.use_candidate |= known.use_candidate;
    known = std::move(check);
    return true;
  }
  if (buffered_checks_.size() < kMaxBufferedChecks) buffered_checks_.push_back(std::move(check));
  return true;
}

bool Agent::Impl::ResolveRoleConflict(Timestamp now, const Datagram& packet,
                                      const stun::MessageView& message,
                                      const stun::IntegrityKey& key) {
  // RFC 8445 section 7.3.1.1.
  const auto theirs = message.GetU64(role_ == Role::kControlling ? AttributeType::kIceControlling
                                                                 : AttributeType::kIceControlled);
  if (!theirs) return false;
  const bool we_are_larger = tie_breaker_ >= *theirs;
  const bool we_keep_our_role = (role_ == Role::kControlling) == we_are_larger;
  ++counters_.role_conflicts;
  if (we_keep_our_role) {
    RejectRequest(packet, message, stun::kErrorRoleConflict, &key);
    return true;
  }
  SwitchRole(role_ == Role::kControlling ? Role::kControlled : Role::kControlling, now);
  return false;
}

void Agent::Impl::ProcessReceivedCheck(Timestamp now, const BufferedCheck& check) {
  const LocalCandidate& base = set_.local(check.base);
  if (!base.listening) return;
  const int stream = base.stream;
  const int component_id = base.candidate.component;
  if (component_id > set_.list(stream).components) return;
  if (check.priority == 0 && set_.FindRemote(stream, component_id, check.source) < 0) return;
  if (base.candidate.type == CandidateType::kRelayed) {
    // It came through the relay, so the permission is there.
    if (Permission* p = FindPermission(base.candidate.address, check.source.ip)) {
      p->state = PermissionState::kGranted;
    } else {
      permissions_.push_back({base.candidate.address, check.source.ip, PermissionState::kGranted});
    }
  }
  const bool nominates = check.use_candidate && (config_.lite || role_ == Role::kControlled);
  Checklist& list = set_.list(stream);
  // After conclusion only further nominations matter, from peers that nominate aggressively (RFC 8445 section 8.1.1).
  if (list.state == ChecklistState::kCompleted && !nominates) return;
  const int remote = LearnRemote(check.base, check.source, check.priority);
  if (remote < 0) return;
  if (config_.lite) {
    if (nominates) ProcessReceivedCheckLite(now, check, remote);
    return;
  }
  Pair* pair = set_.FindOrInsert(check.base, remote, role_);
  if (pair == nullptr) return;
  const PairRef ref = set_.RefOf(*pair);
  for (ValidPair& valid : list.valid) {
    // RFC 8445 sections 7.3.1.4 and 7.3.1.5: a Succeeded pair is not checked again; a nomination takes effect at once.
    if (valid.checked != ref && !(valid.local == pair->local && valid.remote == pair->remote))
      continue;
    if (nominates && !valid.nominated) Nominated(now, stream, valid);
    return;
  }
  if (list.state == ChecklistState::kFailed) {
    // RFC 8445 section 7.3.1.4: a Failed pair that waits again may bring its checklist back.
    if (streams_[static_cast<std::size_t>(stream)].nomination_failed) return;
    list.state = ChecklistState::kRunning;
    streams_[static_cast<std::size_t>(stream)].failure.clear();
  }
  if (pair->state == PairState::kInProgress) CancelChecks(ref, now);
  set_.Trigger(*pair);
  if (nominates) pair->nominate_on_success = true;
}

void Agent::Impl::ProcessReceivedCheckLite(Timestamp now, const BufferedCheck& check, int remote) {
  // RFC 8445 section 7.3.2.
  const LocalCandidate& base = set_.local(check.base);
  Checklist& list = set_.list(base.stream);
  const uint64_t priority = PairPriority(check.priority, base.candidate.priority);
  auto known = std::find_if(list.valid.begin(), list.valid.end(), [&](const ValidPair& v) {
    return v.local == check.base && v.remote == remote;
  });
  if (known == list.valid.end()) {
    const int component_id = base.candidate.component;
    list.valid.push_back({component_id, check.base, remote, {}, priority, false, now});
    known = list.valid.end() - 1;
    Emit(PairValid{Describe(base.stream, component_id, check.base, remote, priority)});
  }
  if (!known->nominated) Nominated(now, base.stream, *known);
}

}  // namespace rtclab::ice
