// One line a file of cases: catalogue.cc calls them in this order. And one a table of requirements, for requirements.cc.
#ifndef RTCLAB_CONFORMANCE_CASES_SECTIONS_H_
#define RTCLAB_CONFORMANCE_CASES_SECTIONS_H_

#include <span>

#include "conformance/cases/requirements.h"
#include "conformance/engine/case.h"

namespace rtclab::conformance {

// RFC 8489

// RFC 8656

// RFC 6062, RFC 8016, RFC 7635, RFC 7443, RFC 5780, RFC 7983

// Safety

// Requirements: std::span<const Requirement> RequirementsNNNN();

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_SECTIONS_H_
