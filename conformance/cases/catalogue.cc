#include "conformance/cases/catalogue.h"

#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

CaseList Collect() {
  CaseList cases;
  // RFC 8489
  AddRfc8489Section05(cases);
  AddRfc8489Section06_2_2(cases);
  AddRfc8489Section06_2_3(cases);
  AddRfc8489Section06_3(cases);
  AddRfc8489Section06_3_1(cases);
  AddRfc8489Section07(cases);
  AddRfc8489Section09(cases);
  AddRfc8489Section09_2Challenge(cases);
  AddRfc8489Section09_2Rejections(cases);
  AddRfc8489Section09_2Algorithms(cases);
  AddRfc8489Section09_2Responses(cases);
  AddRfc8489Section10(cases);
  AddRfc8489Section12(cases);
  AddRfc8489Section14(cases);

  // RFC 8656
  AddRfc8656Section05(cases);
  AddRfc8656Section05Quota(cases);
  AddRfc8656Section06(cases);
  AddRfc8656Section07Allocate(cases);
  AddRfc8656Section07Ports(cases);
  AddRfc8656Section07Families(cases);
  AddRfc8656Section08(cases);
  AddRfc8656Section09(cases);
  AddRfc8656Section09Lifetimes(cases);
  AddRfc8656Section10(cases);
  AddRfc8656Section11(cases);
  AddRfc8656Section11Icmp(cases);
  AddRfc8656Section12(cases);
  AddRfc8656Section12Lifetimes(cases);
  AddRfc8656Section12ChannelData(cases);
  AddRfc8656Section13To15(cases);
  AddRfc8656Section21(cases);

  // RFC 6062, RFC 8016, RFC 7635, RFC 7443, RFC 5780, RFC 7983
  AddRfc6062Section05_1(cases);
  AddRfc6062Section05_2(cases);
  AddRfc6062Section05_2Slow(cases);
  AddRfc6062Section05_3(cases);
  AddRfc6062Section05_4(cases);
  AddRfc6062Section05_5(cases);
  AddRfc8016Section03_1(cases);
  AddRfc8016Section03_2(cases);
  AddRfc8016Section03_2Paths(cases);
  AddRfc7635Section04(cases);
  AddRfc7635Section07(cases);
  AddRfc7635Section09(cases);
  AddRfc7443(cases);
  AddRfc5780Section06(cases);
  AddRfc5780Section07(cases);
  AddRfc7983(cases);

  // Safety
  AddSafetyRelay(cases);
  AddSafetyRelayNamed(cases);
  AddSafetyReplay(cases);
  AddSafetyAccess(cases);
  AddSafetyAmplification(cases);
  AddSafetyExhaustion(cases);
  AddSafetyMalformed(cases);
  AddSafetyLeaks(cases);
  AddSafetyTls(cases);

  return cases;
}

}  // namespace

const CaseList& Catalogue() {
  static const CaseList kCases = Collect();
  return kCases;
}

}  // namespace rtclab::conformance
