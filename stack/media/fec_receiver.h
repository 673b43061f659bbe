// FEC of either kind on the receiving side: what comes in, what it brings back.
#ifndef RTCLAB_STACK_MEDIA_FEC_RECEIVER_H_
#define RTCLAB_STACK_MEDIA_FEC_RECEIVER_H_

#include <cstdint>
#include <optional>

#include "stack/base/bytes.h"
#include "stack/media/config.h"
#include "stack/rtp/flexfec.h"
#include "stack/rtp/ulpfec.h"

namespace rtclab::media {

class FecReceiver {
 public:
  FecReceiver(const FecConfig& config, const ExtensionIds& extensions, uint32_t media_ssrc);

  // A packet of the media stream. Returns the media packet in it: with ULPFEC what RED holds;
  // nullopt if that is FEC or is malformed.
  std::optional<Bytes> OnMedia(const rtp::PacketView& packet);
  // A packet of the FlexFEC stream.
  void OnRepair(const rtp::PacketView& packet);
  std::optional<Bytes> PollRecovered();

 private:
  Bytes WithoutStamps(const rtp::PacketView& packet) const;

  const ExtensionIds extensions_;
  std::optional<rtp::UlpfecReceiver> ulpfec_;
  std::optional<rtp::FlexfecReceiver> flexfec_;
};

}  // namespace rtclab::media

#endif  // RTCLAB_STACK_MEDIA_FEC_RECEIVER_H_
