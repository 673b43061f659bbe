// The peer's parameters and candidates, and forming the checklists: RFC 8445 section 6.1, RFC 8838 sections 7 and 11.
#include <algorithm>

#include "stack/ice/agent_impl.h"

namespace rtclab::ice {
namespace {

// RFC 8445 section 14.2: an agent that proposes no Ta means the default.
constexpr TimeDelta kDefaultTa = TimeDelta::Millis(50);

bool IsIceString(std::string_view text, std::size_t low, std::size_t high) {
  return text.size() >= low && text.size() <= high &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '+' || c == '/';
         });
}

}  // namespace

Result<void> Agent::Impl::SetRemoteParameters(Timestamp now, const RemoteParameters& remote) {
  // RFC 8839 section 5.4: 4 to 256 and 22 to 256 ice-chars.
  if (!IsIceString(remote.credentials.ufrag, 4, 256)) return Fail("a ufrag is 4 to 256 ice-chars");
  if (!IsIceString(remote.credentials.password, 22, 256))
    return Fail("a password is 22 to 256 ice-chars");
  if (state_ == AgentState::kClosed) return {};
  if (keys_->has_remote()) {
    if (keys_->remote == remote.credentials) return {};
    // RFC 8445 section 9: changed credentials are a restart.
    Emit(Restarted{});
    Restart(now);
  }
  keys_->remote = remote.credentials;
  keys_->remote_key = stun::IntegrityKey::ShortTerm(remote.credentials.password);
  keys_->username = remote.credentials.ufrag + ":" + keys_->local.ufrag;
  remote_lite_ = remote.lite;
  // RFC 8445 section 14.2: both use the larger value.
  ta_ = std::max({config_.ta, remote.ta.value_or(kDefaultTa), TimeDelta::Millis(5)});
  // RFC 8445 section 6.1.1: a full agent controls a lite one.
  if (remote.lite && !config_.lite) SwitchRole(Role::kControlling, now);
  if (!remote.lite && config_.lite) SwitchRole(Role::kControlled, now);
  // RFC 8863 section 4: both sides' values are known, so checks are starting.
  if (!config_.lite) patience_until_ = now + config_.patience;
  if (config_.trickle != Trickle::kNone) MaybeForm();
  ReplayEarly(now);
  Settle(now);
  return {};
}

void Agent::Impl::ReplayEarly(Timestamp now) {
  std::vector<BufferedCheck> checks = std::move(buffered_checks_);
  buffered_checks_.clear();
  std::vector<EarlyCandidate> candidates = std::move(early_candidates_);
  early_candidates_.clear();
  for (const EarlyCandidate& early : candidates)
    AddRemoteCandidate(now, early.candidate, early.stream);
  const auto ends = std::move(early_ends_);
  early_ends_.clear();
  for (const auto& [ufrag, stream] : ends) {
    if (GenerationMatches(ufrag)) MarkRemoteEnded(stream);
  }
  // RFC 8445 section 7.3: what was answered early is now processed.
  for (const BufferedCheck& check : checks) {
    if (check.remote_ufrag == keys_->remote.ufrag) ProcessReceivedCheck(now, check);
  }
}

AddResult Agent::Impl::AddRemoteCandidate(Timestamp now, const Candidate& candidate, int stream) {
  if (candidate.protocol != TransportProtocol::kUdp || candidate.address.IsNone() ||
      candidate.address.port == 0 || candidate.address.ip.IsMulticast() ||
      candidate.address.ip.IsAny() || FindComponent(stream, candidate.component) == nullptr) {
    return AddResult::kUnsupported;
  }
  if (!keys_->has_remote()) {
    if (static_cast<int>(early_candidates_.size()) >= config_.max_remote_candidates)
      return AddResult::kTooMany;
    early_candidates_.push_back({candidate, stream});
    return AddResult::kBuffered;
  }
  if (!GenerationMatches(candidate.ufrag)) return AddResult::kStaleGeneration;
  Checklist& list = set_.list(stream);
  if (list.remote_ended) return AddResult::kAfterEnd;
  int index = set_.FindRemote(stream, candidate.component, candidate.address);
  if (index >= 0 && set_.remote(index).signalled) return AddResult::kDuplicate;
  if (signalled_count_ >= config_.max_remote_candidates) return AddResult::kTooMany;
  ++signalled_count_;
  AddResult result = AddResult::kAdded;
  if (index >= 0) {
    // A peer-reflexive candidate turns out to be a signalled one (RFC 8445 section 7.3.1.3).
    RemoteCandidate& known = set_.remote(index);
    known.candidate = candidate;
    known.foundation = set_.RemoteFoundation(candidate.foundation);
    known.signalled = true;
    set_.AdoptFoundation(index);
    for (Component& c : components_) {
      const bool selected = c.has_selected() && c.keys == keys_ && c.stream == stream;
      if (selected && c.selected.remote.address == candidate.address &&
          c.id == candidate.component) {
        c.selected.remote = candidate;
      }
    }
    result = AddResult::kDuplicate;
  } else {
    RemoteCandidate r;
    r.candidate = candidate;
    r.stream = stream;
    r.foundation = set_.RemoteFoundation(candidate.foundation);
    r.signalled = true;
    index = set_.AddRemote(std::move(r));
  }
  if (formed_) {
    set_.PairRemote(index, role_);
    NotePermissions();
  }
  Settle(now);
  return result;
}

