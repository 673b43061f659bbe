// Feeds a transport with datagrams, beside the genuine ones of its peer. The first byte of an input chooses role and moment; then each
// datagram is preceded by a byte that says what to do and two of length.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "stack/dtls/transport.h"

namespace rtclab::dtls {
namespace {

// Made once: keys do not depend on the input.
struct Identity {
  Rng rng{1};
  Certificate client = Certificate::Generate(rng, Timestamp::Zero());
  Certificate server = Certificate::Generate(rng, Timestamp::Zero());
};

class Harness {
 public:
  explicit Harness(uint8_t choice) : fed_is_server_((choice & 1) != 0), rng_(7) {
    static const Identity identity;
    TransportConfig config;
    config.certificate = &identity.client;
    if ((choice & 2) == 0) config.remote_fingerprints = {identity.server.fingerprint()};
    client_ = std::make_unique<Transport>(config, rng_);
    config.certificate = &identity.server;
    config.role = Role::kServer;
    if ((choice & 2) == 0) config.remote_fingerprints = {identity.client.fingerprint()};
    server_ = std::make_unique<Transport>(config, rng_);
    client_->Start(now_);
    server_->Start(now_);
    // 0 to 4 genuine flights.
    for (int i = (choice >> 2) % 5; i > 0; --i) {
      Exchange(*client_, *server_);
      if (--i > 0) Exchange(*server_, *client_);
    }
  }

  void Run(ByteReader input) {
    Transport& fed = fed_is_server_ ? *server_ : *client_;
    Transport& other = fed_is_server_ ? *client_ : *server_;
    while (const auto action = input.ReadU8()) {
      const auto length = input.ReadU16();
      if (!length) return;
      const auto bytes = input.ReadBytes(std::min<std::size_t>(*length, input.remaining()));
      now_ += TimeDelta::Millis(*action);
      fed.HandlePacket(now_, *bytes);
      if (*action % 4 == 1) Exchange(other, fed);
      if (*action % 4 == 2 && fed.NextTimeout() <= now_) fed.HandleTimeout(now_);
      if (*action % 4 == 3) Mutate(other, fed, *bytes);
      if (*action == 200) fed.Send(now_, *bytes);
      while (fed.PollTransmit()) {
      }
      while (fed.PollEvent()) {
      }
    }
  }

 private:
  void Exchange(Transport& from, Transport& to) {
    while (const auto datagram = from.PollTransmit()) to.HandlePacket(now_, *datagram);
    while (from.PollEvent()) {
    }
  }
  // A genuine datagram with the input laid over it.
  void Mutate(Transport& from, Transport& to, ByteView pattern) {
    auto datagram = from.PollTransmit();
    if (!datagram) return;
    for (std::size_t i = 0; i < pattern.size() && i < datagram->size(); ++i) {
      (*datagram)[i] ^= pattern[i];
    }
    to.HandlePacket(now_, *datagram);
  }

  bool fed_is_server_;
  Rng rng_;
  Timestamp now_;
  std::unique_ptr<Transport> client_, server_;
};

}  // namespace
}  // namespace rtclab::dtls

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  rtclab::ByteReader input({data, size});
  const auto choice = input.ReadU8();
  if (!choice) return 0;
  rtclab::dtls::Harness(*choice).Run(input);
  return 0;
}
