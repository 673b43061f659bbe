// The inside of Client: a channel, what came through it that nobody waits for yet, and what is known of challenge and allocation.
#ifndef RTCLAB_CONFORMANCE_ENGINE_CLIENT_STATE_H_
#define RTCLAB_CONFORMANCE_ENGINE_CLIENT_STATE_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "conformance/engine/encode.h"
#include "conformance/engine/session.h"
#include "conformance/engine/test.h"
#include "stack/stun/stream_framer.h"

namespace rtclab::conformance {

struct Client::State {
  struct Kept {
    Bytes bytes;
    TransportAddress from;
  };

  Session* session = nullptr;
  std::unique_ptr<Channel> channel;  // none: could not be opened
  std::string name;
  TransportAddress local, server;
  Transport transport{};

  std::optional<Credentials> credentials;
  std::optional<ServerChallenge> challenge;
  stun::IntegrityKey key;
  Response last_challenge;

  std::deque<Kept> kept;
  stun::StreamFramer framer;
  bool framing_lost = false;
  bool close_noted = false;
  std::map<stun::TransactionId, int> resent;  // answers that may still come a second time
  std::map<uint16_t, IpAddress> channels;     // as asked for in ChannelBind requests

  bool allocated = false;
  bool allocate_pending = false;  // an Allocate request was sent and has no answer yet
  std::optional<Signing>
      allocation_signing;  // of the Allocate that succeeded, where it was special

  ~State();

  bool Open() const { return channel && !channel->closed(); }
  bool Reliable() const { return transport == Transport::kTcp || transport == Transport::kTls; }
  stun::TransactionId NewId(const Request& request);
  Bytes Encode(const Request& request, const stun::TransactionId& id) const;
  // Sends and records. A destination that may not be sent to ends the case as skipped.
  void Send(ByteView bytes);
  // One wait for the network: what comes is recorded and kept. Returns whether anything came.
  bool Pump(TimeDelta limit);
  // Waits for the answer to `id`; with `again`, sends that anew as RFC 8489 section 6.2.1 has it.
  Response Await(const stun::TransactionId& id, TimeDelta limit, const Bytes* again);
  std::optional<Response> TakeAnswer(const stun::TransactionId& id);
  // The first packet of a UDP 5-tuple: a Binding request whose answer is waited for, not longer than it can take, and never required.
  void Introduce();
  // Remembers the challenge of a 401 or 438.
  bool Learn(const Response& response);
  void SetChallenge(ServerChallenge value);
  // Deletes the allocation: one quick try that no interrupt stops.
  void CleanUp() noexcept;

 private:
  void Arrived(Bytes bytes, const TransportAddress& from);
  void ArrivedOnStream(ByteView bytes, const TransportAddress& from);
  void Track(const stun::MessageView& message);
  TimeDelta CleanUpPatience() const;
  void RecordPacket(bool sent, ByteView bytes, const TransportAddress& remote, std::string note);
  void NoteClosed();
  Response CleanUpOnce();
};

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_ENGINE_CLIENT_STATE_H_
