// Anything as a description and anything as packets: a connection takes it, refuses it, and stays whole.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stack/base/sans_io.h"
#include "stack/peer/peer_connection.h"

namespace rtclab::peer {
namespace {

const dtls::Certificate& FuzzCertificate() {
  static const auto* certificate = [] {
    Rng rng(1);
    return new dtls::Certificate(dtls::Certificate::Generate(rng, Timestamp::Zero()));
  }();
  return *certificate;
}

void DrainAndBind(PeerConnection& pc, Timestamp now) {
  Drain(
      pc, [](Transmit&&) {},
      [&](PeerEvent&& event) {
        const auto* wanted = std::get_if<SocketsWanted>(&event);
        if (wanted == nullptr) return;
        const TransportAddress host{IpAddress::V4(10, 0, 0, 1),
                                    static_cast<uint16_t>(5000 + wanted->transport)};
        pc.AddSockets(now, wanted->transport, {&host, 1});
      });
}

void FuzzPeer(ByteView data) {
  Rng rng(1);
  PeerConfig config;
  config.certificate = FuzzCertificate();
  PeerConnection pc(config, rng, Timestamp::Zero());
  Timestamp now;
  if (data.empty()) return;
  const uint8_t mode = data[0];
  data = data.subspan(1);
  if (mode & 1) (void)pc.AddTrack(now, MediaTrack::Audio("a"));
  if (mode & 2) (void)pc.AddTrack(now, MediaTrack::Video("v"));
  if (mode & 4) (void)pc.CreateDataChannel(now, {.label = "d"});
  if (mode & 8) (void)pc.SetLocalDescription(now);
  // The parts of the input are parted by a byte that no description has: descriptions first, then packets.
  bool descriptions = true;
  while (!data.empty()) {
    std::size_t size = 0;
    while (size < data.size() && data[size] != 0xff) ++size;
    const ByteView part = data.first(size);
    data = data.subspan(std::min(size + 1, data.size()));
    if (part.empty()) {
      descriptions = false;
      continue;
    }
    if (!descriptions) {
      const TransportAddress from{IpAddress::V4(10, 0, 0, 2), 6000};
      pc.HandlePacket(now, {from, {IpAddress::V4(10, 0, 0, 1), 5001}, part});
    } else if (AsString(part).starts_with("candidate:")) {
      (void)pc.AddIceCandidate(now, {.candidate = std::string(AsString(part)), .sdp_mid = "0"});
    } else {
      const SdpType type = pc.signaling_state() == SignalingState::kHaveLocalOffer && (mode & 16)
                               ? SdpType::kAnswer
                               : SdpType::kOffer;
      (void)pc.SetRemoteDescription(now, {type, std::string(AsString(part))});
      if (pc.signaling_state() == SignalingState::kHaveRemoteOffer)
        (void)pc.SetLocalDescription(now);
    }
    DrainAndBind(pc, now);
    now += TimeDelta::Millis(100);
    pc.HandleTimeout(now);
    DrainAndBind(pc, now);
  }
  (void)pc.GetStats(now);
  pc.Close(now);
  DrainAndBind(pc, now);
}

}  // namespace
}  // namespace rtclab::peer

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  rtclab::peer::FuzzPeer({data, size});
  return 0;
}
