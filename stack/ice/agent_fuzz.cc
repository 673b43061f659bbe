// A script of packets, signalling and time against one agent. Half of the packets are signed with the agent's own keys, so
// that the fuzzer gets behind the integrity check.
//
// The input is a list of steps: an operation byte, a length byte, then so many bytes of argument.
#include <cstdint>
#include <cstdlib>

#include "stack/ice/agent_lab.h"

namespace rtclab::ice {
namespace {

TransportAddress Source(uint8_t b) {
  return {IpAddress::V4(192, 0, 2, static_cast<uint8_t>(b & 7)), uint16_t(1 + b % 5)};
}

void SignedRequest(Solo& solo, ByteView argument) {
  if (argument.size() < 2) return;
  const uint8_t flags = argument[1];
  Solo::RequestOptions options;
  options.role = (flags & 1) != 0 ? Role::kControlling : Role::kControlled;
  options.use_candidate = (flags & 2) != 0;
  options.priority = uint32_t{flags} << 16 | argument[0];
  solo.remote_tie_breaker = (flags & 4) != 0 ? 0 : UINT64_MAX;
  solo.Receive(Source(argument[0]), solo.Request(options));
}

void AnswerSome(Solo& solo, ByteView argument) {
  if (argument.size() < 2 || solo.out.empty()) return;
  const Transmit request = solo.out[argument[0] % solo.out.size()].second;
  if (!Solo::IsRequest(request)) return;
  const uint8_t kind = argument[1];
  if (kind < 128) {
    solo.Receive(request.destination,
                 solo.Success(request, kind < 64 ? request.source : Source(kind)));
  } else if (kind < 160) {
    solo.Receive(Source(kind), solo.Success(request, request.source));
  } else {
    static constexpr int kCodes[] = {300, 400, 401, 403, 487, 500};
    solo.Receive(request.destination, solo.Error(request, kCodes[kind % 6]));
  }
}

void Step(Solo& solo, uint8_t operation, ByteView argument) {
  const uint8_t first = argument.empty() ? 0 : argument[0];
  switch (operation % 12) {
    case 0:
      solo.agent.HandlePacket(solo.now, {Source(first), solo.host, argument});
      break;
    case 1:
      SignedRequest(solo, argument);
      break;
    case 2:
      AnswerSome(solo, argument);
      break;
    case 3:
      solo.RunFor(TimeDelta::Millis(int64_t{first} * first));
      break;
    case 4:
      solo.AddRemote(Source(first).ToString(), 1 + first * 1000u,
                     std::string(1, static_cast<char>('a' + first % 4)));
      break;
    case 5:
      solo.End();
      break;
    case 6:
      if (first % 8 == 0) solo.remote.ufrag += 'x';
      if (solo.remote.ufrag.size() < 200) solo.SetRemote({.lite = first == 255});
      break;
    case 7:
      solo.agent.Restart(solo.now);
      break;
    case 8:
      (void)solo.agent.Send(solo.now, argument);
      break;
    case 9:
      solo.agent.AddRelayedCandidate(solo.now, first % 4, Source(first),
                                     Source(static_cast<uint8_t>(first >> 3)));
      break;
    case 10:
      solo.agent.PermissionGranted(solo.now, Source(first),
                                   Source(static_cast<uint8_t>(first >> 3)).ip);
      break;
    case 11:
      if (const auto c = ParseCandidate(AsString(argument)))
        (void)solo.agent.AddRemoteCandidate(solo.now, *c);
      break;
  }
  solo.Pump();
}

}  // namespace
}  // namespace rtclab::ice

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace rtclab;
  using namespace rtclab::ice;
  if (size < 1 || size > 2000) return 0;
  AgentConfig config;
  config.role = (data[0] & 1) != 0 ? Role::kControlling : Role::kControlled;
  config.lite = (data[0] & 6) == 6;
  config.nomination = (data[0] & 8) != 0 ? Nomination::kAggressive : Nomination::kRegular;
  config.trickle = static_cast<Trickle>((data[0] >> 4) % 3);
  config.max_pairs = 12;
  Solo solo(config);
  solo.Gather({}, {{Addr("192.0.2.77:3478")}});
  std::size_t at = 1;
  while (at + 2 <= size) {
    const std::size_t length = std::min<std::size_t>(data[at + 1], size - at - 2);
    Step(solo, data[at], {data + at + 2, length});
    at += 2 + length;
    if (solo.timer < solo.now) std::abort();  // every due timer was handled
    if (solo.out.size() > 200) solo.out.clear();
    solo.events.clear();
  }
  solo.RunFor(TimeDelta::Seconds(120));
  return 0;
}
