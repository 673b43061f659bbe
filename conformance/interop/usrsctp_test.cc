// Our SCTP and data channels against usrsctp, in real time. All conversations run side by side, once, when
// the first test asks for its own; the program takes some seconds.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conformance/interop/usrsctp_lab.h"
#include "stack/datachannel/channel_manager.h"
#include "stack/sctp/association.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kPatience = TimeDelta::Seconds(40);

using SctpCase = CaseOf<sctp::Association>;
using ChannelCase = CaseOf<datachannel::ChannelManager>;

// Who sends INIT. Data channels have both do it (RFC 8841 section 9.3).
enum class Role { kWeConnect, kTheyConnect, kBothConnect };
const char* NameOf(Role role) {
  switch (role) {
    case Role::kWeConnect:
      return "WeConnect";
    case Role::kTheyConnect:
      return "TheyConnect";
    case Role::kBothConnect:
      return "BothConnect";
  }
  return "";
}

sctp::AssociationConfig OurConfig(bool interleaving) {
  sctp::AssociationConfig config;
  config.interleaving = interleaving;
  config.outbound_streams = 1024;
  config.max_inbound_streams = 1024;
  config.rto_initial = TimeDelta::Millis(100);
  config.rto_min = TimeDelta::Millis(40);
  config.rto_max = TimeDelta::Millis(400);
  config.sack_delay = TimeDelta::Millis(10);
  config.max_init_retransmits = 20;
  config.max_association_retransmits = 30;
  return config;
}

