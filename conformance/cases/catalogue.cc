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

  // RFC 6062, RFC 8016, RFC 7635, RFC 7443, RFC 5780, RFC 7983

  // Safety

  return cases;
}

}  // namespace

const CaseList& Catalogue() {
  static const CaseList kCases = Collect();
  return kCases;
}

}  // namespace rtclab::conformance
