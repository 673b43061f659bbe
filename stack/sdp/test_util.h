// What the tests of this room share.
#ifndef RTCLAB_STACK_SDP_TEST_UTIL_H_
#define RTCLAB_STACK_SDP_TEST_UTIL_H_

#include <array>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "stack/base/check.h"

namespace rtclab::sdp {

// The text of fixtures/<name>.sdp as it was captured.
inline std::string ReadFixture(std::string_view name) {
  const std::string path = std::string(RTCLAB_SDP_FIXTURES "/").append(name).append(".sdp");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  CHECK(file != nullptr);
  std::string text;
  std::array<char, 4096> buffer;
  while (const std::size_t read = std::fread(buffer.data(), 1, buffer.size(), file.get()))
    text.append(buffer.data(), read);
  return text;
}

// The lines, each with CRLF.
inline std::string Lines(std::initializer_list<std::string_view> lines) {
  std::string text;
  for (const std::string_view line : lines) text.append(line).append("\r\n");
  return text;
}

// Every kind of line and attribute at least once, in the order of RFC 8866 section 9.
inline std::string EverythingDescription() {
  return Lines({
      "v=0",
      "o=jdoe 3724394400 3724394405 IN IP6 2001:db8::1",
      "s=Call to John Smith",
      "i=SDP Offer #1",
      "u=http://www.jdoe.example.com/home.html",
      "e=Jane Doe <jane@jdoe.example.com>",
      "e=john@example.com",
      "p=+1 617 555-6011",
      "c=IN IP4 233.252.0.1/127/3",
      "b=AS:128",
      "b=X-YZ:64",
      "t=3724394400 3724398000",
      "r=604800 3600 0 90000",
      "r=7d 1h 0 25h",
      "z=3730928400 -1h 3749680800 0",
      "t=0 0",
      "k=clear:secret",
      "a=group:BUNDLE a b",
      "a=group:LS a b",
      "a=ice-lite",
      "a=ice-options:trickle ice2",
      "a=ice-pacing:20",
      "a=msid-semantic: WMS stream",
      "a=tls-id:abc3de65cddef001be82",
      "a=tool:rtclab",
      "a=sendonly",
      "m=audio 49180/2 UDP/TLS/RTP/SAVPF 0 111",
      "i=microphone",
      "c=IN IP4 192.0.2.1",
      "c=IN IP6 ff00::1/3",
      "b=TIAS:64000",
      "k=prompt",
      "a=mid:a",
      "a=rtcp:53020 IN IP6 2001:db8::2",
      "a=rtcp-mux",
      "a=rtcp-mux-only",
      "a=rtcp-rsize",
      "a=ice-ufrag:8hhY",
      "a=ice-pwd:asd88fgpdd777uzjYhagZg",
      "a=ice-mismatch",
      "a=candidate:1 1 UDP 2130706431 203.0.113.1 8998 typ host",
      "a=candidate:2 1 tcp 1 a.local 9 typ host tcptype active x",
      "a=end-of-candidates",
      "a=remote-candidates:1 192.0.2.3 45664 2 192.0.2.3 45665",
      "a=fingerprint:sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB",
      "a=setup:holdconn",
      "a=connection:existing",
      "a=extmap-allow-mixed",
      "a=extmap:1/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on",
      "a=rtpmap:111 opus/48000/2",
      "a=fmtp:111 minptime=10;useinbandfec=1",
      "a=rtcp-fb:* nack",
      "a=rtcp-fb:111 trr-int 100",
      "a=rtcp-fb:111 transport-cc ",
      "a=ptime:20",
      "a=maxptime:62.5",
      "a=msid:stream track",
      "a=inactive",
      "a=ssrc:4294967295 cname:user@example.com",
      "a=ssrc:1 paused",
      "a=ssrc-group:FID 4294967295 1",
      "m=video 0 UDP/TLS/RTP/SAVPF 97 98",
      "a=mid:b",
      "a=bundle-only",
      "a=recvonly",
      "a=rtpmap:97 VP8/90000",
      "a=rtpmap:98 rtx/90000",
      "a=fmtp:98 apt=97;rtx-time=3000",
      "a=rid:1 send pt=97,98;max-width=1280;max-height=720;max-fps",
      "a=rid:2 recv max-br=200000;depend=1",
      "a=simulcast:recv 2 send 1,~3;4",
      "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
      "a=sctp-port:5000",
      "a=max-message-size:262144",
      "a=sctpmap:5000 webrtc-datachannel 1024",
      "a=sendrecv",
      "a=setup:actpass",
  });
}

}  // namespace rtclab::sdp

#endif  // RTCLAB_STACK_SDP_TEST_UTIL_H_
