// Local candidates: RFC 8445 section 5.1.1 to 5.1.3 and 5.2, RFC 8838 sections 9 and 13.
#include <algorithm>

#include "stack/base/check.h"
#include "stack/ice/agent_impl.h"

namespace rtclab::ice {
namespace {

// Local preferences of one address are a run of this many: one for each server and each address of an allocation.
constexpr uint32_t kPreferencesPerAddress = 64;

}  // namespace

bool Agent::Impl::WithholdsCandidates() const {
  if (gathering_complete_) return false;
  // Half trickle is for the first exchange only (RFC 8838 section 16).
  return config_.trickle == Trickle::kNone ||
         (config_.trickle == Trickle::kHalf && initiator_ && keys_->generation == 0);
}

void Agent::Impl::Gather(Timestamp now, std::span<const HostAddress> hosts,
                         std::span<const TransportAddress> stun_servers,
                         std::span<const RelayServer> relay_servers) {
  if (state_ == AgentState::kClosed) return;
  const std::size_t first_socket = sockets_.size();
  const std::size_t first_stun = stun_servers_.size();
  const std::size_t first_relay = relay_servers_.size();
  std::vector<IpAddress> ips;
  for (const HostAddress& host : hosts) {
    const bool known_component = FindComponent(host.stream, host.component) != nullptr;
    if (!known_component || !MayBeHostCandidate(host.address.ip, config_.allow_loopback)) continue;
    const bool known = std::any_of(sockets_.begin(), sockets_.end(), [&host](const Socket& s) {
      return s.host.address == host.address;
    });
    if (known) continue;
    sockets_.push_back({host, 0});
    ips.push_back(host.address.ip);
  }
  const std::vector<uint32_t> ranks = RankAddresses(ips, config_.family_preference);
  const uint32_t first_rank = next_rank_;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    Socket& socket = sockets_[first_socket + i];
    socket.rank = first_rank + ranks[i];
    next_rank_ = std::max(next_rank_, socket.rank + 1);
  }
  // A second socket on the same address in the same component needs a local preference of its own.
  for (std::size_t i = first_socket; i < sockets_.size(); ++i) {
    const auto clashes = [&](const Socket& o) {
      return o.rank == sockets_[i].rank && o.host.stream == sockets_[i].host.stream &&
             o.host.component == sockets_[i].host.component;
    };
    if (std::any_of(sockets_.begin(), sockets_.begin() + static_cast<std::ptrdiff_t>(i), clashes)) {
      sockets_[i].rank = next_rank_++;
    }
  }
  stun_servers_.insert(stun_servers_.end(), stun_servers.begin(), stun_servers.end());
  relay_servers_.insert(relay_servers_.end(), relay_servers.begin(), relay_servers.end());
  // After end-of-candidates no more may be conveyed (RFC 8838 section 13): the addresses wait for a restart.
  if (gathering_complete_) return;
  if (!gathering_) gathering_until_ = now + config_.gathering_timeout;
  gathering_ = true;
  AddHostCandidates(first_socket);
  if (!config_.lite) AddServerTasks(first_socket, first_stun, first_relay);
  MaybeFinishGathering();
  Settle(now);
}

const Agent::Impl::Socket& Agent::Impl::SocketOf(int base) const {
  const TransportAddress& address = set_.local(base).candidate.address;
  for (const Socket& socket : sockets_) {
    if (socket.host.address == address) return socket;
  }
  CHECK(false);
}

uint32_t Agent::Impl::LocalPreference(const Socket& socket, uint32_t server_index,
                                      uint32_t nth) const {
  if (config_.lite) {
    // RFC 8445 section 5.2.
    const bool only_ipv4 = std::all_of(sockets_.begin(), sockets_.end(),
                                       [](const Socket& s) { return s.host.address.ip.IsV4(); });
    if (!only_ipv4) return DefaultPrecedence(socket.host.address.ip);
  }
  const uint32_t place = std::min(server_index * 2 + nth, kPreferencesPerAddress - 1);
  return 65535 - std::min(socket.rank * kPreferencesPerAddress + place, uint32_t{65535});
}

