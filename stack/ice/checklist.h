// The checklist set: candidates, candidate pairs, their states, the triggered-check queues and the valid lists of all data
// streams (RFC 8445 section 6.1.2 and 6.1.4, RFC 8838 sections 10 to 12). Pure data: no time, no packets.
#ifndef RTCLAB_STACK_ICE_CHECKLIST_H_
#define RTCLAB_STACK_ICE_CHECKLIST_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stack/base/units.h"
#include "stack/ice/candidate.h"
#include "stack/ice/config.h"
#include "stack/ice/events.h"

namespace rtclab::ice {

struct LocalCandidate {
  Candidate candidate;
  int stream = 0;
  uint32_t foundation = 0;  // FoundationTable's number
  int base = -1;  // index of the candidate it is sent from: itself for host and relayed ones
  bool conveyed = false;  // may be paired (RFC 8838 section 10)
  bool hidden = false;    // the policy keeps it from the peer; still a base for others
  bool listening = true;  // false: released or gone
};

struct RemoteCandidate {
  Candidate candidate;
  int stream = 0;
  uint32_t foundation = 0;
  bool signalled = false;  // false: only learnt from a check
};

enum class FailureCause : uint8_t {
  kNone,
  kTimeout,
  kError,
  kNonSymmetric,
  kIcmp,
  kPermission,
  kLocalGone
};

// Names a pair for as long as it is on a checklist: a slot may be used again, with another serial.
struct PairRef {
  uint32_t slot = 0;
  uint32_t serial = 0;  // 0: none
  bool operator==(const PairRef&) const = default;
};

struct Pair {
  uint32_t serial = 0;  // 0: the slot is free
  int stream = 0;
  int component = 1;
  int local = -1;  // always a base
  int remote = -1;
  uint32_t foundation_local = 0, foundation_remote = 0;
  uint32_t local_priority = 0, remote_priority = 0;
  uint64_t priority = 0;
  PairState state = PairState::kFrozen;
  bool queued = false;               // in the triggered-check queue
  bool nominate = false;             // controlling: the next check carries USE-CANDIDATE
  bool nominate_on_success = false;  // controlled: the peer's check carried USE-CANDIDATE
  FailureCause failure = FailureCause::kNone;
  int error_code = 0;

  bool SameFoundation(const Pair& o) const {
    return foundation_local == o.foundation_local && foundation_remote == o.foundation_remote;
  }
};

// An entry of a valid list (RFC 8445 section 7.2.5.3.2).
struct ValidPair {
  int component = 1;
  int local = -1;  // of any type
  int remote = -1;
  PairRef checked;  // whose check made it
  uint64_t priority = 0;
  bool nominated = false;
  Timestamp since;  // the last success
};

struct Checklist {
  int components = 1;
  ChecklistState state = ChecklistState::kRunning;
  std::vector<PairRef> triggered;  // FIFO (RFC 8445 section 6.1.4.1)
  std::vector<ValidPair> valid;
  bool remote_ended = false;  // end-of-candidates came
  int pairs = 0;              // on this checklist
  int undecided = 0;          // of these Frozen, Waiting or In-Progress
};

class ChecklistSet {
 public:
  // `components`: of each stream. `max_pairs`: RFC 8445 section 6.1.2.5.
  ChecklistSet(const std::vector<int>& components, int max_pairs);

  // --- Candidates -----------------------------------------------------------------------------------------------------
  int AddLocal(LocalCandidate candidate);  // a `base` of -1 means itself
  int AddRemote(RemoteCandidate candidate);
  LocalCandidate& local(int index) { return locals_[static_cast<std::size_t>(index)]; }
  const LocalCandidate& local(int index) const { return locals_[static_cast<std::size_t>(index)]; }
  RemoteCandidate& remote(int index) { return remotes_[static_cast<std::size_t>(index)]; }
  const RemoteCandidate& remote(int index) const {
    return remotes_[static_cast<std::size_t>(index)];
  }
  int local_count() const { return static_cast<int>(locals_.size()); }
  int remote_count() const { return static_cast<int>(remotes_.size()); }
  // The base (host or relayed) that listens on `address`; -1: none.
  int FindBase(const TransportAddress& address) const;
  // A local candidate of the component with that address, one sent from `base` first; -1: none.
  int FindLocal(int stream, int component, const TransportAddress& address, int base) const;
  int FindRemote(int stream, int component, const TransportAddress& address) const;
  // The number of a remote foundation. "" makes one that nothing else has (RFC 8445 section 7.3.1.3).
  uint32_t RemoteFoundation(std::string_view text);

