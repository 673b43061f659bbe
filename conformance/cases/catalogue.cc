#include "conformance/cases/catalogue.h"

#include "conformance/cases/sections.h"

namespace rtclab::conformance {
namespace {

CaseList Collect() {
  CaseList cases;
  // RFC 8489

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