// Slices of one pool: making them while the conversations run would hold up their clocks.
constexpr std::size_t kLargestMessage = 1048576;
Bytes MessageBytes(std::size_t size, std::size_t seed) {
  static const Bytes* const pool = [] {
    auto* const bytes = new Bytes(kLargestMessage + 100'000);
    Rng(1, "messages").Fill(*bytes);
    return bytes;
  }();
  const auto begin = pool->begin() + static_cast<std::ptrdiff_t>(seed * 37);
  return Bytes(begin, begin + static_cast<std::ptrdiff_t>(size));
}

// A list of cases that grows; a case's name is what its test is called.
class Program {
 public:
  Program();
  SctpCase& Add(const std::string& name, Role role, bool interleaving, int loss_percent = 0,
                int reorder_percent = 0);
  SctpCase& AddConfigured(const CaseOptions& options, const sctp::AssociationConfig& config,
                          Role role);
  void AddHandshakes();
  void AddTransfers();
  void AddExtras();
  void AddPartialReliability();
  void AddLongPartialReliability();
  void AddResets();
  void AddEnds();
  void AddDataChannels();
  // Runs all at the first call; what is left to do of the case, or nothing.
  std::string Outcome(const std::string& name);
  std::vector<std::string> Names() const;
  // How long the case took, from the start of all.
  TimeDelta Took(const std::string& name) const;

 private:
  UsrsctpLibrary library_;
  std::vector<std::unique_ptr<InteropCase>> cases_;
  bool ran_ = false;
};

SctpCase& Program::Add(const std::string& name, Role role, bool interleaving, int loss_percent,
                       int reorder_percent) {
  CaseOptions options;
  options.name = name;
  options.loss_percent = loss_percent;
  options.reorder_percent = reorder_percent;
  options.usrsctp.interleaving = interleaving;
  return AddConfigured(options, OurConfig(interleaving), role);
}

SctpCase& Program::AddConfigured(const CaseOptions& options, const sctp::AssociationConfig& config,
                                 Role role) {
  CaseOptions seeded = options;
  seeded.seed = cases_.size() + 1;
  auto added = std::make_unique<SctpCase>(seeded, config);
  SctpCase& c = *added;
  cases_.push_back(std::move(added));
  c.Then(
      "association up at both ends",
      [&c, role](Timestamp now) {
        role == Role::kWeConnect ? c.peer().Listen() : c.peer().Connect();
        if (role != Role::kTheyConnect) c.ours.Connect(now);
      },
      [&c] { return c.peer().up && c.Count<sctp::Connected>() == 1; });
  return c;
}

void Program::AddHandshakes() {
  for (const Role role : {Role::kWeConnect, Role::kTheyConnect, Role::kBothConnect}) {
    for (const bool ours : {false, true}) {
      for (const bool theirs : {false, true}) {
        const std::string name = std::string("Handshake") + NameOf(role) +
                                 (ours ? "IData" : "Data") + (theirs ? "IData" : "Data");
        CaseOptions options;
        options.name = name;
        options.usrsctp.interleaving = theirs;
        SctpCase& c = AddConfigured(options, OurConfig(ours), role);
        c.Then("what both offer is agreed, and nothing else", nullptr, [&c, ours, theirs] {
          const auto* up = c.First<sctp::Connected>();
          return up->interleaving == (ours && theirs) && up->partial_reliability && up->reconfig &&
                 up->outbound_streams == 1024 && up->inbound_streams == 1024 &&
                 c.peer().peer_interleaving == (ours && theirs) &&
                 c.peer().peer_partial_reliability && c.peer().peer_reconfig &&
                 c.Count<sctp::ProtocolError>() == 0;
        });
      }
    }
  }
}

// --- Messages of many sizes both ways; a message's PPID is its place in the list. ---

struct PlannedMessage {
  uint16_t stream;
  bool ordered;
  std::size_t size;
};

std::vector<PlannedMessage> Plan(std::size_t largest) {
  std::vector<PlannedMessage> plan;
  uint16_t n = 0;
  for (const std::size_t size :
       {1, 2, 3, 100, 1131, 1150, 1160, 1175, 1200, 5000, 16384, 65536, 1, 262144, 1048576, 10}) {
    if (size > largest) continue;
    for (const bool ordered : {true, false}) {
      plan.push_back({static_cast<uint16_t>(n % 3), ordered, size});
      ++n;
    }
    // The largest goes once, ordered and unordered in turn.
    if (size > 100'000) plan.pop_back();
  }
  return plan;
}

Bytes PlannedBytes(const PlannedMessage& m, std::size_t index, bool ours) {
  return MessageBytes(m.size, index * 2 + (ours ? 1 : 0));
}

// One message that arrived.
struct Arrival {
  uint16_t stream;
  uint32_t ppid;
  bool ordered;
  const Bytes* payload;
};

// Everything once and unharmed, and what is ordered in order.
bool CameThrough(const std::vector<PlannedMessage>& plan, const std::vector<Arrival>& arrivals,
                 bool ours) {
  if (arrivals.size() != plan.size()) return false;
  std::vector<bool> seen(plan.size());
  std::map<uint16_t, uint32_t> last_ordered;
  for (const Arrival& a : arrivals) {
    if (a.ppid >= plan.size() || seen[a.ppid]) return false;
    seen[a.ppid] = true;
    const PlannedMessage& m = plan[a.ppid];
    if (a.stream != m.stream || a.ordered != m.ordered) return false;
    if (*a.payload != PlannedBytes(m, a.ppid, ours)) return false;
    if (!m.ordered) continue;
    const auto [it, first] = last_ordered.try_emplace(m.stream, a.ppid);
    if (!first && a.ppid < it->second) return false;
    it->second = a.ppid;
  }
  return true;
}

std::vector<Arrival> AtUsrsctp(const SctpCase& c) {
  std::vector<Arrival> arrivals;
  for (const auto& m : c.peer().received) {
    arrivals.push_back({m.stream, m.ppid, m.ordered, &m.payload});
  }
  return arrivals;
}

std::vector<Arrival> AtOurs(const SctpCase& c) {
  std::vector<Arrival> arrivals;
  for (const auto& event : c.events) {
    if (const auto* m = std::get_if<sctp::MessageReceived>(&event)) {
      arrivals.push_back({static_cast<uint16_t>(m->stream), m->ppid, m->ordered, &m->payload});
    }
  }
  return arrivals;
}

void AddTransferSteps(SctpCase& c, std::size_t largest) {
  const std::vector<PlannedMessage> plan = Plan(largest);
  c.Then(
      "all messages at both ends",
      [&c, plan](Timestamp now) {
        for (std::size_t i = 0; i < plan.size(); ++i) {
          const PlannedMessage& m = plan[i];
          sctp::SendOptions options;
          options.ordered = m.ordered;
          const auto sent = c.ours.Send(now, sctp::StreamId{m.stream}, static_cast<uint32_t>(i),
                                        PlannedBytes(m, i, true), options);
          if (!sent) c.peer().errors.push_back("our Send: " + sent.error().reason);
          c.peer().Send({.stream = m.stream,
                         .ppid = static_cast<uint32_t>(i),
                         .ordered = m.ordered,
                         .payload = PlannedBytes(m, i, false)});
        }
      },
      [&c, count = plan.size()] {
        return c.peer().received.size() >= count && c.Count<sctp::MessageReceived>() >= count;
      });
  c.Then("every message of ours unharmed, once and in order", nullptr,
         [&c, plan] { return CameThrough(plan, AtUsrsctp(c), true); });
  c.Then("every message of theirs unharmed, once and in order", nullptr,
         [&c, plan] { return CameThrough(plan, AtOurs(c), false); });
}

void Program::AddTransfers() {
  for (const Role role : {Role::kWeConnect, Role::kTheyConnect}) {
    for (const bool interleaving : {false, true}) {
      for (const int loss : {0, 5, 20}) {
        const std::string name = std::string("Transfer") + NameOf(role) +
                                 (interleaving ? "IData" : "Data") + "Loss" + std::to_string(loss);
        AddTransferSteps(Add(name, role, interleaving, loss, loss == 0 ? 0 : 10),
                         loss == 20 ? 65536 : kLargestMessage);
      }
    }
  }
  AddTransferSteps(Add("TransferReorderedOnly", Role::kBothConnect, true, 0, 30), 262144);
}

// --- What usrsctp does not know, and what it must not mind. ---

void Program::AddExtras() {
  CaseOptions options;
  options.name = "ZeroChecksumOfferedAndNotTaken";
  sctp::AssociationConfig config = OurConfig(true);
  config.zero_checksum = true;
  SctpCase& checksum = AddConfigured(options, config, Role::kBothConnect);
  checksum.Then("our packets keep their checksum", nullptr,
                [&checksum] { return !checksum.First<sctp::Connected>()->zero_checksum; });
  AddTransferSteps(checksum, 5000);

  options.name = "PathMtuProbing";
  config = OurConfig(false);
  config.mtu = 576;
  config.max_probed_mtu = 1400;
  SctpCase& probing = AddConfigured(options, config, Role::kWeConnect);
  probing.Then("a larger path MTU is found", nullptr,
               [&probing] { return probing.ours.metrics().mtu > 1300; });
  AddTransferSteps(probing, 65536);

  options.name = "RestartOfUsrsctp";
  SctpCase& theirs = AddConfigured(options, OurConfig(true), Role::kBothConnect);
  theirs.Then(
      "our association starts anew with theirs",
      [&theirs](Timestamp) {
        theirs.ReplacePeer();
        theirs.peer().Connect();
      },
      [&theirs] { return theirs.peer().up && theirs.Count<sctp::Restarted>() == 1; });
  AddTransferSteps(theirs, 5000);

  options.name = "RestartOfOurs";
  SctpCase& ours = AddConfigured(options, OurConfig(false), Role::kBothConnect);
  ours.Then(
      "their association starts anew with ours",
      [&ours](Timestamp now) {
        ours.ReplaceOurs(OurConfig(false));
        ours.ours.Connect(now);
      },
      [&ours] { return ours.peer().restarted && ours.Count<sctp::Connected>() == 2; });
  AddTransferSteps(ours, 5000);

  options.name = "NoStreamResetAtThePeer";
  options.usrsctp.stream_reset = false;
  SctpCase& denied = AddConfigured(options, OurConfig(false), Role::kWeConnect);
  denied.Then(
      "our reset is answered, one way or the other",
      [&denied](Timestamp now) {
        const sctp::StreamId stream{1};
        denied.ours.ResetStreams(now, {&stream, 1});
      },
      [&denied] {
        return denied.Count<sctp::StreamsResetFailed>() +
                   denied.Count<sctp::StreamsResetPerformed>() ==
               1;
      });
  AddTransferSteps(denied, 5000);
}

// --- Partial reliability: 100 messages that may be given up, then one that may not. ---

bool GaveUpSomeAndKeptOrder(const std::vector<Arrival>& arrivals) {
  if (arrivals.empty() || arrivals.back().ppid != 100) return false;
  for (std::size_t i = 0; i + 1 < arrivals.size(); ++i) {
    if (arrivals[i].ppid >= arrivals[i + 1].ppid) return false;
  }
  for (const Arrival& a : arrivals) {
    if (*a.payload != MessageBytes(1000, a.ppid)) return false;
  }
  return arrivals.size() < 101;
}

void Program::AddPartialReliability() {
  for (const bool timed : {false, true}) {
    for (const bool interleaving : {false, true}) {
      for (const bool ours : {false, true}) {
        const std::string name = std::string("PartialReliability") + (timed ? "Timed" : "Rexmit") +
                                 (interleaving ? "IData" : "Data") + (ours ? "Ours" : "Theirs");
        SctpCase& c = Add(name, ours ? Role::kWeConnect : Role::kTheyConnect, interleaving, 20, 5);
        c.Then(
            "the last message, which is reliable",
            [&c, timed, ours](Timestamp now) {
              for (uint32_t i = 0; i <= 100; ++i) {
                sctp::SendOptions options;
                UsrsctpMessage message{.stream = 7, .ppid = i, .payload = MessageBytes(1000, i)};
                if (i < 100 && timed) {
                  options.lifetime = TimeDelta::Millis(5);
                  message.lifetime_ms = 5;
                } else if (i < 100) {
                  options.max_retransmits = 0;
                  message.max_retransmits = 0;
                }
                if (ours) {
                  (void)c.ours.Send(now, sctp::StreamId{7}, i, MessageBytes(1000, i), options);
                } else {
                  c.peer().Send(std::move(message));
                }
              }
            },
            [&c, ours] {
              const auto arrivals = ours ? AtUsrsctp(c) : AtOurs(c);
              return !arrivals.empty() && arrivals.back().ppid == 100;
            });
        c.Then("some were given up, the others came unharmed and in order", nullptr,
               [&c, ours] { return GaveUpSomeAndKeptOrder(ours ? AtUsrsctp(c) : AtOurs(c)); });
      }
    }
  }
}

// Long messages of three streams that may be given up in the middle, their fragments among each other's.
Bytes LongAbandonedBytes(uint32_t index) { return MessageBytes(index < 30 ? 9000 : 500, index); }

void AddLongAbandoned(SctpCase& c, bool ours) {
  c.Then(
      "the last message, which is reliable",
      [&c, ours](Timestamp now) {
        for (uint32_t i = 0; i <= 30; ++i) {
          const auto stream = static_cast<uint16_t>(i < 30 ? i % 3 : 7);
          sctp::SendOptions options;
          UsrsctpMessage message{.stream = stream, .ppid = i, .payload = LongAbandonedBytes(i)};
          if (i < 30) options.max_retransmits = 0;
          if (i < 30) message.max_retransmits = 0;
          if (ours) {
            (void)c.ours.Send(now, sctp::StreamId{stream}, i, LongAbandonedBytes(i), options);
          } else {
            c.peer().Send(std::move(message));
          }
        }
      },
      [&c, ours] {
        const auto arrivals = ours ? AtUsrsctp(c) : AtOurs(c);
        return std::any_of(arrivals.begin(), arrivals.end(),
                           [](const Arrival& a) { return a.ppid == 30; });
      });
  c.Then("what came is unharmed, and the association lives", nullptr, [&c, ours] {
    const auto arrivals = ours ? AtUsrsctp(c) : AtOurs(c);
    return c.ours.state() == sctp::State::kEstablished && !c.peer().lost &&
           std::all_of(arrivals.begin(), arrivals.end(),
                       [](const Arrival& a) { return *a.payload == LongAbandonedBytes(a.ppid); });
  });
}

// --- Stream reset: a message, the reset, another message, three rounds. ---

void AddOurResetRound(SctpCase& c, std::size_t round) {
  c.Then(
      "our message before the reset",
      [&c](Timestamp now) { (void)c.ours.Send(now, sctp::StreamId{3}, 1, MessageBytes(3000, 1)); },
      [&c, round] { return c.peer().received.size() == round + 1; });
  c.Then(
      "our reset at both ends",
      [&c](Timestamp now) {
        const sctp::StreamId streams[] = {sctp::StreamId{3}, sctp::StreamId{4}};
        c.ours.ResetStreams(now, streams);
      },
      [&c, round] {
        return c.peer().incoming_resets.size() == 2 * (round + 1) &&
               c.Count<sctp::StreamsResetPerformed>() >= round + 1;
      });
}

// Streams, not events: usrsctp splits a reset when one of the streams still waits for a SACK.
std::size_t IncomingResets(const SctpCase& c) {
  std::size_t streams = 0;
  for (const auto& event : c.events) {
    if (const auto* reset = std::get_if<sctp::IncomingStreamsReset>(&event)) {
      streams += reset->streams.size();
    }
  }
  return streams;
}

void AddTheirResetRound(SctpCase& c, std::size_t round) {
  c.Then(
      "their message before the reset",
      [&c](Timestamp) {
        c.peer().Send({.stream = 5, .ppid = 1, .payload = MessageBytes(3000, 1)});
      },
      [&c, round] { return c.Count<sctp::MessageReceived>() == round + 1; });
  c.Then(
      "their reset at both ends",
      [&c](Timestamp) {
        const uint16_t streams[] = {5, 6};
        if (!c.peer().ResetStreams(streams)) c.peer().errors.emplace_back("reset refused");
      },
      [&c, round] {
        return c.peer().outgoing_resets.size() == 2 * (round + 1) &&
               IncomingResets(c) == 2 * (round + 1);
      });
}

void Program::AddLongPartialReliability() {
  for (const bool interleaving : {false, true}) {
    for (const bool ours : {false, true}) {
      // usrsctp's own I-FORWARD-TSN names reliable messages that are under way, too, and so loses them.
      if (interleaving && !ours) continue;
      AddLongAbandoned(Add(std::string("PartialReliabilityLong") +
                               (interleaving ? "IData" : "Data") + (ours ? "Ours" : "Theirs"),
                           Role::kBothConnect, interleaving, 20, 20),
                       ours);
    }
  }
}

void Program::AddResets() {
  for (const bool interleaving : {false, true}) {
    for (const int loss : {0, 20}) {
      const std::string kind =
          std::string(interleaving ? "IData" : "Data") + "Loss" + std::to_string(loss);
      SctpCase& our = Add("OurReset" + kind, Role::kWeConnect, interleaving, loss, loss / 2);
      for (std::size_t round = 0; round < 3; ++round) AddOurResetRound(our, round);
      SctpCase& their = Add("TheirReset" + kind, Role::kTheyConnect, interleaving, loss, loss / 2);
      for (std::size_t round = 0; round < 3; ++round) AddTheirResetRound(their, round);
    }
  }
}

// --- How associations end. ---

void Program::AddEnds() {
  for (const int loss : {0, 20}) {
    for (const bool ours : {false, true}) {
      const std::string kind =
          std::string(ours ? "Ours" : "Theirs") + "Loss" + std::to_string(loss);
      SctpCase& c = Add("Shutdown" + kind, Role::kBothConnect, true, loss, loss / 2);
      c.Then(
          "the message that was queued, then the end at both sides",
          [&c, ours](Timestamp now) {
            if (ours) {
              (void)c.ours.Send(now, sctp::StreamId{0}, 1, MessageBytes(50'000, 1));
              c.ours.Shutdown(now);
            } else {
              c.peer().Send({.stream = 0, .ppid = 1, .payload = MessageBytes(50'000, 1)});
              c.peer().Shutdown();
            }
          },
          [&c, ours] {
            const auto arrivals = ours ? AtUsrsctp(c) : AtOurs(c);
            return c.Count<sctp::Closed>() == 1 && c.peer().closed && arrivals.size() == 1 &&
                   *arrivals[0].payload == MessageBytes(50'000, 1);
          });
    }
  }
  SctpCase& ours = Add("AbortOurs", Role::kWeConnect, true);
  ours.Then(
      "our abort at both ends", [&ours](Timestamp now) { ours.ours.Abort(now, "enough"); },
      [&ours] { return ours.peer().lost && ours.Count<sctp::Aborted>() == 1; });
  SctpCase& theirs = Add("AbortTheirs", Role::kTheyConnect, true);
  theirs.Then(
      "their abort at our end", [&theirs](Timestamp) { theirs.peer().Abort(); },
      [&theirs] {
        const auto* aborted = theirs.First<sctp::Aborted>();
        return aborted != nullptr && aborted->by_peer;
      });
}

// --- Data channels: usrsctp with DCEP by hand, as raw bytes. ---

constexpr uint32_t kDcepPpid = 50;
constexpr uint32_t kStringPpid = 51;

void AddOurChannel(ChannelCase& c) {
  c.Then(
      "our DATA_CHANNEL_OPEN and a message at usrsctp",
      [&c](Timestamp now) {
        const auto id = c.ours.Create(now, {.label = "ours", .protocol = "p"});
        while (c.ours.PollEvent()) continue;
        if (!id || !c.ours.Send(now, *id, false, AsBytes("hello"))) {
          c.peer().errors.emplace_back("could not open or send");
        }
      },
      [&c] {
        const Bytes open = {3, 0, 1, 0, 0, 0, 0, 0, 0, 4, 0, 1, 'o', 'u', 'r', 's', 'p'};
        const auto& got = c.peer().received;
        return got.size() == 2 && got[0].ppid == kDcepPpid && got[0].stream == 0 &&
               got[0].payload == open && got[1].ppid == kStringPpid &&
               AsString(got[1].payload) == "hello";
      });
  c.Then(
      "their answers at our channel",
      [&c](Timestamp) {
        c.peer().Send({.stream = 0, .ppid = kDcepPpid, .payload = {2}});
        c.peer().Send({.stream = 0, .ppid = kStringPpid, .payload = {'y', 'e', 's'}});
      },
      [&c] { return c.Count<datachannel::MessageReceived>() == 1; });
  c.Then(
      "our channel's stream reset at usrsctp",
      [&c](Timestamp now) { c.ours.Close(now, datachannel::ChannelId{0}); },
      [&c] { return c.peer().incoming_resets == std::vector<uint16_t>{0}; });
  c.Then(
      "our channel closed",
      [&c](Timestamp) {
        const uint16_t stream = 0;
        if (!c.peer().ResetStreams({&stream, 1})) c.peer().errors.emplace_back("reset refused");
      },
      [&c] {
        return c.ours.state(datachannel::ChannelId{0}) == datachannel::ChannelState::kClosed;
      });
}

void AddTheirChannel(ChannelCase& c) {
  c.Then(
      "their channel announced",
      [&c](Timestamp) {
        c.peer().Send({.stream = 1,
                       .ppid = kDcepPpid,
                       .payload = {3, 0x80, 0, 128, 0, 0, 0, 0, 0, 2, 0, 0, 'h', 'i'}});
        c.peer().Send({.stream = 1, .ppid = 57, .payload = {0}});
      },
      [&c] {
        const auto* announced = c.First<datachannel::ChannelAnnounced>();
        return announced != nullptr && announced->init.label == "hi" && !announced->init.ordered &&
               c.Count<datachannel::MessageReceived>() == 2;
      });
  c.Then("our ACK at usrsctp", nullptr, [&c] {
    const auto& last = c.peer().received.back();
    return last.stream == 1 && last.ppid == kDcepPpid && last.payload == Bytes{2};
  });
  c.Then(
      "their channel closed at both ends",
      [&c](Timestamp) {
        const uint16_t stream = 1;
        if (!c.peer().ResetStreams({&stream, 1})) c.peer().errors.emplace_back("reset refused");
      },
      [&c] {
        return c.ours.state(datachannel::ChannelId{1}) == datachannel::ChannelState::kClosed &&
               c.peer().incoming_resets == std::vector<uint16_t>{0, 1};
      });
  c.Then(
      "our channel on the same stream again",
      [&c](Timestamp now) {
        const auto id = c.ours.Create(now, {.label = "again"});
        if (!id || c.ours.stream_id(*id) != 0) c.peer().errors.emplace_back("not stream 0");
      },
      [&c] { return c.peer().received.back().ppid == kDcepPpid && c.peer().received.size() == 4; });
}

void Program::AddDataChannels() {
  for (const int loss : {0, 20}) {
    CaseOptions options;
    options.name = "DataChannelsLoss" + std::to_string(loss);
    options.loss_percent = loss;
    options.reorder_percent = loss / 2;
    options.seed = cases_.size() + 1;
    options.usrsctp.interleaving = true;
    datachannel::ManagerConfig config;
    config.sctp = OurConfig(true);
    auto added = std::make_unique<ChannelCase>(options, config);
    ChannelCase& c = *added;
    cases_.push_back(std::move(added));
    c.Then(
        "association up at both ends",
        [&c](Timestamp now) {
          c.peer().Connect();
          c.ours.Start(now, true);
        },
        [&c] { return c.peer().up && c.Count<datachannel::TransportConnected>() == 1; });
    AddOurChannel(c);
    AddTheirChannel(c);
  }
}

Program::Program() {
  AddHandshakes();
  AddTransfers();
  AddExtras();
  AddPartialReliability();
  AddLongPartialReliability();
  AddResets();
  AddEnds();
  AddDataChannels();
}

std::string Program::Outcome(const std::string& name) {
  (void)MessageBytes(1, 0);
  if (!std::exchange(ran_, true)) RunCases(library_, cases_, kPatience);
  for (const auto& c : cases_) {
    if (c->name() == name) return c->Unfinished();
  }
  return "no such case";
}

TimeDelta Program::Took(const std::string& name) const {
  for (const auto& c : cases_) {
    if (c->name() == name) return c->took();
  }
  return TimeDelta::PlusInfinity();
}

std::vector<std::string> Program::Names() const {
  std::vector<std::string> names;
  for (const auto& c : cases_) names.push_back(c->name());
  return names;
}

Program& TheProgram() {
  static auto* const program = new Program;
  return *program;
}

class UsrsctpTest : public testing::TestWithParam<std::string> {};

TEST_P(UsrsctpTest, Interoperates) {
  EXPECT_EQ(TheProgram().Outcome(GetParam()), "");
  RecordProperty("took_ms", static_cast<int>(TheProgram().Took(GetParam()).millis()));
}

INSTANTIATE_TEST_SUITE_P(Cases, UsrsctpTest, testing::ValuesIn(TheProgram().Names()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace rtclab::conformance
