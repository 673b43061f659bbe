// What a report says of a certificate and of a key.
#include <openssl/ec.h>
#include <openssl/x509v3.h>

#include <fmt/format.h>

#include <array>
#include <ctime>

#include "conformance/socket/secure_context.h"
#include "stack/base/check.h"

namespace rtclab::conformance {
namespace {

// What strangers put into certificates is printed: nothing but printable ASCII comes through.
std::string Printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < ' ' || c > '~') c = '?';
  }
  return out;
}

std::string NameLine(const X509_NAME* name) {
  const OwnSsl<BIO> bio(BIO_new(BIO_s_mem()));
  CHECK(bio != nullptr);
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? Printable({data, static_cast<std::size_t>(size)}) : std::string();
}

std::string AlternativeName(const GENERAL_NAME* name) {
  int type = 0;
  const void* const value = GENERAL_NAME_get0_value(name, &type);
  if (type == GEN_IPADD) {
    const auto* const ip = static_cast<const ASN1_OCTET_STRING*>(value);
    const auto address = IpAddress::FromBytes(
        {ASN1_STRING_get0_data(ip), static_cast<std::size_t>(ASN1_STRING_length(ip))});
    return "IP:" + (address ? address->ToString() : "malformed");
  }
  if (type != GEN_DNS && type != GEN_URI && type != GEN_EMAIL) return "other";
  const auto* const text = static_cast<const ASN1_STRING*>(value);
  const ByteView bytes(ASN1_STRING_get0_data(text),
                       static_cast<std::size_t>(ASN1_STRING_length(text)));
  return (type == GEN_DNS   ? "DNS:"
          : type == GEN_URI ? "URI:"
                            : "email:") +
         Printable(AsString(bytes));
}

std::string TimeText(const ASN1_TIME* time) {
  std::tm t{};
  if (ASN1_TIME_to_tm(time, &t) != 1) return "malformed";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

std::string CurveName(EVP_PKEY* key) {
  std::array<char, 80> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return "EC";
  const char* const nist = EC_curve_nid2nist(OBJ_txt2nid(name.data()));
  return nist != nullptr ? nist : std::string(name.data(), size);
}

}  // namespace

std::string DescribeKey(EVP_PKEY* key) {
  if (key == nullptr) return "unreadable";
  const std::string bits = std::to_string(EVP_PKEY_get_bits(key));
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return "RSA " + bits;
    case EVP_PKEY_EC:
      return CurveName(key);
    case EVP_PKEY_DH:
    case EVP_PKEY_DHX:
      return "DH " + bits;
    default:
      break;
  }
  const char* const name = EVP_PKEY_get0_type_name(key);
  return name != nullptr ? name : "unknown";
}

SecureInfo::Certificate DescribeCertificate(X509* certificate) {
  SecureInfo::Certificate out;
  out.subject = NameLine(X509_get_subject_name(certificate));
  out.issuer = NameLine(X509_get_issuer_name(certificate));
  out.key = DescribeKey(X509_get0_pubkey(certificate));
  out.not_after = TimeText(X509_get0_notAfter(certificate));
  const OwnSsl<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    out.names.push_back(AlternativeName(sk_GENERAL_NAME_value(names.get(), i)));
  }
  return out;
}

}  // namespace rtclab::conformance