void Agent::Impl::AddHostCandidates(std::size_t first_socket) {
  for (std::size_t i = first_socket; i < sockets_.size(); ++i) {
    const Socket& socket = sockets_[i];
    LocalCandidate l;
    l.stream = socket.host.stream;
    l.candidate.component = socket.host.component;
    l.candidate.address = l.candidate.base = socket.host.address;
    l.candidate.priority = CandidatePriority(CandidateType::kHost, LocalPreference(socket, 0, 0),
                                             socket.host.component);
    l.foundation = FoundationOf(CandidateType::kHost, socket.host.address.ip, {});
    l.hidden = config_.policy != CandidatePolicy::kAll;
    AddLocalCandidate(std::move(l));
  }
}

void Agent::Impl::AddServerTasks(std::size_t first_socket, std::size_t first_stun,
                                 std::size_t first_relay) {
  // Each address with each server of its family (RFC 8445 section 5.1.1.2), where at least one of the two is new.
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    const TransportAddress& from = sockets_[i].host.address;
    const int base = set_.FindBase(from);
    if (base < 0) continue;
    const auto reachable = [&from](const TransportAddress& server) {
      return server.family() == from.family() &&
             (from.ip.IsV4() || from.ip.IsLinkLocal() == server.ip.IsLinkLocal());
    };
    const std::size_t stun_from = i < first_socket ? first_stun : 0;
    for (std::size_t k = stun_from; k < stun_servers_.size(); ++k) {
      if (config_.policy == CandidatePolicy::kRelayOnly || !reachable(stun_servers_[k])) continue;
      gather_queue_.push_back({TaskKind::kStun, base, stun_servers_[k], static_cast<uint32_t>(k)});
      ++gather_task_count_;
    }
    const std::size_t relay_from = i < first_socket ? first_relay : 0;
    for (std::size_t k = relay_from; k < relay_servers_.size(); ++k) {
      const TransportAddress& server = relay_servers_[k].address;
      if (!reachable(server)) continue;
      const bool have = std::any_of(relays_.begin(), relays_.end(), [&](const Relay& r) {
        return r.base == from && r.server == server && r.generation == keys_->generation;
      });
      if (have) continue;
      const auto index = static_cast<uint32_t>(stun_servers_.size() + k);
      gather_queue_.push_back({TaskKind::kRelay, base, server, index});
      gather_task_count_ += 2;  // a relayed and a server-reflexive candidate
    }
  }
}

void Agent::Impl::AddLocalCandidate(LocalCandidate l) {
  l.candidate.foundation = std::to_string(l.foundation);
  l.candidate.ufrag = keys_->local.ufrag;
  if (l.candidate.type == CandidateType::kServerReflexive &&
      config_.policy == CandidatePolicy::kRelayOnly)
    return;
  for (int i = 0; i < set_.local_count(); ++i) {
    // RFC 8445 section 5.1.3: the same address and base. The better one stays while that can still be told to nobody;
    // after that the first one does (RFC 8838 section 9).
    LocalCandidate& same = set_.local(i);
    const bool redundant =
        same.stream == l.stream && same.candidate.component == l.candidate.component &&
        same.candidate.address == l.candidate.address && same.candidate.base == l.candidate.base;
    if (!redundant) continue;
    // A hidden host candidate does not make its public address redundant.
    if (same.hidden && !l.hidden) continue;
    if (!same.conveyed && !same.hidden && l.candidate.priority > same.candidate.priority &&
        same.candidate.type == l.candidate.type) {
      same.candidate = std::move(l.candidate);
      same.foundation = l.foundation;
    }
    return;
  }
  const int index = set_.AddLocal(std::move(l));
  if (!WithholdsCandidates()) Convey(index);
}

void Agent::Impl::Convey(int index) {
  LocalCandidate& l = set_.local(index);
  if (l.hidden || l.conveyed || l.candidate.type == CandidateType::kPeerReflexive) return;
  // RFC 8838 section 13: no new candidates after the nomination.
  if (set_.list(l.stream).state == ChecklistState::kCompleted) return;
  l.conveyed = true;
  Emit(LocalCandidateGathered{l.stream, l.candidate});
  if (!formed_) return;
  set_.PairLocal(index, role_);
  NotePermissions();
}

