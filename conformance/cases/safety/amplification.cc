// How much a server sends to an address that somebody else may have forged.
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "conformance/cases/safety/safety_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

struct SecEcho {
  std::size_t packets = 0;
  std::size_t bytes = 0;
};

// What comes back on one datagram, until it is quiet.
SecEcho SecReflect(Test& t, Client& client, ByteView request) {
  SecEcho out;
  client.SendRaw(request);
  TimeDelta patience = t.target().answer_timeout / 2;
  while (const auto got = client.Receive(patience)) {
    ++out.packets;
    out.bytes += got->size();
    patience = t.target().silence;
    if (out.packets > 20) break;
  }
  return out;
}

Bytes SecHeader(Test& t, uint16_t type, ByteView attributes = {}) {
  ByteWriter out;
  out.WriteU16(type);
  out.WriteU16(static_cast<uint16_t>(attributes.size()));
  out.WriteU32(stun::kMagicCookie);
  const auto id = stun::NewTransactionId(t.rng());
  out.WriteBytes(id);
  out.WriteBytes(attributes);
  return out.Take();
}

// More than that, with IP and UDP headers, is worth an attacker's while: DNS resolvers were closed for less than ten.
constexpr double kMostAmplification = 6.0;

std::string SecMeasure(Test& t, std::string_view what, const Bytes& request) {
  t.SpendProbe();
  Client client = t.Connect();
  const std::size_t headers = client.server().family() == AddressFamily::kIpv6 ? 48 : 28;
  const SecEcho echo = SecReflect(t, client, request);
  const std::size_t in = headers + request.size();
  const std::size_t out = echo.packets * headers + echo.bytes;
  char factor[32];
  const double ratio = static_cast<double>(out) / static_cast<double>(in);
  std::snprintf(factor, sizeof(factor), "%.1f", ratio);
  const std::string line = std::string(what) + ": " + std::to_string(request.size()) +
                           " bytes bring " + std::to_string(echo.bytes) + " (x" + factor +
                           " with headers)";
  t.Expect(echo.packets <= 1, std::string(what) + ": at most one packet for one",
           std::to_string(echo.packets) + " packets");
  t.Expect(ratio <= kMostAmplification, std::string(what) + ": less than six bytes for one", line);
  return line;
}

void SecAmpBinding(Test& t) { t.Info(SecMeasure(t, "Binding", SecHeader(t, 0x0001))); }

void SecAmpChallenge(Test& t) {
  const Bytes transport = {0x00, 0x19, 0x00, 0x04, 17, 0, 0, 0};
  const Bytes unknown = {0x7f, 0xfe, 0x00, 0x00};
  const Bytes stale = {0x00, 0x19, 0x00, 0x04, 17,   0,    0,    0,    0x00, 0x06, 0x00, 0x01,
                       'u',  0,    0,    0,    0x00, 0x14, 0x00, 0x01, 'r',  0,    0,    0,
                       0x00, 0x15, 0x00, 0x01, 'n',  0,    0,    0,    0x00, 0x08, 0x00, 0x14,
                       1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,
                       13,   14,   15,   16,   17,   18,   19,   20};
  const std::vector<std::pair<std::string_view, Bytes>> kinds = {
      {"Allocate", SecHeader(t, 0x0003, transport)},
      {"Allocate without attributes", SecHeader(t, 0x0003)},
      {"Allocate with a nonce of no one", SecHeader(t, 0x0003, stale)},
      {"Binding with an unknown attribute", SecHeader(t, 0x0001, unknown)},
      {"Refresh", SecHeader(t, 0x0004)},
      {"CreatePermission", SecHeader(t, 0x0008)},
      {"Connect", SecHeader(t, 0x000a)},
  };
  std::vector<std::string> lines;
  lines.reserve(kinds.size());
  for (const auto& [what, request] : kinds) lines.push_back(SecMeasure(t, what, request));
  t.Info(SafetyJoin(lines));
}

void SecAmpResponsePort(Test& t) {
  t.SpendProbe();
  Client asking = t.Connect();
  Client other = t.Connect();
  ByteWriter attribute;
  attribute.WriteU16(0x0027);
  attribute.WriteU16(4);
  attribute.WriteU16(other.local().port);
  attribute.WriteU16(0);
  asking.SendRaw(SecHeader(t, 0x0001, attribute.view()));
  const bool reflected = other.Receive(t.target().answer_timeout / 2).has_value();
  t.Info(reflected ? "RESPONSE-PORT sends the answer to any port of the source address, for anybody"
                   : "RESPONSE-PORT of a request without credentials has no effect");
}

// Two servers that answered each other's answers would never stop.
void SecAmpLoop(Test& t) {
  Client client = t.Connect();
  const Bytes error = {0x00, 0x09, 0x00, 0x04, 0, 0, 4, 0};
  const std::vector<std::pair<std::string_view, Bytes>> kinds = {
      {"a Binding success response", SecHeader(t, 0x0101)},
      {"a Binding error response", SecHeader(t, 0x0111, error)},
      {"an Allocate error response", SecHeader(t, 0x0113, error)},
      {"a Binding indication", SecHeader(t, 0x0011)},
      {"an Allocate indication", SecHeader(t, 0x0013)},
      {"a Data indication", SecHeader(t, 0x0017)},
  };
  for (const auto& [what, message] : kinds) {
    t.SpendProbe(2);
    client.SendRaw(message);
    t.ExpectSilence(client, what);
  }
}

}  // namespace

void AddSafetyAmplification(CaseList& cases) {
  constexpr std::string_view kInside = "RFC 8489 section 16.1.2";
  cases.push_back({.id = "sec.amp.binding",
                   .title = "A Binding request brings one packet that is not much larger",
                   .clauses = {SafetyRule(kInside,
                                          "A server is a poor amplifier: one packet for one, and "
                                          "less than six bytes for one.")},
                   .needs = SafetyNeeds({}, Transport::kUdp),
                   .safety = true,
                   .run = SecAmpBinding});
  cases.push_back({.id = "sec.amp.challenge",
                   .title = "Requests without credentials bring one packet that is not much larger",
                   .clauses = {SafetyRule(kInside,
                                          "A server is a poor amplifier: one packet for one, and "
                                          "less than six bytes for one.")},
                   .needs = SafetyNeeds({Feature::kTurn}, Transport::kUdp),
                   .safety = true,
                   .run = SecAmpChallenge});
  cases.push_back({.id = "sec.amp.response-port",
                   .title = "Whether anybody may send the answer to another port",
                   .clauses = {{"5780", "7.5", Level::kInfo,
                                "attribute can be present in the Binding Request and indicates "
                                "which port the Binding Response will be sent to."}},
                   .needs = SafetyNeeds({Feature::kResponsePort}, Transport::kUdp),
                   .safety = true,
                   .run = SecAmpResponsePort});
  cases.push_back(
      {.id = "sec.amp.loop",
       .title = "Responses and indications are answered with nothing",
       .clauses = {SafetyRule("RFC 8489 section 6.3",
                              "What is no request gets no answer: two servers cannot be "
                              "set upon each other.")},
       .needs = SafetyNeeds({}, Transport::kUdp),
       .safety = true,
       .run = SecAmpLoop});
}

}  // namespace rtclab::conformance
