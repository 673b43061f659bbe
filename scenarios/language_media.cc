#include <algorithm>
#include <iterator>

#include "scenarios/language_builder.h"

namespace rtclab::scenarios {

const Type* LanguageBuilder::Media() {
  const Type* audio =
      Choice("true, false or an object", "audio",
             {bool_, Object("audio options", "audio-options",
                            {{"rate", rate_, "Of the encoder. Default: 32 kbit/s."},
                             {"dtx", bool_, "Pauses between talk spurts. Default: false."}})});
  const Type* video = Choice(
      "true, false or an object", "video",
      {bool_, Object("video options", "video-options",
                     {{"streams", Integer(1, 8), "Video tracks of each sender. Default: 1."},
                      {"layers", Integer(1, 3),
                       "Simulcast encodings of a track of the first host, which offers (RFC 8853). "
                       "Default: 1."},
                      {"fps", Integer(1, 120), "Frames a second of the source. Default: 30."},
                      {"content", Enum("kind of picture", kVideoContentNames),
                       "screen: still, until it changes all at once. Default: camera."},
                      {"source", Enum("video model", kVideoSourceNames),
                       "RFC 8593 sections 5 to 7. Default: statistical."},
                      {"trace", List(text_, 1, 10'000, "a list of lines"),
                       "trace and hybrid: lines \"fps N\", \"skip N\" and, for each rate that was "
                       "recorded, \"rate KBPS SIZE SIZE ...\" with the frames' bytes (RFC 8593 "
                       "section 6.1)."}})});
  return Choice(
      "true or an object", "media",
      {bool_, Object("media", "media-options",
                     {{"audio", audio, "Opus. Default: true."},
                      {"video", video, "VP8. Default: true."},
                      {"from", names_, "The hosts that send. Default: both."},
                      {"min_rate", rate_, "Of everything that a host sends. Default: 100 kbit/s."},
                      {"start_rate", rate_, "Where the controller begins. Default: 300 kbit/s."},
                      {"max_rate", rate_, "Of everything that a host sends. Default: 2500 kbit/s."},
                      {"fec", Enum("FEC scheme", kFecNames),
                       "ulpfec: RFC 5109 in RED; flexfec: RFC 8627. Default: none."},
                      {"nack", bool_, "Retransmission (RFC 4585, RFC 4588). Default: true."},
                      {"encrypted_extensions", bool_,
                       "RTP header extensions are encrypted (RFC 6904). Default: false."},
                      {"feedback", Enum("feedback format", kFeedbackNames),
                       "ccfb: RFC 8888. Default: transport-cc."},
                      {"duration", long_duration_,
                       "How long media flows once both hosts are connected. Default: 10 s."}})});
}

const Type* LanguageBuilder::Data() {
  const Type* channel =
      Object("a data channel", "data-channel",
             {{"label", text_, "Default: \"data\", with a number if there are several."},
              {"from", names_, "The hosts that send. Default: the first one of the session."},
              {"amount", size_, "What each sender sends. Default: nothing."},
              {"message_size", size_, "Default: 16 KiB."},
              {"rate", rate_, "No faster than this. Default: as fast as it goes."},
              {"start", duration_, "After the channel's opening. Default: 0 s."},
              {"ordered", bool_, "Default: true."},
              {"max_retransmits", Integer(0, 65'535), "Partial reliability (RFC 3758, RFC 8832)."},
              {"max_lifetime", duration_, "Partial reliability; not with max_retransmits."},
              {"priority", Integer(1, 65'535), "RFC 8831 section 6.4. Default: 256."}});
  return Choice("true, a data channel or a list of them", "data",
                {bool_, channel, List(channel, 1, 100, "a list of data channels")});
}

const Type* LanguageBuilder::Dtls() {
  return Object("DTLS options", "dtls",
                {{"srtp_profiles",
                  List(Enum("SRTP profile", kSrtpProfileNames), 1, 3, "a list of SRTP profiles"),
                  "By preference (RFC 5764, RFC 7714). Default: all, GCM first."},
                 {"wrong_fingerprint", bool_,
                  "The second host describes another certificate than it has. Default: false."}});
}

const Type* LanguageBuilder::Flow() {
  return Object(
      "background traffic", "flow",
      {{"description", text_, "For the reader."},
       {"type", Enum("kind of traffic", kFlowNames), "tcp is ns-3's own TCP.", true},
       {"from", name_, "The sending host.", true},
       {"to", name_, "The receiving host.", true},
       {"start", duration_, "After the run's start. Default: 0 s."},
       {"stop", duration_, "After the run's start. Default: the end of the run."},
       {"rate", rate_, "udp: its constant rate."},
       {"amount", size_, "tcp: of the transfer. Default: as long as it runs."},
       {"files", List(size_, 2, 2, "the least and the greatest size"),
        "tcp: one file after another, of a size between these, uniformly distributed."},
       {"idle", duration_,
        "tcp with files: the mean pause between them, exponentially distributed. Default: 0 s."},
       {"starts_idle", bool_, "tcp with files: begins with a pause. Default: false."}});
}

// What the time series says of a stretch of a session.
const Type* LanguageBuilder::Window() {
  const Type* time = Check(duration_, "a duration", true);
  const Type* rate = Check(rate_, "a rate", true);
  const Type* share = Check(share_, "a percentage", true);
  return Object(
      "expectations of a stretch of time", "window",
      {{"because", text_, "The reasoning, with its source."},
       {"from", duration_, "Since the session's start.", true},
       {"to", duration_, "Since the session's start.", true},
       {"sender", name_, "Whose media. Default: the first host of the session."},
       {"throughput", rate, "Mean rate at which media, whole packets, and data, payload, arrived."},
       {"send_rate", rate, "Mean rate at which both were sent."},
       {"utilisation", share,
        "Throughput as a share of what the narrowest link on the way carries meanwhile."},
       {"total_throughput", rate, "Of the media of all sessions in this direction together."},
       {"total_utilisation", share, "The same as a share of this session's narrowest link."},
       {"fairness", share,
        "Jain's index of the sessions' throughput in this direction: 100 % where all have the "
        "same."},
       {"queue_delay_p50", time, "Of the packets' delay beyond the path's least, median."},
       {"queue_delay_p95", time, "95th percentile."},
       {"queue_delay_p99", time, "99th percentile."},
       {"rtt_p95", time, "95th percentile of the round-trip time."},
       {"loss", share, "Packets that did not arrive."},
       {"freeze_time", time, "Frozen video."},
       {"frames", Check(Integer(0, INT64_MAX), "a count", true), "Video frames rendered."},
       {"recovery_time", time,
        "From the stretch's start until throughput, over one second, first reaches recovery_to."},
       {"recovery_to", share_, "Of what the narrowest link carries. Default: 80 %."}});
}

std::vector<Field> LanguageBuilder::MediaExpectations() {
  const Type* time = Check(duration_, "a duration", true);
  const Type* rate = Check(rate_, "a rate", true);
  const Type* share = Check(share_, "a percentage", true);
  const Type* count = Check(Integer(0, INT64_MAX), "a count", true);
  return {
      {"failure", Check(text_, "a reason", false),
       "Why the peer connection failed: its stable name, such as dtls-fingerprint-mismatch."},
      {"dtls_connected", time, "Both ends, from the session's start."},
      {"data_channel_open", time, "Every channel at both ends, from the session's start."},
      {"first_media", time, "The first frame of every stream shown, from the session's start."},
      {"srtp_profile", Check(Enum("SRTP profile", kSrtpProfileNames), "an SRTP profile", false),
       "Negotiated by DTLS."},
      {"media_throughput", rate, "Of all media that arrived, while it flowed."},
      {"queue_delay_p50", time, "Of every sender's packets, median, worst sender."},
      {"queue_delay_p95", time, "95th percentile, worst sender."},
      {"queue_delay_p99", time, "99th percentile, worst sender."},
      {"freeze_time", time, "Of the stream that froze longest."},
      {"frames_delivered", share, "Of the frames that were sent, worst stream."},
      {"frames_corrupt", count, "Frames whose content differs from what was sent."},
      {"messages_intact", bool_, "Every data channel delivered what its kind promises, by digest."},
      {"data_throughput", rate, "Of the slowest transfer."},
      {"transfer_time", time, "From the first message to the last delivered, slowest transfer."},
      {"messages_delivered", share, "Of the messages sent, worst channel."},
      {"windows", List(window_, 1, 100, "a list of stretches of time"),
       "What holds in stretches of the session."}};
}

bool IsPeerExpectation(std::string_view key) {
  static constexpr std::string_view kKeys[] = {
      "failure",         "dtls_connected",   "data_channel_open", "first_media",
      "srtp_profile",    "media_throughput", "queue_delay_p50",   "queue_delay_p95",
      "queue_delay_p99", "freeze_time",      "frames_delivered",  "frames_corrupt",
      "messages_intact", "data_throughput",  "transfer_time",     "messages_delivered",
      "windows"};
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

}  // namespace rtclab::scenarios
