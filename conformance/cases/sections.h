// One line a file of cases: catalogue.cc calls them in this order. And one a table of requirements, for requirements.cc.
#ifndef RTCLAB_CONFORMANCE_CASES_SECTIONS_H_
#define RTCLAB_CONFORMANCE_CASES_SECTIONS_H_

#include <span>

#include "conformance/cases/requirements.h"
#include "conformance/engine/case.h"

namespace rtclab::conformance {

// RFC 8489
void AddRfc8489Section05(CaseList& cases);
void AddRfc8489Section06_2_2(CaseList& cases);
void AddRfc8489Section06_2_3(CaseList& cases);
void AddRfc8489Section06_3(CaseList& cases);
void AddRfc8489Section06_3_1(CaseList& cases);
void AddRfc8489Section07(CaseList& cases);
void AddRfc8489Section09(CaseList& cases);
void AddRfc8489Section09_2Challenge(CaseList& cases);
void AddRfc8489Section09_2Rejections(CaseList& cases);
void AddRfc8489Section09_2Algorithms(CaseList& cases);
void AddRfc8489Section09_2Responses(CaseList& cases);
void AddRfc8489Section10(CaseList& cases);
void AddRfc8489Section12(CaseList& cases);
void AddRfc8489Section14(CaseList& cases);

// RFC 8656
void AddRfc8656Section05(CaseList& cases);
void AddRfc8656Section05Quota(CaseList& cases);
void AddRfc8656Section06(CaseList& cases);
void AddRfc8656Section07Allocate(CaseList& cases);
void AddRfc8656Section07Ports(CaseList& cases);
void AddRfc8656Section07Families(CaseList& cases);
void AddRfc8656Section08(CaseList& cases);
void AddRfc8656Section09(CaseList& cases);
void AddRfc8656Section09Lifetimes(CaseList& cases);
void AddRfc8656Section10(CaseList& cases);
void AddRfc8656Section11(CaseList& cases);
void AddRfc8656Section11Icmp(CaseList& cases);
void AddRfc8656Section12(CaseList& cases);
void AddRfc8656Section12Lifetimes(CaseList& cases);
void AddRfc8656Section12ChannelData(CaseList& cases);
void AddRfc8656Section13To15(CaseList& cases);
void AddRfc8656Section21(CaseList& cases);

// RFC 6062, RFC 8016, RFC 7635, RFC 7443, RFC 5780, RFC 7983
void AddRfc6062Section05_1(CaseList& cases);
void AddRfc6062Section05_2(CaseList& cases);
void AddRfc6062Section05_2Slow(CaseList& cases);
void AddRfc6062Section05_3(CaseList& cases);
void AddRfc6062Section05_4(CaseList& cases);
void AddRfc6062Section05_5(CaseList& cases);
void AddRfc8016Section03_1(CaseList& cases);
void AddRfc8016Section03_2(CaseList& cases);
void AddRfc8016Section03_2Paths(CaseList& cases);
void AddRfc7635Section04(CaseList& cases);
void AddRfc7635Section07(CaseList& cases);
void AddRfc7635Section09(CaseList& cases);
void AddRfc7443(CaseList& cases);
void AddRfc5780Section06(CaseList& cases);
void AddRfc5780Section07(CaseList& cases);
void AddRfc7983(CaseList& cases);

// Safety
void AddSafetyRelay(CaseList& cases);
void AddSafetyRelayNamed(CaseList& cases);
void AddSafetyReplay(CaseList& cases);
void AddSafetyAccess(CaseList& cases);
void AddSafetyAmplification(CaseList& cases);
void AddSafetyExhaustion(CaseList& cases);
void AddSafetyMalformed(CaseList& cases);
void AddSafetyLeaks(CaseList& cases);
void AddSafetyTls(CaseList& cases);

// Requirements: std::span<const Requirement> RequirementsNNNN();
std::span<const Requirement> Requirements8489();
std::span<const Requirement> Requirements8656();
std::span<const Requirement> Requirements6062();
std::span<const Requirement> Requirements8016And7635();
std::span<const Requirement> RequirementsSafety();
std::span<const Requirement> RequirementsNat();

}  // namespace rtclab::conformance

#endif  // RTCLAB_CONFORMANCE_CASES_SECTIONS_H_