  // --- Forming pairs --------------------------------------------------------------------------------------------------
  // RFC 8445 section 6.1.2: the pairs of all candidates at once, with the initial states of section 6.1.2.6.
  void FormAll(Role role);
  // RFC 8838 sections 10 to 12: the pairs of one new candidate.
  void PairLocal(int local, Role role);
  void PairRemote(int remote, Role role);
  // RFC 8445 section 7.3.1.4: the pair of a received check, inserted if it is new. None: the set is full.
  Pair* FindOrInsert(int base, int remote, Role role);
  // A peer-reflexive remote candidate was signalled after all: its pairs take the signalled foundation. Their priority
  // stays, being the one that the peer sees as well (RFC 8838 section 11, item 4A).
  void AdoptFoundation(int remote);
  // After a change of role (RFC 8445 section 7.3.1.1).
  void RecomputePriorities(Role role);
  void Remove(Pair& pair);

  // --- States ---------------------------------------------------------------------------------------------------------
  // The pairs of all checklists; free slots have serial 0.
  std::vector<Pair>& pairs() { return pairs_; }
  const std::vector<Pair>& pairs() const { return pairs_; }
  Pair* Find(PairRef ref);
  PairRef RefOf(const Pair& pair) const {
    return {static_cast<uint32_t>(&pair - pairs_.data()), pair.serial};
  }
  void SetState(Pair& pair, PairState state);
  void SetFailed(Pair& pair, FailureCause cause, int error_code = 0);
  // RFC 8445 section 7.2.5.3.3: every Frozen pair with the foundation of `like` becomes Waiting.
  void Unfreeze(const Pair& like);
  // Makes the pair Waiting and queues it for a triggered check, unless it is queued.
  void Trigger(Pair& pair);
  // Takes the pair off the triggered-check queue, if it is there.
  void Dequeue(Pair& pair);

  // RFC 8445 section 6.1.4.2, steps 1 to 3, for one checklist: the pair to check next, taken off the queue or unfrozen as
  // needed; `triggered` says which. Pairs for which `may_send(pair)` is false are passed over. None: step 4.
  template <typename MaySend>
  Pair* Pick(int stream, const MaySend& may_send, bool& triggered);

  // --- Lists and counts -----------------------------------------------------------------------------------------------
  Checklist& list(int stream) { return lists_[static_cast<std::size_t>(stream)]; }
  const Checklist& list(int stream) const { return lists_[static_cast<std::size_t>(stream)]; }
  int streams() const { return static_cast<int>(lists_.size()); }
  // The best valid pair of a component, nominated ones only if asked; nullptr: none.
  ValidPair* BestValid(int stream, int component, bool nominated_only = false);
  bool EveryComponentValid(int stream);
  int live_pairs() const { return live_pairs_; }
  int count(PairState state) const { return counts_[static_cast<std::size_t>(state)]; }
  bool AnyTriggered() const { return triggered_ > 0; }

 private:
  bool MayPair(const LocalCandidate& local, const RemoteCandidate& remote) const;
  // Adds the pair, Frozen, or merges it into the one it is redundant with. nullptr: merged or not worth a place.
  Pair* Insert(int base, uint32_t local_priority, uint32_t local_foundation, int remote, Role role);
  void SetTrickledState(Pair& pair);
  void SetInitialStates();
  void UnfreezeIdleFoundations(int stream);
  // Makes room for one pair of `priority` (RFC 8445 section 6.1.2.5, RFC 8838 section 10); false: there is none.
  bool MakeRoom(uint64_t priority);
  bool FoundationIsActive(const Pair& like) const;
  Pair* FindPair(int base, int remote);

  int max_pairs_;
  std::vector<Checklist> lists_;
  std::vector<LocalCandidate> locals_;
  std::vector<RemoteCandidate> remotes_;
  std::vector<std::string> remote_foundations_;
  std::vector<Pair> pairs_;
  uint32_t next_serial_ = 1;
  int live_pairs_ = 0;
  int triggered_ = 0;
  std::array<int, 5> counts_{};
};

template <typename MaySend>
Pair* ChecklistSet::Pick(int stream, const MaySend& may_send, bool& triggered) {
  auto& queue = list(stream).triggered;
  triggered = true;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    Pair* pair = Find(queue[i]);
    if (pair != nullptr && !may_send(*pair)) continue;
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
    --triggered_;
    if (pair != nullptr) {
      pair->queued = false;
      return pair;
    }
    --i;
  }
  triggered = false;
  UnfreezeIdleFoundations(stream);
  Pair* best = nullptr;
  for (Pair& pair : pairs_) {
    if (pair.serial == 0 || pair.stream != stream || pair.state != PairState::kWaiting ||
        pair.queued)
      continue;
    const bool better = best == nullptr || pair.priority > best->priority ||
                        (pair.priority == best->priority && pair.component < best->component);
    if (better && may_send(pair)) best = &pair;
  }
  return best;
}

}  // namespace rtclab::ice

#endif  // RTCLAB_STACK_ICE_CHECKLIST_H_
