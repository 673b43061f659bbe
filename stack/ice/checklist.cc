#include "stack/ice/checklist.h"

#include <algorithm>

#include "stack/base/check.h"
#include "stack/ice/priority.h"

namespace rtclab::ice {
namespace {

bool IsUndecided(PairState state) {
  return state == PairState::kFrozen || state == PairState::kWaiting ||
         state == PairState::kInProgress;
}

uint64_t PriorityOf(const Pair& pair, Role role) {
  return role == Role::kControlling ? PairPriority(pair.local_priority, pair.remote_priority)
                                    : PairPriority(pair.remote_priority, pair.local_priority);
}

// Whether `a` stands above `b` in the column of their foundation: earlier checklist, lower component, higher priority
// (RFC 8445 section 6.1.2.6, RFC 8838 section 12).
bool Above(const Pair& a, const Pair& b) {
  if (a.stream != b.stream) return a.stream < b.stream;
  if (a.component != b.component) return a.component < b.component;
  return a.priority > b.priority;
}

}  // namespace

ChecklistSet::ChecklistSet(const std::vector<int>& components, int max_pairs)
    : max_pairs_(max_pairs) {
  lists_.resize(components.size());
  for (std::size_t i = 0; i < components.size(); ++i) lists_[i].components = components[i];
}

int ChecklistSet::AddLocal(LocalCandidate candidate) {
  if (candidate.base < 0) candidate.base = local_count();
  locals_.push_back(std::move(candidate));
  return local_count() - 1;
}

int ChecklistSet::AddRemote(RemoteCandidate candidate) {
  remotes_.push_back(std::move(candidate));
  return remote_count() - 1;
}

int ChecklistSet::FindBase(const TransportAddress& address) const {
  for (int i = 0; i < local_count(); ++i) {
    if (local(i).base == i && local(i).listening && local(i).candidate.address == address) return i;
  }
  return -1;
}

int ChecklistSet::FindLocal(int stream, int component, const TransportAddress& address,
                            int base) const {
  int found = -1;
  for (int i = 0; i < local_count(); ++i) {
    const LocalCandidate& l = local(i);
    if (l.stream != stream || l.candidate.component != component || l.candidate.address != address)
      continue;
    if (l.base == base) return i;
    if (found < 0) found = i;
  }
  return found;
}

int ChecklistSet::FindRemote(int stream, int component, const TransportAddress& address) const {
  for (int i = 0; i < remote_count(); ++i) {
    const RemoteCandidate& r = remote(i);
    if (r.candidate.address == address && r.stream == stream && r.candidate.component == component)
      return i;
  }
  return -1;
}

uint32_t ChecklistSet::RemoteFoundation(std::string_view text) {
  if (!text.empty()) {
    const auto found = std::find(remote_foundations_.begin(), remote_foundations_.end(), text);
    if (found != remote_foundations_.end()) {
      return static_cast<uint32_t>(found - remote_foundations_.begin());
    }
  }
  remote_foundations_.emplace_back(text);
  return static_cast<uint32_t>(remote_foundations_.size()) - 1;
}

bool ChecklistSet::MayPair(const LocalCandidate& l, const RemoteCandidate& r) const {
  if (l.stream != r.stream || l.candidate.component != r.candidate.component) return false;
  if (!l.conveyed || !l.listening || !r.signalled) return false;
  if (list(l.stream).state != ChecklistState::kRunning) return false;
  const IpAddress& from = local(l.base).candidate.address.ip;
  const IpAddress& to = r.candidate.address.ip;
  if (from.family() != to.family()) return false;
  // RFC 8445 section 6.1.2.2: IPv6 link-local addresses are paired among themselves only.
  return !from.IsV6() || from.IsLinkLocal() == to.IsLinkLocal();
}

void ChecklistSet::FormAll(Role role) {
  for (int l = 0; l < local_count(); ++l) {
    for (int r = 0; r < remote_count(); ++r) {
      // The local candidate is replaced by its base (RFC 8445 section 6.1.2.4).
      if (!MayPair(local(l), remote(r))) continue;
      Insert(local(l).base, local(l).candidate.priority, local(l).foundation, r, role);
    }
  }
  SetInitialStates();
}

void ChecklistSet::PairLocal(int index, Role role) {
  const LocalCandidate& l = local(index);
  for (int r = 0; r < remote_count(); ++r) {
    if (!MayPair(l, remote(r))) continue;
    if (Pair* pair = Insert(l.base, l.candidate.priority, l.foundation, r, role))
      SetTrickledState(*pair);
  }
}

void ChecklistSet::PairRemote(int index, Role role) {
  for (int l = 0; l < local_count(); ++l) {
    if (!MayPair(local(l), remote(index))) continue;
    const LocalCandidate& from = local(l);
    if (Pair* pair = Insert(from.base, from.candidate.priority, from.foundation, index, role)) {
      SetTrickledState(*pair);
    }
  }
}

Pair* ChecklistSet::FindPair(int base, int remote) {
  for (Pair& pair : pairs_) {
    if (pair.serial != 0 && pair.local == base && pair.remote == remote) return &pair;
  }
  return nullptr;
}

Pair* ChecklistSet::FindOrInsert(int base, int remote_index, Role role) {
  if (Pair* pair = FindPair(base, remote_index)) return pair;
  const LocalCandidate& l = local(base);
  return Insert(base, l.candidate.priority, l.foundation, remote_index, role);
}

Pair* ChecklistSet::Insert(int base, uint32_t local_priority, uint32_t local_foundation,
                           int remote_index, Role role) {
  Pair fresh;
  fresh.stream = local(base).stream;
  fresh.component = local(base).candidate.component;
  fresh.local = base;
  fresh.remote = remote_index;
  fresh.foundation_local = local_foundation;
  fresh.foundation_remote = remote(remote_index).foundation;
  fresh.local_priority = local_priority;
  fresh.remote_priority = remote(remote_index).candidate.priority;
  fresh.priority = PriorityOf(fresh, role);
  if (Pair* same = FindPair(base, remote_index)) {
    // RFC 8445 section 6.1.2.4: of two redundant pairs the one of higher priority stays. A pair that is being checked or
    // is decided is left alone (RFC 8838 section 10, item 5).
    const bool replaceable =
        same->state == PairState::kFrozen || same->state == PairState::kWaiting;
    if (replaceable && fresh.priority > same->priority) {
      same->foundation_local = fresh.foundation_local;
      same->foundation_remote = fresh.foundation_remote;
      same->local_priority = fresh.local_priority;
      same->remote_priority = fresh.remote_priority;
      same->priority = fresh.priority;
    }
    return nullptr;
  }
  if (live_pairs_ >= max_pairs_ && !MakeRoom(fresh.priority)) return nullptr;
  fresh.serial = next_serial_++;
  auto slot =
      std::find_if(pairs_.begin(), pairs_.end(), [](const Pair& p) { return p.serial == 0; });
  if (slot == pairs_.end()) {
    pairs_.push_back(fresh);
    slot = pairs_.end() - 1;
  } else {
    *slot = fresh;
  }
  ++live_pairs_;
  ++counts_[static_cast<std::size_t>(PairState::kFrozen)];
  ++list(fresh.stream).pairs;
  ++list(fresh.stream).undecided;
  return &*slot;
}

bool ChecklistSet::MakeRoom(uint64_t priority) {
  // Evenly: from the longest checklist, Failed pairs first, then the lowest priority that has not been tried.
  int longest = 0;
  for (int s = 1; s < streams(); ++s) {
    if (list(s).pairs >= list(longest).pairs) longest = s;
  }
  Pair* victim = nullptr;
  for (Pair& pair : pairs_) {
    if (pair.serial == 0 || pair.stream != longest) continue;
    if (pair.state == PairState::kFailed) {
      victim = &pair;
      break;
    }
    const bool untried =
        (pair.state == PairState::kFrozen || pair.state == PairState::kWaiting) && !pair.queued;
    if (untried && pair.priority < priority &&
        (victim == nullptr || pair.priority < victim->priority)) {
      victim = &pair;
    }
  }
  if (victim == nullptr) return false;
  Remove(*victim);
  return true;
}

void ChecklistSet::SetInitialStates() {
  // RFC 8445 section 6.1.2.6, step 4: of each foundation the topmost pair of the set.
  for (Pair& pair : pairs_) {
    if (pair.serial == 0 || pair.state != PairState::kFrozen) continue;
    bool topmost = true;
    bool succeeded = false;
    for (const Pair& o : pairs_) {
      if (o.serial == 0 || !o.SameFoundation(pair)) continue;
      topmost &= !Above(o, pair) && !(&o < &pair && !Above(pair, o));
      succeeded |= o.state == PairState::kSucceeded;
    }
    if (topmost || succeeded) SetState(pair, PairState::kWaiting);
  }
}

void ChecklistSet::SetTrickledState(Pair& pair) {
  // RFC 8838 section 12: rule 1, topmost of its foundation; rule 2, a pair of the foundation has succeeded; else rule 3.
  bool topmost = true;
  bool succeeded = false;
  for (const Pair& o : pairs_) {
    if (o.serial == 0 || &o == &pair || !o.SameFoundation(pair)) continue;
    topmost &= Above(pair, o);
    succeeded |= o.state == PairState::kSucceeded;
  }
  if (topmost || succeeded) SetState(pair, PairState::kWaiting);
}

void ChecklistSet::AdoptFoundation(int remote_index) {
  for (Pair& pair : pairs_) {
    if (pair.serial != 0 && pair.remote == remote_index) {
      pair.foundation_remote = remote(remote_index).foundation;
    }
  }
}

void ChecklistSet::RecomputePriorities(Role role) {
  for (Pair& pair : pairs_) {
    if (pair.serial != 0) pair.priority = PriorityOf(pair, role);
  }
  for (Checklist& l : lists_) {
    for (ValidPair& valid : l.valid) {
      const uint32_t ours = local(valid.local).candidate.priority;
      const uint32_t theirs = remote(valid.remote).candidate.priority;
      valid.priority =
          role == Role::kControlling ? PairPriority(ours, theirs) : PairPriority(theirs, ours);
    }
  }
}

void ChecklistSet::Remove(Pair& pair) {
  CHECK(pair.serial != 0);
  Dequeue(pair);
  Checklist& l = list(pair.stream);
  --counts_[static_cast<std::size_t>(pair.state)];
  if (IsUndecided(pair.state)) --l.undecided;
  --l.pairs;
  --live_pairs_;
  pair = Pair{};
}

void ChecklistSet::Dequeue(Pair& pair) {
  if (!pair.queued) return;
  auto& queue = list(pair.stream).triggered;
  queue.erase(std::find(queue.begin(), queue.end(), RefOf(pair)));
  pair.queued = false;
  --triggered_;
}

Pair* ChecklistSet::Find(PairRef ref) {
  if (ref.serial == 0 || ref.slot >= pairs_.size() || pairs_[ref.slot].serial != ref.serial)
    return nullptr;
  return &pairs_[ref.slot];
}

void ChecklistSet::SetState(Pair& pair, PairState state) {
  list(pair.stream).undecided += int{IsUndecided(state)} - int{IsUndecided(pair.state)};
  --counts_[static_cast<std::size_t>(pair.state)];
  ++counts_[static_cast<std::size_t>(state)];
  pair.state = state;
}

void ChecklistSet::SetFailed(Pair& pair, FailureCause cause, int error_code) {
  Dequeue(pair);
  SetState(pair, PairState::kFailed);
  pair.failure = cause;
  pair.error_code = error_code;
  pair.nominate = false;
  pair.nominate_on_success = false;
}

void ChecklistSet::Unfreeze(const Pair& like) {
  if (count(PairState::kFrozen) == 0) return;
  for (Pair& pair : pairs_) {
    if (pair.serial != 0 && pair.state == PairState::kFrozen && pair.SameFoundation(like)) {
      SetState(pair, PairState::kWaiting);
    }
  }
}

bool ChecklistSet::FoundationIsActive(const Pair& like) const {
  return std::any_of(pairs_.begin(), pairs_.end(), [&like](const Pair& o) {
    return o.serial != 0 && (o.state == PairState::kWaiting || o.state == PairState::kInProgress) &&
           o.SameFoundation(like);
  });
}

void ChecklistSet::UnfreezeIdleFoundations(int stream) {
  // RFC 8445 section 6.1.4.2, step 2.
  if (count(PairState::kFrozen) == 0) return;
  for (const Pair& pair : pairs_) {
    if (pair.serial != 0 && pair.stream == stream && pair.state == PairState::kWaiting) return;
  }
  while (true) {
    Pair* best = nullptr;
    for (Pair& pair : pairs_) {
      if (pair.serial == 0 || pair.stream != stream || pair.state != PairState::kFrozen) continue;
      if ((best == nullptr || Above(pair, *best)) && !FoundationIsActive(pair)) best = &pair;
    }
    if (best == nullptr) return;
    SetState(*best, PairState::kWaiting);
  }
}

void ChecklistSet::Trigger(Pair& pair) {
  SetState(pair, PairState::kWaiting);
  pair.failure = FailureCause::kNone;
  if (pair.queued) return;
  pair.queued = true;
  list(pair.stream).triggered.push_back(RefOf(pair));
  ++triggered_;
}

ValidPair* ChecklistSet::BestValid(int stream, int component, bool nominated_only) {
  ValidPair* best = nullptr;
  for (ValidPair& valid : list(stream).valid) {
    if (valid.component != component || (nominated_only && !valid.nominated)) continue;
    if (best == nullptr || valid.priority > best->priority) best = &valid;
  }
  return best;
}

bool ChecklistSet::EveryComponentValid(int stream) {
  for (int c = 1; c <= list(stream).components; ++c) {
    if (BestValid(stream, c) == nullptr) return false;
  }
  return true;
}

}  // namespace rtclab::ice