void Agent::Impl::AddServerReflexive(int base, const TransportAddress& mapped,
                                     const TransportAddress& server, uint32_t server_index) {
  if (!set_.local(base).listening || mapped.IsNone()) return;
  const Socket& socket = SocketOf(base);
  LocalCandidate l;
  l.stream = socket.host.stream;
  l.base = base;
  l.candidate.type = CandidateType::kServerReflexive;
  l.candidate.component = socket.host.component;
  l.candidate.address = mapped;
  l.candidate.base = socket.host.address;
  // A hidden host candidate is not told by the back door either (RFC 8839 section 5.1).
  if (config_.policy == CandidatePolicy::kAll) l.candidate.related = socket.host.address;
  l.candidate.server = server;
  l.candidate.priority =
      CandidatePriority(CandidateType::kServerReflexive, LocalPreference(socket, server_index, 0),
                        socket.host.component);
  l.foundation = FoundationOf(CandidateType::kServerReflexive, socket.host.address.ip, server.ip);
  AddLocalCandidate(std::move(l));
}

void Agent::Impl::AddRelayCandidate(const Relay& relay) {
  const int base = set_.FindBase(relay.base);
  // RFC 8445 section 5.1.1.2: a relayed candidate that is identical to a host candidate is discarded.
  if (base < 0 || set_.FindBase(relay.relayed) >= 0) return;
  const Socket& socket = SocketOf(base);
  LocalCandidate l;
  l.stream = socket.host.stream;
  l.candidate.type = CandidateType::kRelayed;
  l.candidate.component = socket.host.component;
  l.candidate.address = l.candidate.base = relay.relayed;
  if (!relay.mapped.IsNone() && config_.policy != CandidatePolicy::kRelayOnly)
    l.candidate.related = relay.mapped;
  l.candidate.server = relay.server;
  l.candidate.priority = CandidatePriority(CandidateType::kRelayed,
                                           LocalPreference(socket, relay.server_index, relay.nth),
                                           socket.host.component);
  l.foundation = FoundationOf(CandidateType::kRelayed, relay.relayed.ip, relay.server.ip);
  AddLocalCandidate(std::move(l));
}

bool Agent::Impl::ListensOn(const TransportAddress& address) const {
  return set_.FindBase(address) >= 0 ||
         std::any_of(relays_.begin(), relays_.end(),
                     [&](const Relay& r) { return r.relayed == address; });
}

void Agent::Impl::AddRelayed(Timestamp now, int request_id,
                             std::span<const TransportAddress> relayed,
                             const TransportAddress& mapped) {
  const auto request =
      std::find_if(relay_requests_.begin(), relay_requests_.end(),
                   [request_id](const RelayRequest& r) { return r.id == request_id; });
  if (request == relay_requests_.end()) return;
  const GatherTask task = request->task;
  relay_requests_.erase(request);
  AddServerReflexive(task.base, mapped, task.server, task.server_index);
  const LocalCandidate& socket = set_.local(task.base);
  const int stream = socket.stream, component = socket.candidate.component;
  const TransportAddress base = socket.candidate.address;
  // One that comes after the nomination is of no use. It is filed all the same, as one of no generation, and released.
  const bool late = set_.list(stream).state == ChecklistState::kCompleted;
  uint32_t nth = 0;
  for (const TransportAddress& address : relayed) {
    const Relay relay{base,
                      task.server,
                      address,
                      mapped,
                      stream,
                      component,
                      task.server_index,
                      nth++,
                      late ? -1 : keys_->generation};
    // Filed before it is paired: pairing asks for permissions, which only agents with a relay need.
    const auto known = std::find_if(relays_.begin(), relays_.end(), [&](const Relay& r) {
      return r.relayed == address && r.base == base && r.server == task.server;
    });
    if (known == relays_.end()) {
      relays_.push_back(relay);
    } else if (!late) {
      *known = relay;
    }
    if (!late) AddRelayCandidate(relay);
  }
  MaybeFinishGathering();
  Settle(now);
}

void Agent::Impl::ReleaseStaleRelays() {
  const auto is_stale = [this](const Relay& r) {
    if (r.generation == keys_->generation) return false;
    const auto asks = [&](const GatherTask& t) {
      return t.kind == TaskKind::kRelay && t.server == r.server &&
             set_.local(t.base).candidate.address == r.base;
    };
    // It may turn out to be live, or data goes over it, or did until just now.
    return std::none_of(gather_queue_.begin(), gather_queue_.end(), asks) &&
           std::none_of(relay_requests_.begin(), relay_requests_.end(),
                        [&](const RelayRequest& request) { return asks(request.task); }) &&
           std::none_of(
               components_.begin(), components_.end(),
               [&](const Component& c) { return c.has_selected() && c.from == r.relayed; }) &&
           (r.generation < 0 ||
            streams_[static_cast<std::size_t>(r.stream)].release_at.IsInfinite());
  };
  for (std::size_t i = 0; i < relays_.size();) {
    if (!is_stale(relays_[i])) {
      ++i;
      continue;
    }
    const Relay relay = relays_[i];
    relays_.erase(relays_.begin() + static_cast<std::ptrdiff_t>(i));
    std::erase_if(permissions_, [&](const Permission& p) { return p.relayed == relay.relayed; });
    Candidate candidate;
    candidate.type = CandidateType::kRelayed;
    candidate.component = relay.component;
    candidate.address = candidate.base = relay.relayed;
    candidate.server = relay.server;
    Emit(CandidateReleased{relay.stream, std::move(candidate)});
  }
}

