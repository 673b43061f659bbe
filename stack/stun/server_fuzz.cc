// Any datagram into the server, with and without authentication, into the long-term client and into a running discovery.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "stack/stun/long_term_client.h"
#include "stack/stun/nat_discovery.h"
#include "stack/stun/server.h"

namespace {

using namespace rtclab;
using namespace rtclab::stun;

const TransportAddress kPrimary = {IpAddress::V4(192, 0, 2, 1), 3478};
const TransportAddress kAlternate = {IpAddress::V4(192, 0, 2, 2), 3479};
const TransportAddress kClient = {IpAddress::V4(198, 51, 100, 7), 40000};

void FeedServer(bool authenticated, ByteView bytes) {
  Rng rng(1);
  ServerConfig config;
  config.addresses = {{kPrimary, kAlternate}};
  if (authenticated) {
    auto users = std::make_shared<StaticCredentials>();
    if (!users->Add("alice", "secret")) __builtin_trap();
    config.long_term.emplace();
    config.long_term->realm = "example.org";
    config.credentials = users;
  }
  Server server(config, rng);
  server.HandlePacket(Timestamp::Zero(), {kClient, kPrimary, bytes});
  while (const auto out = server.PollTransmit()) {
    // What we send, we can read.
    if (!MessageView::ParseClassic(out->payload)) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(data, size);
  FeedServer(false, bytes);
  FeedServer(true, bytes);
  const auto view = MessageView::Parse(bytes);
  if (!view) return 0;
  if (view->IsResponse()) {
    LongTermClient client("alice", "secret");
    client.HandleResponse(*view, {});
    MessageBuilder request(MessageClass::kRequest, Method::kBinding, {});
    const auto signature = client.Sign(request);
    client.HandleResponse(*view, signature);
    if (!MessageView::Parse(request.Build())) __builtin_trap();
  }
  Rng rng(1);
  NatDiscoveryConfig config;
  config.local = kClient;
  config.server = kPrimary;
  NatDiscovery discovery(config, rng);
  discovery.Start(Timestamp::Zero());
  Bytes answer(bytes.begin(), bytes.end());
  const auto request = discovery.PollTransmit();
  std::copy_n(request->payload.begin() + 8, 12, answer.begin() + 8);
  discovery.HandlePacket(Timestamp::Zero(), {kPrimary, kClient, answer});
  return 0;
}
