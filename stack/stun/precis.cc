#include "stack/stun/precis.h"

#include <unicase.h>
#include <uniconv.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "stack/base/bytes.h"
#include "stack/base/check.h"

namespace rtclab::stun {
namespace {

using CodePoints = std::u32string;

struct Decoded {
  CodePoints points;
  std::vector<std::size_t> offsets;  // of each code point's first byte
};

Result<Decoded> DecodeUtf8(std::string_view text) {
  Decoded out;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  for (std::size_t i = 0; i < text.size();) {
    ucs4_t point = 0;
    const int length = u8_mbtoucr(&point, bytes + i, text.size() - i);
    if (length <= 0) return Fail("expected UTF-8", i);
    out.points.push_back(point);
    out.offsets.push_back(i);
    i += static_cast<std::size_t>(length);
  }
  return out;
}

bool IsOneOf(char32_t point, std::u32string_view set) {
  return set.find(point) != std::u32string_view::npos;
}

bool InRange(char32_t point, char32_t low, char32_t high) { return point >= low && point <= high; }

// RFC 8264 section 9.9: code points whose compatibility decomposition differs from themselves.
bool HasCompatibilityForm(char32_t point) {
  const uint32_t in = point;
  uint32_t buffer[32];
  std::size_t length = std::size(buffer);
  uint32_t* out = u32_normalize(UNINORM_NFKC, &in, 1, buffer, &length);
  if (out == nullptr) return false;
  const bool same = length == 1 && out[0] == in;
  if (out != buffer) std::free(out);
  return !same;
}

bool HasScript(char32_t point, const char* name) {
  const uc_script_t* script = uc_script(point);
  return script != nullptr && std::strcmp(script->name, name) == 0;
}

constexpr int kVirama = 9;  // canonical combining class, RFC 5892 appendix A.1

// RFC 5892 appendix A.1: a non-joiner is allowed after a virama, or where it breaks a cursive connection: between a
// left- or dual-joining and a right- or dual-joining character, transparent ones skipped.
bool NonJoinerAllowed(const CodePoints& text, std::size_t i) {
  if (i > 0 && uc_combining_class(text[i - 1]) == kVirama) return true;
  std::size_t left = i;
  while (left > 0 && uc_joining_type(text[left - 1]) == UC_JOINING_TYPE_T) --left;
  if (left == 0) return false;
  const int before = uc_joining_type(text[left - 1]);
  if (before != UC_JOINING_TYPE_L && before != UC_JOINING_TYPE_D) return false;
  std::size_t right = i + 1;
  while (right < text.size() && uc_joining_type(text[right]) == UC_JOINING_TYPE_T) ++right;
  if (right == text.size()) return false;
  const int after = uc_joining_type(text[right]);
  return after == UC_JOINING_TYPE_R || after == UC_JOINING_TYPE_D;
}

bool IsJapaneseOrHan(char32_t point) {
  return HasScript(point, "Hiragana") || HasScript(point, "Katakana") || HasScript(point, "Han");
}

// The contextual rules of RFC 5892 appendix A for the code points that have one; nullopt for the others.
std::optional<bool> ContextRule(const CodePoints& text, std::size_t i) {
  const char32_t point = text[i];
  switch (point) {
    case 0x200c:
      return NonJoinerAllowed(text, i);
    case 0x200d:  // A.2: only after a virama
      return i > 0 && uc_combining_class(text[i - 1]) == kVirama;
    case 0x00b7:  // A.3: only between two l
      return i > 0 && i + 1 < text.size() && text[i - 1] == U'l' && text[i + 1] == U'l';
    case 0x0375:  // A.4: only before a Greek character
      return i + 1 < text.size() && HasScript(text[i + 1], "Greek");
    case 0x05f3:  // A.5 and A.6: only after a Hebrew character
    case 0x05f4:
      return i > 0 && HasScript(text[i - 1], "Hebrew");
    case 0x30fb:  // A.7: only with a Hiragana, Katakana or Han character about
      return std::any_of(text.begin(), text.end(), IsJapaneseOrHan);
    default:
      break;
  }
  const auto arabic_indic = [](char32_t p) { return InRange(p, 0x0660, 0x0669); };
  const auto extended = [](char32_t p) { return InRange(p, 0x06f0, 0x06f9); };
  // A.8 and A.9: the two sets of Arabic digits don't mix.
  if (arabic_indic(point)) return std::none_of(text.begin(), text.end(), extended);
  if (extended(point)) return std::none_of(text.begin(), text.end(), arabic_indic);
  return std::nullopt;
}

bool IsOldHangulJamo(char32_t point) {  // RFC 8264 section 9.8
  return InRange(point, 0x1100, 0x11ff) || InRange(point, 0xa960, 0xa97c) ||
         InRange(point, 0xd7b0, 0xd7c6) || InRange(point, 0xd7cb, 0xd7fb);
}

// The derivation of RFC 8264 section 8, in its order, for the FreeformClass.
bool IsFreeform(const CodePoints& text, std::size_t i) {
  constexpr std::u32string_view kAllowed = U"\u00df\u03c2\u06fd\u06fe\u0f0b\u3007";  // section 9.6
  constexpr std::u32string_view kDisallowed =
      U"\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b";
  const char32_t point = text[i];
  if (IsOneOf(point, kAllowed)) return true;
  if (IsOneOf(point, kDisallowed)) return false;
  if (const std::optional<bool> allowed = ContextRule(text, i)) return *allowed;
  if (uc_is_general_category(point, UC_UNASSIGNED)) return false;
  if (InRange(point, 0x21, 0x7e)) return true;
  if (IsOldHangulJamo(point)) return false;
  if (uc_is_property_default_ignorable_code_point(point)) return false;
  if (uc_is_property_not_a_character(point)) return false;
  if (uc_is_general_category(point, UC_CONTROL)) return false;
  if (HasCompatibilityForm(point)) return true;
  return uc_is_general_category_withtable(point, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
                                                     UC_CATEGORY_MASK_N | UC_CATEGORY_MASK_Zs |
                                                     UC_CATEGORY_MASK_S | UC_CATEGORY_MASK_P);
}

struct FreeDeleter {
  void operator()(void* p) const { std::free(p); }
};

std::string NormaliseToUtf8(const CodePoints& text) {
  std::vector<uint32_t> points(text.begin(), text.end());
  std::size_t normal_length = 0;
  const std::unique_ptr<uint32_t, FreeDeleter> normal(
      u32_normalize(UNINORM_NFC, points.data(), points.size(), nullptr, &normal_length));
  CHECK(normal != nullptr);  // fails only for want of memory: the input is valid
  std::size_t length = 0;
  const std::unique_ptr<uint8_t, FreeDeleter> utf8(
      u32_to_u8(normal.get(), normal_length, nullptr, &length));
  CHECK(utf8 != nullptr);
  return std::string(reinterpret_cast<const char*>(utf8.get()), length);
}

}  // namespace

Result<std::string> PrepareOpaqueString(std::string_view text) {
  if (text.empty()) return Fail("expected at least one character");
  // Printable ASCII is its own prepared form: nothing to map, nothing to normalise.
  const auto printable = [](char c) { return c >= 0x20 && c <= 0x7e; };
  if (std::all_of(text.begin(), text.end(), printable)) return std::string(text);

  Result<Decoded> decoded = DecodeUtf8(text);
  if (!decoded) return tl::unexpected(decoded.error());
  CodePoints& points = decoded->points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!IsFreeform(points, i)) {
      return Fail("a character is not allowed in an OpaqueString", decoded->offsets[i]);
    }
  }
  // RFC 8265 section 4.2.1, rule 2: any space becomes an ASCII space.
  for (char32_t& point : points) {
    if (uc_is_general_category(point, UC_SPACE_SEPARATOR)) point = U' ';
  }
  return NormaliseToUtf8(points);
}

}  // namespace rtclab::stun