void Agent::Impl::EndOfRemoteCandidates(Timestamp now, std::string_view ufrag, int stream) {
  if (!keys_->has_remote()) {
    early_ends_.emplace_back(ufrag, stream);
    return;
  }
  if (!GenerationMatches(ufrag)) return;
  MarkRemoteEnded(stream);
  Settle(now);
}

void Agent::Impl::MarkRemoteEnded(int stream) {
  for (int s = 0; s < set_.streams(); ++s) {
    if ((stream >= 0 && s != stream) || set_.list(s).remote_ended) continue;
    Checklist& list = set_.list(s);
    list.remote_ended = true;
    // RFC 8445 section 6.1.2.2: components that the peer does not have are not waited for.
    int highest = 0;
    for (int r = 0; r < set_.remote_count(); ++r) {
      if (set_.remote(r).stream == s)
        highest = std::max(highest, set_.remote(r).candidate.component);
    }
    if (highest > 0) list.components = std::min(list.components, highest);
  }
  MaybeForm();
}

void Agent::Impl::MaybeForm() {
  if (formed_ || !keys_->has_remote()) return;
  bool ended = true;
  for (int s = 0; s < set_.streams(); ++s) ended &= set_.list(s).remote_ended;
  if (config_.trickle == Trickle::kNone && !(ended && gathering_complete_)) return;
  if (config_.lite) {
    // A lite agent checks nothing. Two of them conclude from their candidates alone (RFC 8445 section 8.2).
    if (remote_lite_ && ended && gathering_complete_) {
      formed_ = true;
      set_.FormAll(role_);
    }
    return;
  }
  formed_ = true;
  set_.FormAll(role_);
  NotePermissions();
}

void Agent::Impl::ConcludeBetweenLiteAgents(Timestamp now) {
  for (int s = 0; s < set_.streams(); ++s) {
    if (set_.list(s).state != ChecklistState::kRunning) continue;
    for (int id = 1; id <= set_.list(s).components; ++id) {
      Pair* best = nullptr;
      for (Pair& pair : set_.pairs()) {
        if (pair.serial == 0 || pair.stream != s || pair.component != id) continue;
        if (best == nullptr || pair.priority > best->priority) best = &pair;
      }
      if (best == nullptr) continue;
      set_.SetState(*best, PairState::kSucceeded);
      set_.list(s).valid.push_back(
          {id, best->local, best->remote, set_.RefOf(*best), best->priority, true, now});
    }
    if (set_.EveryComponentValid(s)) Complete(now, s);
  }
}

int Agent::Impl::LearnRemote(int base, const TransportAddress& source, uint32_t priority) {
  const LocalCandidate& l = set_.local(base);
  const int known = set_.FindRemote(l.stream, l.candidate.component, source);
  if (known >= 0 || set_.remote_count() >= 2 * config_.max_remote_candidates) return known;
  // RFC 8445 section 7.3.1.3.
  RemoteCandidate r;
  r.stream = l.stream;
  r.candidate.type = CandidateType::kPeerReflexive;
  r.candidate.component = l.candidate.component;
  r.candidate.address = source;
  r.candidate.priority = priority;
  r.candidate.ufrag = keys_->remote.ufrag;
  r.foundation = set_.RemoteFoundation("");
  r.candidate.foundation = "prflx" + std::to_string(r.foundation);
  return set_.AddRemote(std::move(r));
}

}  // namespace rtclab::ice
