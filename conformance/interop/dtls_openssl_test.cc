// Our DTLS against OpenSSL's own client and server programs on loopback, in real time: handshakes in both roles, exported keys, data.
#include <gtest/gtest.h>

#include <ctime>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "conformance/interop/child_process.h"
#include "conformance/interop/loopback.h"
#include "conformance/socket/udp_driver.h"
#include "stack/base/rng.h"
#include "stack/dtls/transport.h"

namespace rtclab::conformance {
namespace {

constexpr TimeDelta kDtlsPatience = TimeDelta::Seconds(10);

// A transport with addresses around it: datagrams as UdpDriver gives and takes them.
class DtlsEnd {
 public:
  using Event = dtls::TransportEvent;

  DtlsEnd(dtls::TransportConfig config, Rng& rng) : transport(std::move(config), rng) {}

  void HandlePacket(Timestamp now, const Datagram& packet) {
    remote = packet.source;  // as server we learn it from the first datagram
    transport.HandlePacket(now, packet.payload);
  }
  void HandleTimeout(Timestamp now) { transport.HandleTimeout(now); }
  std::optional<Transmit> PollTransmit() {
    auto datagram = transport.PollTransmit();
    if (!datagram) return std::nullopt;
    return Transmit{local, remote, std::move(*datagram)};
  }
  std::optional<Event> PollEvent() { return transport.PollEvent(); }
  Timestamp NextTimeout() const { return transport.NextTimeout(); }