void Agent::Impl::RelayFailed(Timestamp now, int request_id, int error_code,
                              std::string_view reason) {
  const auto request =
      std::find_if(relay_requests_.begin(), relay_requests_.end(),
                   [request_id](const RelayRequest& r) { return r.id == request_id; });
  if (request == relay_requests_.end()) return;
  const GatherTask task = request->task;
  relay_requests_.erase(request);
  Emit(GatheringFailed{set_.local(task.base).candidate.address, task.server, error_code,
                       std::string(reason), /*relay=*/true});
  // RFC 8445 section 5.1.1.2: a server without resources can still tell the mapped address.
  const bool lacks_resources = error_code == stun::kErrorAllocationQuotaReached ||
                               error_code == stun::kErrorInsufficientCapacity;
  if (lacks_resources && config_.policy != CandidatePolicy::kRelayOnly) {
    gather_queue_.push_back({TaskKind::kStun, task.base, task.server, task.server_index});
  }
  MaybeFinishGathering();
  Settle(now);
}

void Agent::Impl::MaybeFinishGathering() {
  if (!gathering_ || gathering_complete_ || !relay_requests_.empty()) return;
  const auto is_refresh = [](const GatherTask& t) { return t.kind == TaskKind::kStunRefresh; };
  if (!std::all_of(gather_queue_.begin(), gather_queue_.end(), is_refresh)) return;
  if (!std::all_of(gather_transactions_.begin(), gather_transactions_.end(),
                   [&](const GatherTransaction& t) { return t.done || is_refresh(t.task); })) {
    return;
  }
  gathering_complete_ = true;
  gathering_until_ = Timestamp::PlusInfinity();
  for (int i = 0; i < set_.local_count(); ++i) Convey(i);
  Emit(GatheringComplete{keys_->local.ufrag});
  MaybeForm();
}

bool Agent::Impl::StartGatherTask(Timestamp now) {
  if (gather_queue_.empty()) return false;
  const GatherTask task = gather_queue_.front();
  gather_queue_.pop_front();
  const TransportAddress from = set_.local(task.base).candidate.address;
  if (task.kind == TaskKind::kRelay) {
    relay_requests_.push_back({next_request_id_, task});
    Emit(RelayRequested{next_request_id_++, from, task.server});
    return true;
  }
  const stun::TransactionId id = stun::NewTransactionId(*rng_);
  Bytes request = stun::MessageBuilder(stun::MessageClass::kRequest, stun::Method::kBinding, id)
                      .AddFingerprint()
                      .Build();
  // RFC 8445 section 14.3: RTO = MAX(500 ms, Ta * Num-Of-Cands).
  const stun::RetransmitPolicy policy{.rto = std::max(config_.min_rto, ta_ * gather_task_count_),
                                      .rc = config_.rc,
                                      .rm = config_.rm};
  gather_transactions_.push_back({id, task, stun::RetransmitTimer(now, policy), request});
  ++counters_.gathering_sent;
  SendPacket(from, task.server, std::move(request));
  return true;
}

