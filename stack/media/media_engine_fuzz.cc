// An engine in a call is given arbitrary RTP and RTCP: each chunk is two bytes of length and kind,
// then the packet. Packets of the right SSRC and payload type get as deep as the decoder.
#include <cstddef>
#include <cstdint>

#include "stack/media/test_util.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  using namespace rtclab;         // NOLINT
  using namespace rtclab::media;  // NOLINT
  Rng rng(1);
  Engine engine(testing::CallEngine(), rng);
  Timestamp now = Timestamp::Seconds(1);
  auto video = testing::VideoStream(0x56565656);
  video.fec.kind = FecKind::kUlpfec;
  video.fec.payload_type = 116;
  video.fec.red_payload_type = 115;
  const auto audio = testing::AudioStream(0x41414141);
  engine.SetReceiveStreams(now,
                           {testing::ReceiverOf(audio, true), testing::ReceiverOf(video, true)});
  engine.SetSendStreams(now, {audio, video});
  engine.SetNetworkAvailable(now, true);
  ByteReader reader({data, size});
  while (reader.remaining() > 2) {
    const uint8_t kind = *reader.ReadU8();
    const std::size_t length = std::min<std::size_t>(*reader.ReadU8() * 5, reader.remaining());
    const auto packet = reader.ReadBytes(length);
    if ((kind & 1) != 0) {
      engine.HandleRtcp(now, *packet);
    } else {
      engine.HandleRtp(now, *packet, static_cast<uint8_t>(kind >> 6));
    }
    now += TimeDelta::Millis(kind >> 1 & 0x1f);
    for (int i = 0; i < 20 && engine.NextTimeout() <= now; ++i) engine.HandleTimeout(now);
    while (engine.PollTransmit()) {
    }
    while (engine.PollEvent()) {
    }
  }
  engine.stats(now);
  engine.SampleSeries(now);
  return 0;
}
