// The catalogue: every case, by RFC and section. One file an RFC section adds its cases; catalogue.cc calls them in order.
#ifndef RTCLAB_CONFORMANCE_CASES_CATALOGUE_H_
#define RTCLAB_CONFORMANCE_CASES_CATALOGUE_H_

#include "conformance/engine/case.h"

namespace rtclab::conformance {

const CaseList& Catalogue();

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_CATALOGUE_H_
