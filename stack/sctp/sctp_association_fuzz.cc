// An established association gets chunks of the fuzzer's, with the right tag and checksum, between calls of its
// user and the packets of an honest peer. The first byte chooses the extensions; then each step is a byte: what
// to do, and what it needs.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/sctp/association.h"
#include "stack/sctp/packet.h"

namespace rtclab::sctp {
namespace {

class Harness {
 public:
  explicit Harness(uint8_t options)
      : rng_(1), a_(Config(options), rng_), z_(Config(options), rng_) {
    if ((options & 0x10) == 0) {  // else the chunks meet an association that is not set up
      a_.Connect(now_);
      Exchange(true);
    }
  }

  void Run(ByteReader input) {
    for (int steps = 0; steps < 200; ++steps) {
      const auto what = input.ReadU8();
      if (!what) return;
      Step(*what, input);
      // The fuzzer's packets may end a_; nothing may make it grow without end.
      Exchange((*what & 0x80) != 0);
    }
  }

 private:
  static AssociationConfig Config(uint8_t options) {
    AssociationConfig config;
    config.interleaving = (options & 1) != 0;
    config.partial_reliability = (options & 2) != 0;
    config.zero_checksum = (options & 4) != 0;
    config.receive_window = DataSize::Bytes((options & 8) != 0 ? 2000 : 100'000);
    config.max_receive_message_size = 50'000;
    return config;
  }

  void Step(uint8_t what, ByteReader& input) {
    switch (what & 7) {
      case 0:
      case 1:
      case 2: {  // a chunk or more, as they are
        const auto length = input.ReadU8();
        if (!length) return;
        const auto chunks = input.ReadBytes(std::min<std::size_t>(*length, input.remaining()));
        Bytes packet = BeginPacket({5000, 5000, tag_}, 512);
        packet.insert(packet.end(), chunks->begin(), chunks->end());
        // TSNs of the fuzzer are relative to what is expected, or nothing would ever be taken.
        const uint8_t type = packet.size() > 12 ? packet[12] : 0;
        const bool has_tsn = type == 0 || type == 64 || type == 192 || type == 194 || type == 3;
        if (has_tsn && packet.size() >= 20) {
          const uint32_t base = type == 3 ? a_tsn_ : z_tsn_;
          StoreU32(packet.data() + 16, base + LoadU32(packet.data() + 16));
        }
        WriteChecksum(packet);
        a_.HandlePacket(now_, packet);
        return;
      }
      case 3:
        now_ += TimeDelta::Millis(int64_t{1} << (what >> 3 & 15));
        a_.HandleTimeout(now_);
        z_.HandleTimeout(now_);
        return;
      case 4: {
        SendOptions options{.ordered = (what & 8) != 0};
        if ((what & 16) != 0) options.max_retransmits = 0;
        static_cast<void>(a_.Send(now_, StreamId{static_cast<uint16_t>(what >> 5 & 1)}, 51,
                                  Bytes((what & 32) != 0 ? 5000 : 10), options));
        return;
      }
      case 5: {
        const StreamId streams[] = {StreamId{static_cast<uint16_t>(what >> 3 & 1)}};
        (what & 16) != 0 ? a_.RequestIncomingReset(now_, streams) : a_.ResetStreams(now_, streams);
        return;
      }
      case 6:
        static_cast<void>(z_.Send(now_, StreamId{0}, 51, Bytes(what >= 64 ? 3000 : 10)));
        return;
      default:
        (what & 8) != 0 ? a_.Shutdown(now_) : a_.SetMtu(now_, 256 + 8 * (what >> 4));
        return;
    }
  }

  // `heard`: what a sends reaches z.
  void Exchange(bool heard) {
    for (int rounds = 0; rounds < 1000; ++rounds) {
      bool more = false;
      while (auto packet = a_.PollTransmit()) {
        more = true;
        CHECK(packet->size() >= 16);
        if (HasInit(*packet)) a_tsn_ = LoadU32(packet->data() + 28);
        if (heard) z_.HandlePacket(now_, *packet);
      }
      while (auto packet = z_.PollTransmit()) {
        more = true;
        if (HasInit(*packet)) z_tsn_ = LoadU32(packet->data() + 28);
        tag_ = LoadU32(packet->data() + 4);
        a_.HandlePacket(now_, *packet);
      }
      while (a_.PollEvent()) more = true;
      while (z_.PollEvent()) more = true;
      if (!more) return;
    }
    CHECK(false);  // they talk for ever
  }
  static bool HasInit(const Bytes& packet) {
    return packet.size() >= 32 && (packet[12] == 1 || packet[12] == 2);
  }

  Rng rng_;
  Timestamp now_;
  Association a_;
  Association z_;
  uint32_t tag_ = 0;
  uint32_t a_tsn_ = 0;
  uint32_t z_tsn_ = 0;
};

}  // namespace
}  // namespace rtclab::sctp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  rtclab::sctp::Harness(data[0]).Run(rtclab::ByteReader({data + 1, size - 1}));
  return 0;
}
