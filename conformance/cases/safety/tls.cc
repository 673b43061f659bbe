// What a TLS listener must not agree to: BCP 195.
#include <string>
#include <utility>
#include <vector>

#include "conformance/cases/safety/safety_steps.h"
#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

ConnectOptions SecOffer(Test& t) {
  ConnectOptions options;
  options.transport = t.test_case().needs.transport;
  options.must_open = false;
  options.secure.insecure = true;  // the certificate is not the point
  return options;
}

void SecExpectHandshakes(Test& t) {
  t.SpendProbe();
  if (!t.Connect(SecOffer(t)).open()) t.Block("no handshake with current versions and suites");
}

void SecOldVersions(Test& t) {
  SecExpectHandshakes(t);
  std::vector<std::string> accepted;
  for (const auto version : {SecureVersion::k10, SecureVersion::k11}) {
    t.SpendProbe();
    ConnectOptions options = SecOffer(t);
    options.secure.min_version = options.secure.max_version = version;
    Client client = t.Connect(options);
    if (client.open() && client.channel().secure())
      accepted.push_back(client.channel().secure()->version);
  }
  t.Expect(accepted.empty(), "versions before 1.2 are refused (RFC 8996)",
           "agreed: " + SafetyJoin(accepted));
}

void SecWeakSuites(Test& t) {
  SecExpectHandshakes(t);
  std::vector<std::string> accepted;
  for (const std::string_view list : {"eNULL:@SECLEVEL=0", "aNULL:@SECLEVEL=0", "3DES:@SECLEVEL=0",
                                      "RC4:@SECLEVEL=0", "EXPORT:@SECLEVEL=0", "DES:@SECLEVEL=0"}) {
    t.SpendProbe();
    ConnectOptions options = SecOffer(t);
    options.secure.max_version = SecureVersion::k12;
    options.secure.cipher_list = list;
    Client client = t.Connect(options);
    if (client.open() && client.channel().secure())
      accepted.push_back(client.channel().secure()->cipher);
  }
  t.Expect(accepted.empty(), "suites without encryption or authentication, DES and RC4 are refused",
           "agreed: " + SafetyJoin(accepted));
}

void SecNoCompression(Test& t) {
  t.SpendProbe();
  ConnectOptions options = SecOffer(t);
  options.secure.max_version = SecureVersion::k12;
  Client client = t.Connect(options);
  if (!client.open() || !client.channel().secure()) t.Skip("the server has no version 1.2");
  const std::string compression = client.channel().secure()->compression;
  t.Expect(compression == "none", "no compression (RFC 7525 section 3.3)", compression);
}

}  // namespace

void AddSafetyTls(CaseList& cases) {
  const auto add = [&](std::string_view id, std::string_view title, Transport transport,
                       std::string_view rule, void (*run)(Test&),
                       std::vector<std::string_view> covers = {}) {
    cases.push_back({.id = id,
                     .title = title,
                     .clauses = {SafetyRule("RFC 9325 (BCP 195)", rule)},
                     .needs = SafetyNeeds({}, transport),
                     .safety = true,
                     .covers = std::move(covers),
                     .run = run});
  };
  add("sec.tls.versions", "No TLS before 1.2", Transport::kTls,
      "TLS 1.0 and 1.1 are not negotiated.", SecOldVersions, {"sec.tls.config"});
  add("sec.tls.suites", "No weak cipher suites", Transport::kTls,
      "Suites without encryption or authentication, RC4 and DES are not negotiated.", SecWeakSuites,
      {"sec.tls.config"});
  add("sec.tls.compression", "No TLS compression", Transport::kTls, "TLS compression is disabled.",
      SecNoCompression, {"sec.tls.config"});
  add("sec.dtls.versions", "No DTLS before 1.2", Transport::kDtls, "DTLS 1.0 is not negotiated.",
      SecOldVersions);
}

}  // namespace rtclab::conformance
