// Single streams: messages that are given up, and streams that are reset.
#include <algorithm>
#include <string>
#include <vector>

#include "conformance/interop/usrsctp_program.h"

namespace rtclab::conformance {

// --- Partial reliability: 100 messages that may be given up, then one that may not. ---

namespace {

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

}  // namespace

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

namespace {

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

}  // namespace

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

}  // namespace rtclab::conformance
