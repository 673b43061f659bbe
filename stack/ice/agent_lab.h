// A tiny network in virtual time for tests and benchmarks of Agent: two agents, NATs, one STUN and one TURN server, and a
// signalling channel. Everything is scripted; nothing is random but the agents' own streams.
#ifndef RTCLAB_STACK_ICE_AGENT_LAB_H_
#define RTCLAB_STACK_ICE_AGENT_LAB_H_

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "stack/base/check.h"
#include "stack/base/sans_io.h"
#include "stack/ice/agent.h"
#include "stack/stun/message.h"
#include "stack/stun/message_builder.h"

namespace rtclab::ice {

inline TransportAddress Addr(std::string_view text) {
  const auto address = TransportAddress::Parse(text);
  CHECK(address.has_value());
  return *address;
}

// Mapping endpoint-independent or per destination; filtering by address and port, or open.
struct LabNat {
  IpAddress external;
  bool symmetric = false;
  bool open = false;
  uint16_t next_port = 40000;
  std::map<std::pair<TransportAddress, TransportAddress>, uint16_t> mappings;
  std::map<uint16_t, TransportAddress> inside;
  std::set<std::pair<uint16_t, TransportAddress>> allowed;

  TransportAddress Outbound(const TransportAddress& from, const TransportAddress& to) {
    const auto key = std::make_pair(from, symmetric ? to : TransportAddress{});
    auto [it, fresh] = mappings.try_emplace(key, next_port);
    if (fresh) inside[next_port++] = from;
    allowed.insert({it->second, to});
    return {external, it->second};
  }
  std::optional<TransportAddress> Inbound(const TransportAddress& from,
                                          const TransportAddress& to) const {
    const auto it = inside.find(to.port);
    if (it == inside.end()) return std::nullopt;
    if (!open && !allowed.contains({to.port, from})) return std::nullopt;
    return it->second;
  }
};

class Lab {
 public:
  struct Sent {
    Timestamp at;
    TransportAddress from, to;
    Bytes payload;
  };
  struct Peer {
    Peer(AgentConfig config, uint64_t seed) : rng(seed), agent(std::move(config), rng) {}
    Rng rng;
    Agent agent;
    int index = 0;
    std::vector<TransportAddress> hosts;
    std::unique_ptr<LabNat> nat;
    std::vector<std::pair<Timestamp, Event>> events;
    std::vector<Sent> sent;
    std::vector<Bytes> received;
    Timestamp timer = Timestamp::PlusInfinity();
    std::set<std::pair<TransportAddress, IpAddress>> permissions;
    std::map<TransportAddress, TransportAddress> relays;  // relayed -> base
    bool lite = false;
    std::optional<TimeDelta> ta;
    bool may_trickle = true;  // false: conveys nothing but credentials and end-of-candidates
  };
  // Sees every packet as its sender's agent sent it, before any NAT; false drops it.
  using Filter = std::function<bool(int sender, Transmit& packet)>;

  Lab(AgentConfig a, AgentConfig b, uint64_t seed = 1) {
    for (AgentConfig* config : {&a, &b}) {
      const bool lite = config->lite;
      const TimeDelta ta = config->ta;
      peers_[count_] =
          std::make_unique<Peer>(std::move(*config), seed * 2 + static_cast<uint64_t>(count_));
      peers_[count_]->index = count_;
      peers_[count_]->lite = lite;
      if (ta != TimeDelta::Millis(50)) peers_[count_]->ta = ta;
      ++count_;
    }
  }

  Peer& peer(int i) { return *peers_[i]; }
  Agent& agent(int i) { return peers_[i]->agent; }
  Timestamp now() const { return now_; }

  TimeDelta latency = TimeDelta::Millis(10);
  TimeDelta signalling = TimeDelta::Millis(20);
  Filter filter;
  bool log_packets = true;
  std::vector<TransportAddress> stun_servers;
  std::vector<RelayServer> relay_servers;
  TimeDelta turn_delay = TimeDelta::Millis(20);
  bool turn_grants_permissions = true;

  void Nat(int i, std::string_view external, bool symmetric = false, bool open = false) {
    peers_[i]->nat = std::make_unique<LabNat>();
    peers_[i]->nat->external = *IpAddress::Parse(external);
    peers_[i]->nat->symmetric = symmetric;
    peers_[i]->nat->open = open;
  }

  void At(Timestamp when, std::function<void()> what) {
    queue_.push({when, next_sequence_++, std::move(what)});
  }
  void In(TimeDelta delay, std::function<void()> what) { At(now_ + delay, std::move(what)); }

