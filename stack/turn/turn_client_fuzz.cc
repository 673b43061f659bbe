// Feeds a TURN client with datagrams of its server. Each input is a list: two bytes of length, then the datagram. The transaction id of
// the client's last request is written into whatever looks like a response, so that answers are reached.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "stack/base/rng.h"
#include "stack/base/sans_io.h"
#include "stack/turn/client.h"

namespace rtclab::turn {
namespace {

const TransportAddress kPeer{IpAddress::V4(203, 0, 113, 5), 7000};

class Harness {
 public:
  Harness() : rng_(1), client_(Config(), rng_) {
    client_.Allocate(now_);
    Collect();
  }

  void Run(ByteReader input) {
    while (const auto length = input.ReadU16()) {
      const auto payload = input.ReadBytes(std::min<std::size_t>(*length, input.remaining()));
      Bytes message(payload->begin(), payload->end());
      const bool response = message.size() >= 20 && (message[0] & 0xC1) == 0x01;
      if (response && last_.size() >= 20) std::copy_n(last_.begin() + 8, 12, message.begin() + 8);
      client_.HandlePacket(now_, {client_.server(), client_.config().local, message});
      Collect();
      if (client_.state() == Client::State::kAllocated && !bound_) {
        bound_ = true;
        client_.BindChannel(now_, kPeer);
        Collect();
      }
      now_ += TimeDelta::Seconds(1);
      client_.HandleTimeout(now_);
      Collect();
    }
  }

 private:
  static ClientConfig Config() {
    ClientConfig config;
    config.local = {IpAddress::V4(192, 0, 2, 10), 4000};
    config.server = {IpAddress::V4(198, 51, 100, 1), 3478};
    config.username = "alice";
    config.password = "wonderland";
    config.dual = true;
    return config;
  }
  void Collect() {
    Drain(
        client_, [this](Transmit&& t) { last_ = std::move(t.payload); }, [](ClientEvent&&) {});
  }

  Rng rng_;
  Client client_;
  Timestamp now_ = Timestamp::Seconds(1);
  Bytes last_;
  bool bound_ = false;
};

}  // namespace
}  // namespace rtclab::turn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  rtclab::turn::Harness().Run(rtclab::ByteReader({data, size}));
  return 0;
}