bool Agent::Impl::HandleGatherResponse(Timestamp now, const Datagram& packet,
                                       const stun::MessageView& message) {
  const auto found = std::find_if(
      gather_transactions_.begin(), gather_transactions_.end(),
      [&](const GatherTransaction& t) { return !t.done && t.id == message.transaction_id(); });
  if (found == gather_transactions_.end()) return false;
  const TransportAddress from = set_.local(found->task.base).candidate.address;
  // Nothing authenticates it but the transaction id and the address asked.
  if (packet.source != found->task.server || packet.destination != from) return false;
  if (message.HasFingerprint() && !message.VerifyFingerprint()) return false;
  const GatherTask task = found->task;
  if (message.IsError()) {
    // ALTERNATE-SERVER is ignored (RFC 8445 section 5.1.1.2).
    const auto error = message.GetErrorCode();
    gather_transactions_.erase(found);
    if (task.kind == TaskKind::kStun) {
      Emit(GatheringFailed{from, task.server, error ? error->code : 0,
                           error ? std::string(error->reason) : "error"});
    }
  } else {
    // RFC 8445 section 5.1.1.2 keeps RFC 5389's fallback to MAPPED-ADDRESS.
    auto mapped = message.GetXorAddress(stun::AttributeType::kXorMappedAddress);
    if (!mapped) mapped = message.GetAddress(stun::AttributeType::kMappedAddress);
    if (!mapped) return false;
    gather_transactions_.erase(found);
    if (task.kind == TaskKind::kStun) {
      AddServerReflexive(task.base, *mapped, task.server, task.server_index);
      GatherTask refresh = task;
      refresh.kind = TaskKind::kStunRefresh;
      stun_bindings_.push_back({refresh, now + config_.keepalive});
    }
  }
  MaybeFinishGathering();
  return true;
}

void Agent::Impl::HandleGatherTimers(Timestamp now) {
  for (GatherTransaction& t : gather_transactions_) {
    while (!t.done && t.timer.Next() <= now) {
      const auto action = t.timer.HandleTimeout(now);
      const TransportAddress from = set_.local(t.task.base).candidate.address;
      if (action == stun::RetransmitTimer::Action::kRetransmit) {
        ++counters_.gathering_sent;
        SendPacket(from, t.task.server, t.request);
      } else if (action == stun::RetransmitTimer::Action::kTimedOut) {
        t.done = true;
        if (t.task.kind == TaskKind::kStun)
          Emit(GatheringFailed{from, t.task.server, 0, "no answer"});
      }
    }
  }
  std::erase_if(gather_transactions_, [](const GatherTransaction& t) { return t.done; });
  if (now >= gathering_until_) {
    // RFC 8838 section 13: gathering may be ended when it takes too long.
    std::erase_if(gather_queue_,
                  [](const GatherTask& t) { return t.kind != TaskKind::kStunRefresh; });
    std::erase_if(gather_transactions_,
                  [](const GatherTransaction& t) { return t.task.kind != TaskKind::kStunRefresh; });
    relay_requests_.clear();
  }
  MaybeFinishGathering();
  for (StunBinding& binding : stun_bindings_) {
    if (binding.refresh_at > now) continue;
    binding.refresh_at = now + config_.keepalive;
    gather_queue_.push_back(binding.task);
  }
}

void Agent::Impl::RemoveLocalAddress(Timestamp now, const TransportAddress& base_address) {
  const int base = set_.FindBase(base_address);
  std::erase_if(sockets_, [&](const Socket& s) { return s.host.address == base_address; });
  std::erase_if(
      relays_, [&](const Relay& r) { return r.relayed == base_address || r.base == base_address; });
  std::erase_if(permissions_, [&](const Permission& p) { return p.relayed == base_address; });
  std::erase_if(stun_bindings_, [&](const StunBinding& b) { return b.task.base == base; });
  std::erase_if(gather_queue_, [&](const GatherTask& t) { return t.base == base; });
  std::erase_if(gather_transactions_,
                [&](const GatherTransaction& t) { return t.task.base == base; });
  std::erase_if(relay_requests_, [&](const RelayRequest& r) { return r.task.base == base; });
  if (base >= 0) {
    for (int i = 0; i < set_.local_count(); ++i) {
      if (set_.local(i).base == base) set_.local(i).listening = false;
    }
    for (Pair& pair : set_.pairs()) {
      if (pair.serial == 0 || pair.local != base) continue;
      CancelChecks(set_.RefOf(pair), now);
      const int stream = pair.stream;
      std::erase_if(set_.list(stream).valid,
                    [&](const ValidPair& v) { return set_.local(v.local).base == base; });
      if (pair.nominate) streams_[static_cast<std::size_t>(stream)].nominating = false;
      set_.SetFailed(pair, FailureCause::kLocalGone);
    }
  }
  for (Component& c : components_) {
    if (c.has_selected() && !c.lost && c.from == base_address) {
      LoseConsent(c, false, "the local address of the selected pair is gone");
    }
  }
  MaybeFinishGathering();
  Settle(now);
}

}  // namespace rtclab::ice