  // Gathers at both; the first agent's description arrives after one signalling delay, the answer after two.
  void Start(std::vector<TransportAddress> hosts_a, std::vector<TransportAddress> hosts_b) {
    StartPeer(0, std::move(hosts_a));
    In(signalling, [this, hosts = std::move(hosts_b)]() {
      StartPeer(1, hosts);
      SendParameters(0, TimeDelta::Zero());
      SendParameters(1, signalling);
    });
  }
  void StartPeer(int i, std::vector<TransportAddress> hosts) {
    peers_[i]->hosts = hosts;
    agent(i).Gather(now_, peers_[i]->hosts, stun_servers, relay_servers);
    Pump(i);
  }
  // Conveys the credentials of `from` to the other.
  void SendParameters(int from, TimeDelta delay) {
    RemoteParameters parameters{agent(from).local_credentials(), peers_[from]->lite,
                                peers_[from]->ta};
    In(delay, [this, from, parameters]() {
      CHECK(agent(1 - from).SetRemoteParameters(now_, parameters).has_value());
      Pump(1 - from);
    });
  }
  void Restart(int i) {
    agent(i).Restart(now_);
    SendParameters(i, signalling);
    Pump(i);
  }
  bool Send(int i, std::string_view text) {
    const bool sent = agent(i).Send(now_, AsBytes(text));
    Pump(i);
    return sent;
  }

  // Runs until `until`; returns earlier only if `done` holds after a step.
  bool RunUntil(Timestamp until, const std::function<bool()>& done = nullptr) {
    while (true) {
      if (done && done()) return true;
      Timestamp next = queue_.empty() ? Timestamp::PlusInfinity() : queue_.top().at;
      int timer = -1;
      for (int i = 0; i < 2; ++i) {
        if (peers_[i]->timer < next) {
          next = peers_[i]->timer;
          timer = i;
        }
      }
      if (next > until) break;
      CHECK(next >= now_ || timer >= 0);
      now_ = std::max(now_, next);
      if (timer >= 0) {
        agent(timer).HandleTimeout(now_);
        Pump(timer);
      } else {
        auto step = queue_.top();
        queue_.pop();
        step.what();
      }
    }
    now_ = until;
    return false;
  }
  bool RunFor(TimeDelta time, const std::function<bool()>& done = nullptr) {
    return RunUntil(now_ + time, done);
  }
  bool BothAre(AgentState state) { return agent(0).state() == state && agent(1).state() == state; }

  template <typename E>
  std::vector<E> Events(int i) {
    std::vector<E> out;
    for (const auto& [at, event] : peers_[i]->events) {
      if (const E* e = std::get_if<E>(&event)) out.push_back(*e);
    }
    return out;
  }

  // Takes what the agent wants to send and say, and sets its timer.
  void Pump(int i) {
    Peer& p = *peers_[i];
    p.timer = Drain(
        p.agent, [this, &p](Transmit&& t) { OnTransmit(p, std::move(t)); },
        [this, &p](Event&& e) { OnEvent(p, std::move(e)); });
  }

  void Deliver(int to, const TransportAddress& source, const TransportAddress& destination,
               const Bytes& payload) {
    agent(to).HandlePacket(now_, {source, destination, payload});
    Pump(to);
  }

 private:
  struct Step {
    Timestamp at;
    uint64_t sequence;
    std::function<void()> what;
    bool operator>(const Step& o) const {
      return std::tie(at, sequence) > std::tie(o.at, o.sequence);
    }
  };

  void OnTransmit(Peer& p, Transmit t) {
    if (log_packets) p.sent.push_back({now_, t.source, t.destination, t.payload});
    if (filter && !filter(p.index, t)) return;
    if (p.relays.contains(t.source)) {
      // The server drops what has no permission; here a test would rather know.
      CHECK(p.permissions.contains({t.source, t.destination.ip}));
      In(latency, [this, t = std::move(t)]() { Route(t); });
      return;
    }
    if (p.nat != nullptr) t.source = p.nat->Outbound(t.source, t.destination);
    In(latency, [this, t = std::move(t)]() { Route(t); });
  }

  void Route(const Transmit& t) {
    for (const TransportAddress& server : stun_servers) {
      if (t.destination == server) return AnswerStun(t);
    }
    for (auto& p : peers_) {
      if (const auto relay = p->relays.find(t.destination); relay != p->relays.end()) {
        if (!p->permissions.contains({t.destination, t.source.ip})) return;
        In(latency, [this, i = p->index, t]() { Deliver(i, t.source, t.destination, t.payload); });
        return;
      }
      if (p->nat != nullptr) {
        if (t.destination.ip != p->nat->external) continue;
        if (auto inside = p->nat->Inbound(t.source, t.destination))
          Deliver(p->index, t.source, *inside, t.payload);
        return;
      }
      for (const TransportAddress& host : p->hosts) {
        if (host == t.destination) return Deliver(p->index, t.source, t.destination, t.payload);
      }
    }
  }

