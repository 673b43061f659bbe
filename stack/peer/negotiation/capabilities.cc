#include "stack/peer/negotiation/capabilities.h"

namespace rtclab::peer {
namespace {

sdp::Codec MakeCodec(uint8_t payload_type, std::string_view name, uint32_t clock_rate,
                     int channels = 1, std::string_view fmtp = "") {
  sdp::Codec codec;
  codec.payload_type = payload_type;
  codec.name = name;
  codec.clock_rate = clock_rate;
  codec.channels = channels;
  codec.fmtp = fmtp;
  return codec;
}

void AddCongestionFeedback(sdp::Codec& codec, const CapabilityOptions& options) {
  if (options.transport_cc) codec.feedback.push_back({"transport-cc", ""});
  if (options.ccfb) codec.feedback.push_back({"ack", "ccfb"});
}

}  // namespace

Capabilities DefaultCapabilities(const CapabilityOptions& options) {
  Capabilities all;
  sdp::Codec opus = MakeCodec(111, "opus", 48'000, 2, "minptime=10;useinbandfec=1");
  AddCongestionFeedback(opus, options);
  if (options.audio_nack) opus.feedback.push_back({"nack", ""});
  all.audio.codecs.push_back({opus, std::nullopt});

  sdp::Codec vp8 = MakeCodec(96, "VP8", 90'000);
  if (options.remb) vp8.feedback.push_back({"goog-remb", ""});
  AddCongestionFeedback(vp8, options);
  vp8.feedback.push_back({"ccm", "fir"});
  if (options.nack) vp8.feedback.push_back({"nack", ""});
  vp8.feedback.push_back({"nack", "pli"});
  const auto rtx = [&options](uint8_t payload_type) {
    return options.nack ? std::optional<uint8_t>(payload_type) : std::nullopt;
  };
  all.video.codecs.push_back({vp8, rtx(97)});
  if (options.ulpfec) {
    all.video.codecs.push_back({MakeCodec(98, "red", 90'000), rtx(99)});
    all.video.codecs.push_back({MakeCodec(100, "ulpfec", 90'000), std::nullopt});
  }
  if (options.flexfec) {
    // RFC 8627 section 5.1.1: repair-window in microseconds is required.
    sdp::Codec flexfec = MakeCodec(101, "flexfec", 90'000, 1, "repair-window=10000000");
    if (options.transport_cc) flexfec.feedback.push_back({"transport-cc", ""});
    all.video.codecs.push_back({flexfec, std::nullopt});
  }

  const auto id = [](std::string_view uri, uint8_t number) {
    return ExtensionCapability{std::string(uri), number};
  };
  all.audio.extensions = {id(kUriAudioLevel, 1), id(kUriAbsSendTime, 2), id(kUriTransportCc, 3),
                          id(kUriMid, 4)};
  all.video.extensions = {id(kUriAbsSendTime, 2), id(kUriTransportCc, 3), id(kUriMid, 4),
                          id(kUriRid, 5), id(kUriRepairedRid, 6)};
  all.encrypted_extensions = options.encrypted_extensions;
  return all;
}

}  // namespace rtclab::peer
