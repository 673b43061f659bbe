#include "stack/ice/agent.h"

#include <algorithm>

#include "stack/base/check.h"
#include "stack/ice/agent_impl.h"

namespace rtclab::ice {

std::string_view ToString(Role role) {
  return role == Role::kControlling ? "controlling" : "controlled";
}

std::string_view ToString(AgentState state) {
  static constexpr std::string_view kNames[] = {
      "new", "checking", "connected", "completed", "disconnected", "failed", "closed"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string_view ToString(ChecklistState state) {
  static constexpr std::string_view kNames[] = {"running", "completed", "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string_view ToString(PairState state) {
  static constexpr std::string_view kNames[] = {"frozen", "waiting", "in-progress", "succeeded",
                                                "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string_view ToString(CheckOutcome outcome) {
  static constexpr std::string_view kNames[] = {"pending",       "succeeded", "timeout",  "error",
                                                "non-symmetric", "icmp",      "cancelled"};
  return kNames[static_cast<std::size_t>(outcome)];
}

// RFC 8445 section 14.2: transactions never start faster than every 5 ms.
constexpr TimeDelta kMinTa = TimeDelta::Millis(5);

Agent::Impl::Impl(AgentConfig config, Rng& rng)
    : config_(std::move(config)),
      rng_(&rng),
      role_(config_.role),
      initiator_(config_.role == Role::kControlling),
      tie_breaker_(rng.NextU64()),
      ta_(std::max(config_.ta, kMinTa)),
      set_(config_.streams, config_.max_pairs) {
  CHECK(!config_.streams.empty());
  CHECK(config_.rc >= 1 && config_.rm >= 1);
  CHECK(config_.ufrag_length >= 4 && config_.ufrag_length <= 32);
  CHECK(config_.password_length >= 22 && config_.password_length <= 256);
  for (std::size_t s = 0; s < config_.streams.size(); ++s) {
    CHECK(config_.streams[s] >= 1 && config_.streams[s] <= 256);
    for (int id = 1; id <= config_.streams[s]; ++id) {
      Component c;
      c.stream = static_cast<int>(s);
      c.id = id;
      components_.push_back(std::move(c));
    }
  }
  keys_ = std::make_shared<SessionKeys>();
  keys_->generation = -1;
  StartGeneration(Timestamp::Zero(), config_.credentials);
}

void Agent::Impl::StartGeneration(Timestamp now, const Credentials& local) {
  const int generation = keys_->generation + 1;
  if (generation > 0) {
    previous_keys_ = keys_;
    keys_ = std::make_shared<SessionKeys>();
    keys_->generation = generation;
    ForgetTransactions(now);
    set_ = ChecklistSet(config_.streams, config_.max_pairs);
  }
  keys_->generation = generation;
  keys_->local = local;
  if (local.ufrag.empty()) {
    keys_->local = {rng_->IceString(config_.ufrag_length),
                    rng_->IceString(config_.password_length)};
  }
  keys_->local_key = stun::IntegrityKey::ShortTerm(keys_->local.password);
  streams_.assign(config_.streams.size(), StreamState{});
  for (Component& c : components_) {
    c.first_valid = Timestamp::PlusInfinity();
    if (!c.has_selected()) c.on_path = false;
  }
  formed_ = false;
  patience_until_ = Timestamp::PlusInfinity();
  patience_over_ = false;
  buffered_checks_.clear();
  early_candidates_.clear();
  early_ends_.clear();
  signalled_count_ = 0;
  gathering_ = false;
  gathering_complete_ = false;
  gathering_until_ = Timestamp::PlusInfinity();
  gather_task_count_ = 0;
  failure_reason_.clear();
  next_stream_ = 0;
}

void Agent::Impl::ForgetTransactions(Timestamp now) {
  for (CheckTransaction& check : checks_) {
    if (!check.cancelled && !check.done) FinishLog(check, now, CheckOutcome::kCancelled);
  }
  checks_.clear();
  gather_queue_.clear();
  gather_transactions_.clear();
  relay_requests_.clear();
  stun_bindings_.clear();
}

Agent::Impl::Component& Agent::Impl::component(int stream, int id) {
  for (Component& c : components_) {
    if (c.stream == stream && c.id == id) return c;
  }
  CHECK(false);
}

const Agent::Impl::Component* Agent::Impl::FindComponent(int stream, int id) const {
  for (const Component& c : components_) {
    if (c.stream == stream && c.id == id) return &c;
  }
  return nullptr;
}

void Agent::Impl::SendPacket(const TransportAddress& from, const TransportAddress& to,
                             Bytes payload) {
  transmits_.push_back({from, to, std::move(payload)});
}

void Agent::Impl::Settle(Timestamp now) {
  if (state_ == AgentState::kClosed) return;
  for (int s = 0; s < set_.streams(); ++s) {
    if (set_.list(s).state != ChecklistState::kRunning) continue;
    MaybeNominate(now, s);
    MaybeFail(now, s);
  }
  ReleaseStaleRelays();
  UpdateState(now);
  pacer_idle_ = false;
  RunPacer(now);
}

void Agent::Impl::SwitchRole(Role role, Timestamp) {
  if (role == role_) return;
  role_ = role;
  // RFC 8445 section 7.3.1.1: priorities depend on the role. A nomination that has not succeeded is the other side's matter
  // now.
  set_.RecomputePriorities(role);
  for (Pair& pair : set_.pairs()) {
    pair.nominate = false;
    pair.nominate_on_success = false;
  }
  for (StreamState& s : streams_) {
    s.nominating = false;
    s.nominate_at = Timestamp::PlusInfinity();
  }
  Emit(RoleChanged{role});
}

void Agent::Impl::Restart(Timestamp now, const Credentials& local) {
  if (state_ == AgentState::kClosed) return;
  if (next_servers_) {
    config_.policy = next_servers_->policy;
    stun_servers_ = std::move(next_servers_->stun);
    relay_servers_ = std::move(next_servers_->relays);
    next_servers_.reset();
  }
  StartGeneration(now, local);
  gathering_ = !sockets_.empty();
  AddHostCandidates(0);
  // An allocation may have gone without our knowing, as with the NAT binding of its 5-tuple: each is asked for again.
  if (!config_.lite) AddServerTasks(0, 0, 0);
  if (gathering_) gathering_until_ = now + config_.gathering_timeout;
  MaybeFinishGathering();
  Settle(now);
}

void Agent::Impl::SetServers(CandidatePolicy policy, std::vector<TransportAddress> stun_servers,
                             std::vector<RelayServer> relay_servers) {
  next_servers_ = Servers{policy, std::move(stun_servers), std::move(relay_servers)};
}

void Agent::Impl::Close(Timestamp now) {
  if (state_ == AgentState::kClosed) return;
  ForgetTransactions(now);
  for (Component& c : components_) {
    c.keys = nullptr;
    c.on_path = false;
  }
  state_ = AgentState::kClosed;
  Emit(StateChanged{state_, {}});
}

CandidatePair Agent::Impl::Describe(int stream, int component_id, int local, int remote,
                                    uint64_t priority) const {
  return {stream, component_id, set_.local(local).candidate, set_.remote(remote).candidate,
          priority};
}

std::optional<CandidatePair> Agent::Impl::SelectedPair(int stream, int component_id) const {
  const Component* c = FindComponent(stream, component_id);
  if (c == nullptr || !c->has_selected()) return std::nullopt;
  return c->selected;
}

// --- The public face -----------------------------------------------------------------------------

Agent::Agent(AgentConfig config, Rng& rng)
    : impl_(std::make_unique<Impl>(std::move(config), rng)) {}
Agent::~Agent() = default;
Agent::Agent(Agent&&) noexcept = default;
Agent& Agent::operator=(Agent&&) noexcept = default;

void Agent::Gather(Timestamp now, std::span<const HostAddress> hosts,
                   std::span<const TransportAddress> stun_servers,
                   std::span<const RelayServer> relay_servers) {
  impl_->Gather(now, hosts, stun_servers, relay_servers);
}

void Agent::Gather(Timestamp now, std::span<const TransportAddress> hosts,
                   std::span<const TransportAddress> stun_servers,
                   std::span<const RelayServer> relay_servers) {
  std::vector<HostAddress> sockets;
  for (const TransportAddress& address : hosts) sockets.push_back({address});
  impl_->Gather(now, sockets, stun_servers, relay_servers);
}

void Agent::AddRelayedCandidates(Timestamp now, int request_id,
                                 std::span<const TransportAddress> relayed,
                                 const TransportAddress& mapped) {
  impl_->AddRelayed(now, request_id, relayed, mapped);
}

void Agent::RelayFailed(Timestamp now, int request_id, int error_code, std::string_view reason) {
  impl_->RelayFailed(now, request_id, error_code, reason);
}

void Agent::PermissionGranted(Timestamp now, const TransportAddress& relayed,
                              const IpAddress& peer) {
  impl_->PermissionGranted(now, relayed, peer);
}

void Agent::PermissionFailed(Timestamp now, const TransportAddress& relayed, const IpAddress& peer,
                             std::string_view reason) {
  impl_->PermissionFailed(now, relayed, peer, reason);
}

void Agent::RemoveLocalAddress(Timestamp now, const TransportAddress& base) {
  impl_->RemoveLocalAddress(now, base);
}

const Credentials& Agent::local_credentials() const { return impl_->keys_->local; }

std::vector<Candidate> Agent::local_candidates(int stream) const {
  std::vector<Candidate> out;
  for (int i = 0; i < impl_->set_.local_count(); ++i) {
    const LocalCandidate& l = impl_->set_.local(i);
    if (l.stream == stream && !l.hidden) out.push_back(l.candidate);
  }
  return out;
}

bool Agent::gathering_complete() const { return impl_->gathering_complete_; }

Result<void> Agent::SetRemoteParameters(Timestamp now, const RemoteParameters& remote) {
  return impl_->SetRemoteParameters(now, remote);
}

AddResult Agent::AddRemoteCandidate(Timestamp now, const Candidate& candidate, int stream) {
  return impl_->AddRemoteCandidate(now, candidate, stream);
}

void Agent::EndOfRemoteCandidates(Timestamp now, std::string_view ufrag, int stream) {
  impl_->EndOfRemoteCandidates(now, ufrag, stream);
}

std::vector<Candidate> Agent::remote_candidates(int stream) const {
  std::vector<Candidate> out;
  for (int i = 0; i < impl_->set_.remote_count(); ++i) {
    if (impl_->set_.remote(i).stream == stream) out.push_back(impl_->set_.remote(i).candidate);
  }
  return out;
}

void Agent::Restart(Timestamp now, const Credentials& local) { impl_->Restart(now, local); }
void Agent::SetServers(CandidatePolicy policy, std::vector<TransportAddress> stun_servers,
                       std::vector<RelayServer> relay_servers) {
  impl_->SetServers(policy, std::move(stun_servers), std::move(relay_servers));
}
void Agent::Close(Timestamp now) { impl_->Close(now); }

bool Agent::Send(Timestamp now, ByteView payload, int stream, int component) {
  return impl_->Send(now, payload, stream, component);
}

bool Agent::HandlePacket(Timestamp now, const Datagram& packet) {
  return impl_->HandlePacket(now, packet);
}
void Agent::HandleIcmp(Timestamp now, const IcmpError& error) { impl_->HandleIcmp(now, error); }
void Agent::HandleTimeout(Timestamp now) { impl_->HandleTimeout(now); }
std::optional<Transmit> Agent::PollTransmit() { return impl_->PollTransmit(); }
std::optional<Event> Agent::PollEvent() { return impl_->PollEvent(); }
Timestamp Agent::NextTimeout() const { return impl_->NextTimeout(); }

AgentState Agent::state() const { return impl_->state_; }
Role Agent::role() const { return impl_->role_; }
uint64_t Agent::tie_breaker() const { return impl_->tie_breaker_; }
TimeDelta Agent::ta() const { return impl_->ta_; }
int Agent::generation() const { return impl_->keys_->generation; }
ChecklistState Agent::checklist_state(int stream) const { return impl_->set_.list(stream).state; }
const std::string& Agent::failure_reason() const { return impl_->failure_reason_; }

std::optional<CandidatePair> Agent::selected_pair(int stream, int component) const {
  return impl_->SelectedPair(stream, component);
}

std::vector<CandidatePair> Agent::valid_pairs(int stream) const {
  std::vector<CandidatePair> out;
  for (const ValidPair& v : impl_->set_.list(stream).valid) {
    out.push_back(impl_->Describe(stream, v.component, v.local, v.remote, v.priority));
  }
  std::stable_sort(out.begin(), out.end(), [](const CandidatePair& a, const CandidatePair& b) {
    return a.priority > b.priority;
  });
  return out;
}

std::vector<Agent::ChecklistEntry> Agent::checklist(int stream) const {
  std::vector<ChecklistEntry> out;
  const ChecklistSet& set = impl_->set_;
  for (const Pair& p : set.pairs()) {
    if (p.serial == 0 || p.stream != stream) continue;
    const auto& valid = set.list(stream).valid;
    const bool nominated = std::any_of(valid.begin(), valid.end(), [&](const ValidPair& v) {
      return v.nominated && v.checked == set.RefOf(p);
    });
    out.push_back(
        {impl_->Describe(stream, p.component, p.local, p.remote, p.priority), p.state, nominated});
  }
  std::stable_sort(out.begin(), out.end(), [](const ChecklistEntry& a, const ChecklistEntry& b) {
    return a.pair.priority > b.pair.priority;
  });
  return out;
}

const std::vector<CheckRecord>& Agent::check_log() const { return impl_->log_; }
const AgentCounters& Agent::counters() const { return impl_->counters_; }

}  // namespace rtclab::ice
