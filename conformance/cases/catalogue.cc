#include "conformance/cases/catalogue.h"

#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

CaseList Collect() {
  CaseList cases;
  // RFC 8489

  // RFC 8656

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
