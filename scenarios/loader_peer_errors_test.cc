// Bad input about media, data, actions, background traffic and their expectations: each gets one message that names the
// place, what was expected and the nearest valid name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/test_util.h"

namespace rtclab::scenarios {
namespace {

struct BadPeerFile {
  const char* name;
  std::string text;
  const char* place;    // what the message starts with, after "t.json"
  const char* message;  // a part of the rest
};

std::string InScenario(const std::string& rest) {
  return R"({"hosts": {"a": "internet", "b": "internet"}, )" + rest + "}";
}
std::string InSession(const std::string& rest) {
  return InScenario(R"("sessions": {"s": {"between": ["a", "b"], )" + rest + "}}");
}
std::string InMedia(const std::string& rest) { return InSession(R"("media": {)" + rest + "}"); }
std::string InData(const std::string& rest) { return InSession(R"("data": {)" + rest + "}"); }
std::string InAction(const std::string& session, const std::string& rest) {
  return InSession(session + R"(, "actions": [{"at": "1 s", )" + rest + "}]");
}
std::string InFlow(const std::string& rest) {
  return InScenario(R"("flows": {"f": {)" + rest + "}}");
}
std::string InExpect(const std::string& rest) {
  return InScenario(
      R"("sessions": {"s": {"between": ["a", "b"], "media": true}}, "expect": {"s": {)" + rest +
      "}}");
}
std::string InWindow(const std::string& rest) { return InExpect(R"("windows": [{)" + rest + "}]"); }

std::vector<BadPeerFile> MediaMistakes() {
  return {
      {"UnknownMediaKey", InMedia(R"("codec": "vp8")"),
       ":1:99: /sessions/s/media/codec: ", "unknown key \"codec\""},
      {"NothingIsSent", InMedia(R"("audio": false, "video": false)"),
       ":1:98: /sessions/s/media: ", "neither audio nor video"},
      {"AStrangerSends", InMedia(R"("from": ["c"])"),
       ":1:108: /sessions/s/media/from/0: ", "the host \"c\" is not in this session"},
      {"NobodySends", InMedia(R"("from": [])"), ":1:107: /sessions/s/media/from: ", "nobody sends"},
      {"RatesUpsideDown", InMedia(R"("min_rate": "2 Mbit/s", "max_rate": "1 Mbit/s")"),
       ":1:98: /sessions/s/media: ", "expected min_rate <= start_rate <= max_rate"},
      {"StartAboveTheLimit", InMedia(R"("start_rate": "3 Mbit/s")"),
       ":1:98: /sessions/s/media: ", "expected min_rate <= start_rate <= max_rate"},
      {"ZeroMediaRate", InMedia(R"("max_rate": "0 bit/s")"),
       ":1:111: /sessions/s/media/max_rate: ", "is zero"},
      {"UnknownFec", InMedia(R"("fec": "flex")"),
       ":1:106: /sessions/s/media/fec: ", "did you mean \"flexfec\"?"},
      {"UnknownFeedback", InMedia(R"("feedback": "twcc")"),
       ":1:111: /sessions/s/media/feedback: ", "transport-cc, ccfb"},
      {"FourLayers", InMedia(R"("video": {"layers": 4})"),
       ":1:119: /sessions/s/media/video/layers: ", "expected 1 to 3"},
      {"NoFrames", InMedia(R"("video": {"fps": 0})"),
       ":1:116: /sessions/s/media/video/fps: ", "expected 1 to 120"},
      {"TraceSourceWithoutATrace", InMedia(R"("video": {"source": "trace"})"),
       ":1:108: /sessions/s/media/video: ", "the source \"trace\" needs a \"trace\""},
      {"TraceWithoutItsSource", InMedia(R"("video": {"trace": ["fps 30"]})"),
       ":1:118: /sessions/s/media/video/trace: ", "is for the sources trace and hybrid"},
      {"LineThatIsNoTrace",
       InMedia(R"("video": {"source": "trace", "trace": ["fps 30", "rates 5"]})"),
       ":1:148: /sessions/s/media/video/trace/1: ", "rate"},
      {"UnknownVideoSource", InMedia(R"("video": {"source": "file"})"),
       ":1:119: /sessions/s/media/video/source: ", "statistical, trace, hybrid"},
      {"NoVideoStreams", InMedia(R"("video": {"streams": 0})"),
       ":1:120: /sessions/s/media/video/streams: ", "expected 1 to 8"},
      {"MediaIsNoText", InSession(R"("media": "video")"),
       ":1:98: /sessions/s/media: ", "true or an object"},
      {"ControllerWithoutMedia", InSession(R"("controller": "gcc")"),
       ":1:89: /sessions/s/controller: ",
       "\"controller\" is for a session with \"media\" or \"data\""},
      {"DtlsWithoutMedia", InSession(R"("dtls": {})"),
       ":1:89: /sessions/s/dtls: ", "\"dtls\" is for a session with \"media\" or \"data\""},
      {"SamplesWithoutMedia", InSession(R"("media": false, "sample_interval": "1 s")"),
       ":1:105: /sessions/s/sample_interval: ", "\"sample_interval\" is for a session"},
      {"UnknownController", InSession(R"("media": true, "controller": "bbr")"),
       ":1:118: /sessions/s/controller: ", "gcc, nada, scream, none"},
      {"ControllerOfAStranger", InSession(R"("media": true, "controller": {"c": "gcc"})"),
       ":1:119: /sessions/s/controller/c: ", "the host \"c\" is not in this session"},
      {"UnknownSrtpProfile", InSession(R"("media": true, "dtls": {"srtp_profiles": ["AES"]})"),
       ":1:131: /sessions/s/dtls/srtp_profiles/0: ", "SRTP_AEAD_AES_128_GCM"},
      {"NoSrtpProfile", InSession(R"("media": true, "dtls": {"srtp_profiles": []})"),
       ":1:130: /sessions/s/dtls/srtp_profiles: ", "1 to 3 entries"},
      {"SamplesTooDense", InSession(R"("media": true, "sample_interval": "1 us")"),
       ":1:123: /sessions/s/sample_interval: ", "expected 1 ms to 60 s"},
      {"SamplesTooRare", InSession(R"("media": true, "sample_interval": "61 s")"),
       ":1:123: /sessions/s/sample_interval: ", "expected 1 ms to 60 s"},
  };
}

std::vector<BadPeerFile> DataMistakes() {
  return {
      {"TinyMessages", InData(R"("message_size": "15 B")"),
       ":1:114: /sessions/s/data/message_size: ", "expected 16 B to 16 MiB"},
      {"HugeMessages", InData(R"("message_size": "17 MiB")"),
       ":1:114: /sessions/s/data/message_size: ", "expected 16 B to 16 MiB"},
      {"TooMuchData", InData(R"("amount": "11 GB")"),
       ":1:108: /sessions/s/data/amount: ", "the largest value allowed, 10 GB"},
      {"TwoReliabilities", InData(R"("max_retransmits": 0, "max_lifetime": "1 s")"),
       ":1:97: /sessions/s/data: ", "exclude each other (RFC 8832 section 5.1)"},
      {"TwoChannelsOfOneName", InSession(R"("data": [{"label": "x"}, {"label": "x"}])"),
       ":1:114: /sessions/s/data/1: ", "a second data channel called \"x\""},
      {"ADefaultLabelIsTaken", InSession(R"("data": [{"label": "data-2"}, {}])"),
       ":1:119: /sessions/s/data/1: ", "a second data channel called \"data-2\""},
      {"NoChannels", InSession(R"("data": [])"), ":1:97: /sessions/s/data: ", "1 to 100 entries"},
      {"PriorityZero", InData(R"("priority": 0)"),
       ":1:110: /sessions/s/data/priority: ", "expected 1 to 65535"},
      {"DataFromAStranger", InData(R"("from": ["bb"])"),
       ":1:107: /sessions/s/data/from/0: ", "did you mean \"b\"?"},
  };
}

std::vector<BadPeerFile> ActionMistakes() {
  return {
      {"CloseWithoutPeers", InAction(R"("media": false)", R"("do": "close", "host": "a")"),
       ":1:137: /sessions/s/actions/0/do: ", "close needs a session with \"media\" or \"data\""},
      {"PauseWithoutMedia", InAction(R"("data": true)", R"("do": "media-pause", "host": "a")"),
       ":1:135: /sessions/s/actions/0/do: ", "media-pause needs a session with \"media\""},
      {"AddVideoWithoutMedia", InAction(R"("data": true)", R"("do": "add-video", "host": "a")"),
       ":1:135: /sessions/s/actions/0/do: ", "add-video needs a session with \"media\""},
      {"SendDataOfAPeer", InAction(R"("media": true)", R"("do": "send-data", "host": "a")"),
       ":1:136: /sessions/s/actions/0/do: ", "send-data is for sessions of ICE alone"},
      {"CloseOfAStranger", InAction(R"("media": true)", R"("do": "close", "host": "c")"),
       ":1:153: /sessions/s/actions/0/host: ", "the host \"c\" is not in this session"},
      {"SetLinkOfNothing", InAction(R"("media": true)", R"("do": "set-link", "rate": "1 Mbit/s")"),
       ":1:116: /sessions/s/actions/0: ", "set-link needs either a \"host\" or a \"network\""},
      {"SetLinkChangesNothing", InAction(R"("media": true)", R"("do": "set-link", "host": "a")"),
       ":1:116: /sessions/s/actions/0: ", "expected \"rate\", \"delay\" or \"loss\""},
      {"SetLinkToZero",
       InAction(R"("media": true)", R"("do": "set-link", "host": "a", "rate": "0 bit/s")"),
       ":1:169: /sessions/s/actions/0/rate: ", "is zero"},
      {"SetLinkTooLong",
       InAction(R"("media": true)", R"("do": "set-link", "host": "a", "delay": "61 s")"),
       ":1:170: /sessions/s/actions/0/delay: ", "is more than the 60 s that a link may take"},
      {"SetLinkSideways",
       InAction(R"("media": true)",
                R"("do": "set-link", "host": "a", "loss": "1 %", "direction": "in")"),
       ":1:189: /sessions/s/actions/0/direction: ", "up, down, both"},
      {"SetLinkOfAnUnknownNetwork",
       InAction(R"("media": true)", R"("do": "set-link", "network": "n", "loss": "1 %")"),
       ":1:159: /sessions/s/actions/0/network: ", "unknown network \"n\""},
      {"RateOfAnotherAction",
       InAction(R"("media": true)", R"("do": "close", "host": "a", "rate": "1 Mbit/s")"),
       ":1:158: /sessions/s/actions/0/rate: ", "\"rate\" is for set-link only"},
      {"QueueDelayWithoutARate",
       InScenario(R"("networks": {"n": {"link": {"queue_delay": "300 ms"}}})"),
       ":1:90: /networks/n/link/queue_delay: ", "\"queue_delay\" needs a \"rate\""},
      {"QueueDelayWithARateOfTheOtherDirection",
       InScenario(
           R"("networks": {"n": {"link": {"up": {"rate": "1 Mbit/s"}, "down": {"queue_delay": "1 s"}}}})"),
       ":1:127: /networks/n/link/down/queue_delay: ", "\"queue_delay\" needs a \"rate\""},
  };
}

std::vector<BadPeerFile> FlowMistakes() {
  return {
      {"FlowWithoutAType", InFlow(R"("from": "a", "to": "b")"),
       ":1:62: /flows/f: ", "lacks the key \"type\""},
      {"UnknownFlow", InFlow(R"("type": "quic", "from": "a", "to": "b")"),
       ":1:71: /flows/f/type: ", "tcp, udp"},
      {"FlowToAnUnknownHost", InFlow(R"("type": "tcp", "from": "a", "to": "bb")"),
       ":1:97: /flows/f/to: ", "unknown host \"bb\"; did you mean \"b\"?"},
      {"FlowToItself", InFlow(R"("type": "tcp", "from": "a", "to": "a")"),
       ":1:62: /flows/f: ", "from a host to itself"},
      {"FlowWithoutARate", InFlow(R"("type": "udp", "from": "a", "to": "b")"),
       ":1:62: /flows/f: ", "udp needs a \"rate\""},
      {"TcpWithARate", InFlow(R"("type": "tcp", "from": "a", "to": "b", "rate": "1 Mbit/s")"),
       ":1:102: /flows/f/rate: ", "TCP finds its own"},
      {"UdpWithFiles",
       InFlow(
           R"("type": "udp", "from": "a", "to": "b", "rate": "1 Mbit/s", "files": ["1 kB", "2 kB"])"),
       ":1:122: /flows/f/files: ", "\"files\" is for tcp"},
      {"IdleWithoutFiles", InFlow(R"("type": "tcp", "from": "a", "to": "b", "idle": "1 s")"),
       ":1:102: /flows/f/idle: ", "\"idle\" needs \"files\""},
      {"AmountAndFiles",
       InFlow(
           R"("type": "tcp", "from": "a", "to": "b", "amount": "1 MB", "files": ["1 kB", "2 kB"])"),
       ":1:102: /flows/f/amount: ", "\"amount\" and \"files\" exclude each other"},
      {"FilesUpsideDown",
       InFlow(R"("type": "tcp", "from": "a", "to": "b", "files": ["2 kB", "1 kB"])"),
       ":1:111: /flows/f/files: ", "the least size is more than the greatest"},
      {"ThreeFileSizes", InFlow(R"("type": "tcp", "from": "a", "to": "b", "files": ["2 kB"])"),
       ":1:111: /flows/f/files: ", "the least and the greatest size, found 1 entries"},
      {"FlowThatStopsEarly",
       InFlow(R"("type": "tcp", "from": "a", "to": "b", "start": "2 s", "stop": "2 s")"),
       ":1:62: /flows/f: ", "stops before it starts"},
      {"FlowAfterTheEnd", InFlow(R"("type": "tcp", "from": "a", "to": "b", "start": "60 s")"),
       ":1:111: /flows/f/start: ", "would start after the run's end, 60 s"},
      {"FlowWithoutAFamilyInCommon",
       R"({"hosts": {"a": "internet", "b": "internet", "c": {"network": "internet", "families": ["ipv6"]}}, "flows": {"f": {"type": "tcp", "from": "a", "to": "c"}}})",
       ":1:114: /flows/f: ", "\"a\" and \"c\" have no address family in common"},
  };
}

std::vector<BadPeerFile> ExpectationMistakes() {
  return {
      {"PeerExpectationOfIce", InScenario(R"("expect": {"call": {"first_media": {"max": "1 s"}}})"),
       ":1:67: /expect/call/first_media: ",
       "\"first_media\" needs a session with \"media\" or \"data\""},
      {"WindowsOfIce",
       InScenario(
           R"("expect": {"call": {"windows": [{"from": "0 s", "to": "1 s", "frames": 1}]}})"),
       ":1:67: /expect/call/windows: ", "\"windows\" needs a session with"},
      {"WindowWithoutAnEnd", InWindow(R"("from": "1 s", "frames": 1)"),
       ":1:135: /expect/s/windows/0: ", "lacks the key \"to\""},
      {"WindowUpsideDown", InWindow(R"("from": "2 s", "to": "1 s", "frames": 1)"),
       ":1:135: /expect/s/windows/0: ", "ends before it begins"},
      {"WindowAfterTheEnd", InWindow(R"("from": "2 s", "to": "61 s", "frames": 1)"),
       ":1:157: /expect/s/windows/0/to: ", "is after the run's end, 60 s"},
      {"WindowOfAStranger", InWindow(R"("from": "1 s", "to": "2 s", "sender": "c", "frames": 1)"),
       ":1:174: /expect/s/windows/0/sender: ", "the host \"c\" is not in this session"},
      {"WindowOfNothing", InWindow(R"("from": "1 s", "to": "2 s")"),
       ":1:135: /expect/s/windows/0: ", "expects nothing of this stretch of time"},
      {"RecoveryToWithoutATime",
       InWindow(R"("from": "1 s", "to": "2 s", "recovery_to": "50 %", "frames": 1)"),
       ":1:164: /expect/s/windows/0/recovery_to: ", "\"recovery_to\" needs \"recovery_time\""},
      {"UnknownWindowKey", InWindow(R"("from": "1 s", "to": "2 s", "goodput": "1 Mbit/s")"),
       ":1:164: /expect/s/windows/0/goodput: ", "unknown key \"goodput\""},
      {"RateAsAShare", InWindow(R"("from": "1 s", "to": "2 s", "throughput": {"min": "50 %"})"),
       ":1:186: /expect/s/windows/0/throughput/min: ", "expected one of: bit/s"},
      {"ShareOverAll", InWindow(R"("from": "1 s", "to": "2 s", "utilisation": {"min": "101 %"})"),
       ":1:187: /expect/s/windows/0/utilisation/min: ", "the largest value allowed, 100 %"},
      {"NoWindows", InExpect(R"("windows": [])"),
       ":1:134: /expect/s/windows: ", "1 to 100 entries"},
      {"IntactIsNoText", InExpect(R"("messages_intact": "yes")"),
       ":1:142: /expect/s/messages_intact: ", "expected true or false"},
  };
}

void ExpectOneMessageEach(const std::vector<BadPeerFile>& files) {
  for (const BadPeerFile& bad : files) {
    const LoadResult result = LoadText(bad.text, "t.json");
    EXPECT_TRUE(result.runs.empty()) << bad.name;
    ASSERT_EQ(result.diagnostics.size(), 1u) << bad.name << ": " << Complaints(bad.text);
    const std::string line = result.diagnostics[0].ToString();
    EXPECT_THAT(line, testing::StartsWith(std::string("t.json") + bad.place)) << bad.name;
    EXPECT_THAT(line, testing::HasSubstr(bad.message)) << bad.name;
  }
}

TEST(LoaderPeerErrorsTest, Media) { ExpectOneMessageEach(MediaMistakes()); }
TEST(LoaderPeerErrorsTest, Data) { ExpectOneMessageEach(DataMistakes()); }
TEST(LoaderPeerErrorsTest, Actions) { ExpectOneMessageEach(ActionMistakes()); }
TEST(LoaderPeerErrorsTest, Flows) { ExpectOneMessageEach(FlowMistakes()); }
TEST(LoaderPeerErrorsTest, Expectations) { ExpectOneMessageEach(ExpectationMistakes()); }

// What a matrix puts in is blamed where it stands.
TEST(LoaderPeerErrorsTest, AValueOfTheMatrixIsBlamedAtItsPlace) {
  EXPECT_THAT(
      Complaints(InScenario(
          R"("matrix": {"cartesian": {"c": ["gcc", "bbr"]}}, "sessions": {"s": {"between": ["a", "b"], "media": true, "controller": "${c}"}})")),
      testing::StartsWith("t.json:1:85: /matrix/cartesian/c/1: unknown congestion controller"));
}

}  // namespace
}  // namespace rtclab::scenarios
