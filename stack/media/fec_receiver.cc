#include "stack/media/fec_receiver.h"

#include <algorithm>
#include <array>

namespace rtclab::media {

FecReceiver::FecReceiver(const FecConfig& config, const ExtensionIds& extensions,
                         uint32_t media_ssrc)
    : extensions_(extensions) {
  if (config.kind == FecKind::kUlpfec) {
    ulpfec_.emplace(media_ssrc, config.red_payload_type, config.payload_type);
  } else if (config.kind == FecKind::kFlexfec) {
    const std::array<uint32_t, 1> ssrcs = {media_ssrc};
    flexfec_.emplace(ssrcs);
  }
}

// Times and transport-wide numbers are stamped when a packet leaves, after FEC was made of it; both
// ends protect the packet with zeros there (as deployed).
Bytes FecReceiver::WithoutStamps(const rtp::PacketView& packet) const {
  Bytes copy(packet.bytes().begin(), packet.bytes().end());
  for (const uint8_t id : {extensions_.abs_send_time, extensions_.transport_cc}) {
    if (id == 0) continue;
    const auto value = rtp::MutableExtension(copy, id);
    std::fill(value.begin(), value.end(), uint8_t{0});
  }
  return copy;
}

std::optional<Bytes> FecReceiver::OnMedia(const rtp::PacketView& packet) {
  Bytes plain = WithoutStamps(packet);
  if (ulpfec_) {
    auto media = ulpfec_->HandlePacket(plain);
    return media ? std::move(*media) : std::nullopt;
  }
  if (flexfec_) flexfec_->HandleMedia(plain);
  return plain;
}

void FecReceiver::OnRepair(const rtp::PacketView& packet) {
  // What is malformed repairs nothing.
  if (flexfec_) static_cast<void>(flexfec_->HandleRepair(packet));
}

std::optional<Bytes> FecReceiver::PollRecovered() {
  if (ulpfec_) return ulpfec_->PollRecovered();
  if (flexfec_) return flexfec_->PollRecovered();
  return std::nullopt;
}

}  // namespace rtclab::media