  void AnswerStun(const Transmit& t) {
    const auto request = stun::MessageView::Parse(t.payload);
    if (!request) return;
    Bytes response =
        stun::MessageBuilder::ResponseTo(*request, stun::MessageClass::kSuccessResponse)
            .AddXorAddress(stun::AttributeType::kXorMappedAddress, t.source)
            .AddFingerprint()
            .Build();
    In(latency, [this, answer = Transmit{t.destination, t.source, std::move(response)}]() {
      Route(answer);
    });
  }

  void OnEvent(Peer& p, Event event) {
    const int i = p.index;
    if (const auto* gathered = std::get_if<LocalCandidateGathered>(&event)) {
      if (p.may_trickle) {
        In(signalling, [this, i, c = gathered->candidate, s = gathered->stream]() {
          // Through the text form, as signalling does.
          agent(1 - i).AddRemoteCandidate(now_, *ParseCandidate(ToString(c)), s);
          Pump(1 - i);
        });
      }
    } else if (const auto* complete = std::get_if<GatheringComplete>(&event)) {
      In(signalling, [this, i, ufrag = complete->ufrag]() {
        agent(1 - i).EndOfRemoteCandidates(now_, ufrag);
        Pump(1 - i);
      });
    } else if (const auto* relay = std::get_if<RelayRequested>(&event)) {
      In(turn_delay, [this, i, r = *relay]() { Allocate(i, r); });
    } else if (const auto* wanted = std::get_if<PermissionWanted>(&event)) {
      In(turn_delay, [this, i, w = *wanted]() {
        for (const IpAddress& peer_ip : w.peers) {
          if (turn_grants_permissions) {
            peers_[i]->permissions.insert({w.relayed, peer_ip});
            agent(i).PermissionGranted(now_, w.relayed, peer_ip);
          } else {
            agent(i).PermissionFailed(now_, w.relayed, peer_ip, "403");
          }
        }
        Pump(i);
      });
    } else if (std::get_if<Restarted>(&event) != nullptr) {
      SendParameters(i, signalling);
    } else if (auto* data = std::get_if<DataReceived>(&event)) {
      p.received.push_back(data->payload);
    }
    p.events.emplace_back(now_, std::move(event));
  }

  void Allocate(int i, const RelayRequested& request) {
    const TransportAddress relayed{request.server.ip, next_relay_port_++};
    peers_[i]->relays[relayed] = request.base;
    TransportAddress mapped = request.base;
    if (peers_[i]->nat != nullptr) mapped = peers_[i]->nat->Outbound(request.base, request.server);
    agent(i).AddRelayedCandidate(now_, request.request_id, relayed, mapped);
    Pump(i);
  }

  std::unique_ptr<Peer> peers_[2];
  int count_ = 0;
  Timestamp now_;
  uint64_t next_sequence_ = 0;
  uint16_t next_relay_port_ = 50000;
  std::priority_queue<Step, std::vector<Step>, std::greater<>> queue_;
};

inline bool Completes(Lab& lab, TimeDelta time = TimeDelta::Seconds(10)) {
  return lab.RunFor(time, [&lab] { return lab.BothAre(AgentState::kCompleted); });
}

inline AgentConfig Controlling() { return {}; }
inline AgentConfig Controlled() {
  AgentConfig config;
  config.role = Role::kControlled;
  return config;
}

// One agent, played with by hand: the test is its peer.
class Solo {
 public:
  explicit Solo(AgentConfig config = {}, uint64_t seed = 7)
      : rng(seed), agent(std::move(config), rng) {}

  Rng rng;
  Agent agent;
  Timestamp now;
  std::vector<std::pair<Timestamp, Transmit>> out;
  std::vector<Event> events;
  Timestamp timer = Timestamp::PlusInfinity();
  Credentials remote{"RFRAG", "0123456789abcdefghijkl"};
  uint64_t remote_tie_breaker = 0x8000000000000000;
  TransportAddress host = Addr("192.0.2.1:1000");