  dtls::Transport transport;
  TransportAddress local, remote;
};

void WriteTo(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

std::string ReadFrom(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Lower-case hexadecimal of client key, server key, client salt, server salt, as `openssl -keymatexport` prints them in capitals.
std::string ExportedBy(const dtls::SrtpKeys& keys, bool we_are_client) {
  std::string text = ToHex(we_are_client ? keys.local_key : keys.remote_key) +
                     ToHex(we_are_client ? keys.remote_key : keys.local_key) +
                     ToHex(we_are_client ? keys.local_salt : keys.remote_salt) +
                     ToHex(we_are_client ? keys.remote_salt : keys.local_salt);
  for (char& c : text) c = static_cast<char>(std::toupper(c));
  return text;
}

struct OpenSslCase {
  std::string name;
  std::string profile;
  dtls::SrtpProfile chosen;
  std::string exported_bytes;
  std::vector<std::string> options;
  bool rsa = false;
};
void PrintTo(const OpenSslCase& test, std::ostream* out) { *out << test.name; }

class OpenSslTest : public testing::TestWithParam<OpenSslCase> {
 protected:
  OpenSslTest()
      : rng_(1),
        ours_(dtls::Certificate::GenerateFromSystem(std::time(nullptr))),
        theirs_(GetParam().rsa ? RsaCertificate()
                               : dtls::Certificate::GenerateFromSystem(std::time(nullptr))) {
    WriteTo(folder_.path() / "cert.pem", theirs_.ToPem());
    WriteTo(folder_.path() / "key.pem", theirs_.PrivateKeyToPem());
  }

  dtls::Certificate RsaCertificate() {
    auto process =
        ChildProcess::Start({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                             "/CN=rsa", "-keyout", (folder_.path() / "rsa-key.pem").string(),
                             "-out", (folder_.path() / "rsa-cert.pem").string()});
    CHECK(process.has_value());
    CHECK(driver_.RunUntil([&] { return process->Poll().has_value(); }, kDtlsPatience));
    return *dtls::Certificate::FromPem(ReadFrom(folder_.path() / "rsa-cert.pem"),
                                       ReadFrom(folder_.path() / "rsa-key.pem"));
  }

  void MakeOurs(dtls::Role role) {
    dtls::TransportConfig config;
    config.certificate = &ours_;
    config.role = role;
    config.remote_fingerprints = {theirs_.fingerprint()};
    config.randomness = dtls::Randomness::kSystem;
    // The other program may not be up for the first flight.
    config.initial_retransmission = TimeDelta::Millis(100);
    end_ = std::make_unique<DtlsEnd>(config, rng_);
    host_ = driver_.Add(*end_, [this](dtls::TransportEvent&& event) {
      if (auto* connected = std::get_if<dtls::Connected>(&event)) connected_ = *connected;
      if (auto* failed = std::get_if<dtls::Failed>(&event)) failed_ = *failed;
      if (std::get_if<dtls::Closed>(&event)) closed_ = true;
      if (auto* data = std::get_if<dtls::DataReceived>(&event)) {
        received_ += AsString(data->payload);
      }
    });
    end_->local = driver_.Bind(host_, {Loopback(AddressFamily::kIpv4), 0}).value();
  }

  void StartTheirs(std::vector<std::string> arguments, bool with_certificate = true) {
    const OpenSslCase& test = GetParam();
    for (const std::string& argument :
         {std::string("-dtls1_2"), std::string("-use_srtp"), test.profile,
          std::string("-keymatexport"), std::string("EXTRACTOR-dtls_srtp"),
          std::string("-keymatexportlen"), test.exported_bytes}) {
      arguments.push_back(argument);
    }
    if (with_certificate) {
      for (const char* const name : {"cert", "key"}) {
        arguments.push_back(std::string("-") + name);
        arguments.push_back((folder_.path() / (std::string(name) + ".pem")).string());
      }
    }
    arguments.insert(arguments.end(), test.options.begin(), test.options.end());
    auto started = ChildProcess::Start(std::move(arguments), ChildProcess::Input::kPipe);
    ASSERT_TRUE(started) << started.error().reason << "; scripts/setup installs openssl";
    process_ = std::make_unique<ChildProcess>(std::move(*started));
  }

  bool Wait(const std::function<bool()>& done) { return driver_.RunUntil(done, kDtlsPatience); }
  bool TheyPrint(const std::string& text) {
    return Wait([&] { return process_->Output().find(text) != std::string::npos; });
  }

  // What both roles check once the handshake is through.
  void ExpectKeysAndData(bool we_are_client) {
    const OpenSslCase& test = GetParam();
    ASSERT_TRUE(Wait([&] { return connected_ || failed_; })) << process_->Output();
    ASSERT_TRUE(connected_) << failed_->reason << ": " << failed_->detail << process_->Output();
    EXPECT_EQ(end_->transport.remote_certificate(), theirs_.der());
    ASSERT_TRUE(connected_->srtp);
    EXPECT_EQ(connected_->srtp->profile, test.chosen);
    EXPECT_TRUE(
        TheyPrint("SRTP Extension negotiated, profile=" + std::string(dtls::ToString(test.chosen))))
        << process_->Output();
    EXPECT_TRUE(TheyPrint("Keying material: " + ExportedBy(*connected_->srtp, we_are_client)))
        << process_->Output();
    ASSERT_TRUE(process_->Write("hello from openssl\n"));
    EXPECT_TRUE(Wait([&] { return received_.find("hello from openssl") != std::string::npos; }));
    ASSERT_TRUE(end_->transport.Send(driver_.Now(), AsBytes("hello from rtclab\n")));
    EXPECT_TRUE(TheyPrint("hello from rtclab")) << process_->Output();
  }

  Rng rng_;
  TemporaryFolder folder_;
  std::unique_ptr<ChildProcess> process_;
  std::optional<dtls::Connected> connected_;
  std::optional<dtls::Failed> failed_;
  bool closed_ = false;
  std::string received_;
  std::unique_ptr<DtlsEnd> end_;
  UdpDriver driver_;  // hosts `end_`
  UdpDriver::Host* host_ = nullptr;
  dtls::Certificate ours_, theirs_;
};

TEST_P(OpenSslTest, OurClientTheirServer) {
  MakeOurs(dtls::Role::kClient);
  const uint16_t port = FreePort();
  end_->remote = {Loopback(AddressFamily::kIpv4), port};
  // -Verify: it wants our certificate. It asks for a cookie first (RFC 6347 section 4.2.1).
  StartTheirs({"openssl", "s_server", "-accept", "127.0.0.1:" + std::to_string(port), "-Verify",
               "1", "-naccept", "1"});
  end_->transport.Start(driver_.Now());
  ExpectKeysAndData(true);
  const auto& counters = end_->transport.counters();
  EXPECT_GE(counters.datagrams_sent - counters.retransmissions,
            3u);  // hello, hello with the cookie, the rest
  end_->transport.Close(driver_.Now());
  EXPECT_TRUE(Wait([&] { return process_->Poll().has_value(); })) << process_->Output();
}

TEST_P(OpenSslTest, TheirClientOurServer) {
  MakeOurs(dtls::Role::kServer);
  end_->transport.Start(driver_.Now());
  StartTheirs({"openssl", "s_client", "-connect", end_->local.ToString()});
  ExpectKeysAndData(false);
  // "Q" at the beginning of a line ends it with close_notify.
  ASSERT_TRUE(process_->Write("Q\n"));
  EXPECT_TRUE(Wait([&] { return closed_; }));
}

class OpenSslRefusalTest : public OpenSslTest {};

TEST_P(OpenSslRefusalTest, TheirClientWithAnotherCertificate) {
  MakeOurs(dtls::Role::kServer);
  end_->transport.SetRemoteFingerprints(driver_.Now(), {ours_.fingerprint()});
  end_->transport.Start(driver_.Now());
  StartTheirs({"openssl", "s_client", "-connect", end_->local.ToString()});
  ASSERT_TRUE(Wait([&] { return failed_.has_value(); })) << process_->Output();
  EXPECT_EQ(failed_->reason, "fingerprint-mismatch");
  EXPECT_TRUE(TheyPrint("alert bad certificate")) << process_->Output();
  EXPECT_TRUE(Wait([&] { return process_->Poll().has_value(); }));
}

TEST_P(OpenSslRefusalTest, TheirClientWithoutACertificate) {
  MakeOurs(dtls::Role::kServer);
  end_->transport.Start(driver_.Now());
  StartTheirs({"openssl", "s_client", "-connect", end_->local.ToString()}, false);
  ASSERT_TRUE(Wait([&] { return failed_.has_value(); })) << process_->Output();
  EXPECT_EQ(failed_->reason, "no-certificate");
  EXPECT_TRUE(Wait([&] { return process_->Poll().has_value(); })) << process_->Output();
}

INSTANTIATE_TEST_SUITE_P(
    One, OpenSslRefusalTest,
    testing::Values(OpenSslCase{
        "Gcm128", "SRTP_AEAD_AES_128_GCM", dtls::SrtpProfile::kAeadAes128Gcm, "56", {}}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Profiles, OpenSslTest,
    testing::Values(
        OpenSslCase{
            "AesCm", "SRTP_AES128_CM_SHA1_80", dtls::SrtpProfile::kAes128CmSha1_80, "60", {}},
        OpenSslCase{"Gcm128", "SRTP_AEAD_AES_128_GCM", dtls::SrtpProfile::kAeadAes128Gcm, "56", {}},
        OpenSslCase{"Gcm256", "SRTP_AEAD_AES_256_GCM", dtls::SrtpProfile::kAeadAes256Gcm, "88", {}},
        OpenSslCase{"SmallMtu",
                    "SRTP_AEAD_AES_128_GCM",
                    dtls::SrtpProfile::kAeadAes128Gcm,
                    "56",
                    {"-mtu", "300"}},
        OpenSslCase{"RsaP256",
                    "SRTP_AES128_CM_SHA1_80",
                    dtls::SrtpProfile::kAes128CmSha1_80,
                    "60",
                    {"-groups", "P-256"},
                    true}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace rtclab::conformance