  void Pump() {
    timer = Drain(
        agent, [this](Transmit&& t) { out.emplace_back(now, std::move(t)); },
        [this](Event&& e) { events.push_back(std::move(e)); });
  }
  void Gather(std::vector<TransportAddress> stun = {}, std::vector<RelayServer> relays = {}) {
    agent.Gather(now, std::vector<TransportAddress>{host}, stun, relays);
    Pump();
  }
  void SetRemote(RemoteParameters parameters = {}) {
    parameters.credentials = remote;
    CHECK(agent.SetRemoteParameters(now, parameters).has_value());
    Pump();
  }
  AddResult AddRemote(std::string_view address, uint32_t priority = 2130706431,
                      std::string_view foundation = "1", std::string_view ufrag = "") {
    Candidate c;
    c.address = Addr(address);
    c.priority = priority;
    c.foundation = foundation;
    c.ufrag = ufrag;
    const AddResult result = agent.AddRemoteCandidate(now, c);
    Pump();
    return result;
  }
  void End() {
    agent.EndOfRemoteCandidates(now);
    Pump();
  }
  // Gathers, learns the peer and its candidates.
  void Start(std::vector<std::string_view> remotes) {
    Gather();
    SetRemote();
    uint32_t priority = 2130706431;
    for (std::string_view r : remotes) {
      AddRemote(r, priority, "f" + std::to_string(priority));
      --priority;
    }
    End();
  }
  void RunUntil(Timestamp until) {
    while (timer <= until) {
      now = std::max(now, timer);
      agent.HandleTimeout(now);
      Pump();
    }
    now = until;
  }
  void RunFor(TimeDelta time) { RunUntil(now + time); }
  bool Receive(const TransportAddress& from, const Bytes& payload) {
    const bool accepted = agent.HandlePacket(now, {from, host, payload});
    Pump();
    return accepted;
  }

  struct RequestOptions {
    std::optional<Role> role = Role::kControlled;
    bool use_candidate = false;
    uint32_t priority = 1862270975;
    std::string username = {};  // "": the right one
    std::string password = {};  // "": the right one
  };
  Bytes Request(RequestOptions options) {
    using stun::AttributeType;
    stun::MessageBuilder b(stun::MessageClass::kRequest, stun::Method::kBinding,
                           stun::NewTransactionId(peer_rng_));
    const Credentials& local = agent.local_credentials();
    b.AddString(AttributeType::kUsername,
                options.username.empty() ? local.ufrag + ":" + remote.ufrag : options.username);
    b.AddU32(AttributeType::kPriority, options.priority);
    if (options.role == Role::kControlled)
      b.AddU64(AttributeType::kIceControlled, remote_tie_breaker);
    if (options.role == Role::kControlling)
      b.AddU64(AttributeType::kIceControlling, remote_tie_breaker);
    if (options.use_candidate) b.AddFlag(AttributeType::kUseCandidate);
    b.AddMessageIntegrity(stun::IntegrityKey::ShortTerm(
        options.password.empty() ? local.password : options.password));
    return b.AddFingerprint().Build();
  }
  Bytes Request() { return Request(RequestOptions{}); }
  Bytes Success(const Transmit& request, const TransportAddress& mapped) {
    return stun::MessageBuilder::ResponseTo(*stun::MessageView::Parse(request.payload),
                                            stun::MessageClass::kSuccessResponse)
        .AddXorAddress(stun::AttributeType::kXorMappedAddress, mapped)
        .AddMessageIntegrity(stun::IntegrityKey::ShortTerm(remote.password))
        .AddFingerprint()
        .Build();
  }
  Bytes Error(const Transmit& request, int code) {
    return stun::MessageBuilder::ErrorResponseTo(*stun::MessageView::Parse(request.payload), code)
        .AddMessageIntegrity(stun::IntegrityKey::ShortTerm(remote.password))
        .AddFingerprint()
        .Build();
  }
  // Answers a request as the peer at its destination would.
  bool Answer(const Transmit& request) {
    return Receive(request.destination, Success(request, request.source));
  }
  // What was sent since the last call.
  std::vector<Transmit> Take() {
    std::vector<Transmit> taken;
    for (auto& [at, t] : out) taken.push_back(std::move(t));
    out.clear();
    return taken;
  }
  static bool IsRequest(const Transmit& t) {
    const auto view = stun::MessageView::Parse(t.payload);
    return view && view->IsRequest();
  }
  static bool Nominates(const Transmit& t) {
    const auto view = stun::MessageView::Parse(t.payload);
    return view && view->IsRequest() && view->Has(stun::AttributeType::kUseCandidate);
  }
  // Code of an error response, 0 for a success, -1 for anything else.
  static int ResponseCode(const Transmit& t) {
    const auto view = stun::MessageView::Parse(t.payload);
    if (!view || !view->IsResponse()) return -1;
    return view->IsSuccess() ? 0 : view->GetErrorCode()->code;
  }
  template <typename E>
  std::vector<E> Events() const {
    std::vector<E> found;
    for (const Event& event : events) {
      if (const E* e = std::get_if<E>(&event)) found.push_back(*e);
    }
    return found;
  }

 private:
  Rng peer_rng_{99};
};

}  // namespace rtclab::ice

#endif  // RTCLAB_STACK_ICE_AGENT_LAB_H_
