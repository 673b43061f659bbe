#include "stack/sdp/codec.h"

#include <algorithm>
#include <charconv>

namespace rtclab::sdp {
namespace {

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::ranges::equal(a, b, {}, lower, lower);
}

template <typename T>
std::optional<T> ToNumber(std::string_view text) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// Calls `use(key, value)` for each parameter until it returns false; value is null where there is no "=".
template <typename F>
void ForEachParameter(std::string_view text, F&& use) {
  while (!text.empty()) {
    const std::size_t end = text.find(';');
    const std::string_view part = Trim(text.substr(0, end));
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    const std::string_view value =
        equals == part.npos ? std::string_view() : Trim(part.substr(equals + 1));
    if (!use(Trim(part.substr(0, equals)), equals == part.npos ? nullptr : &value)) return;
  }
}

struct StaticEntry {
  uint8_t payload_type;
  std::string_view name;
  uint32_t clock_rate;
  int channels;
};

// RFC 3551 section 6, tables 4 and 5.
constexpr StaticEntry kStaticEntries[] = {
    {0, "PCMU", 8000, 1},   {3, "GSM", 8000, 1},    {4, "G723", 8000, 1},   {5, "DVI4", 8000, 1},
    {6, "DVI4", 16000, 1},  {7, "LPC", 8000, 1},    {8, "PCMA", 8000, 1},   {9, "G722", 8000, 1},
    {10, "L16", 44100, 2},  {11, "L16", 44100, 1},  {12, "QCELP", 8000, 1}, {13, "CN", 8000, 1},
    {14, "MPA", 90000, 1},  {15, "G728", 8000, 1},  {16, "DVI4", 11025, 1}, {17, "DVI4", 22050, 1},
    {18, "G729", 8000, 1},  {25, "CelB", 90000, 1}, {26, "JPEG", 90000, 1}, {28, "nv", 90000, 1},
    {31, "H261", 90000, 1}, {32, "MPV", 90000, 1},  {33, "MP2T", 90000, 1}, {34, "H263", 90000, 1},
};

void ApplyAttribute(std::vector<Codec>& codecs, const AttributeValue& attribute) {
  if (const auto* map = std::get_if<Rtpmap>(&attribute)) {
    for (Codec& codec : codecs) {
      if (codec.payload_type != map->payload_type) continue;
      codec.name = map->encoding;
      codec.clock_rate = map->clock_rate;
      codec.channels = ToNumber<int>(map->parameters).value_or(1);
    }
  } else if (const auto* fmtp = std::get_if<Fmtp>(&attribute)) {
    const auto type = ToNumber<uint8_t>(fmtp->format);
    for (Codec& codec : codecs) {
      if (codec.payload_type != type) continue;
      if (!codec.fmtp.empty()) codec.fmtp += ';';
      codec.fmtp += fmtp->parameters;
    }
  } else if (const auto* feedback = std::get_if<RtcpFb>(&attribute)) {
    for (Codec& codec : codecs) {
      if (feedback->payload_type && codec.payload_type != feedback->payload_type) continue;
      // Wildcards times codecs must not grow without bound.
      constexpr std::size_t kMaxFeedback = 64;
      if (codec.feedback.size() >= kMaxFeedback) continue;
      const Feedback entry{feedback->type, feedback->parameter};
      if (std::ranges::find(codec.feedback, entry) == codec.feedback.end())
        codec.feedback.push_back(entry);
    }
  }
}

}  // namespace

Parameters ParseParameters(std::string_view text) {
  Parameters out;
  ForEachParameter(text, [&out](std::string_view key, const std::string_view* value) {
    auto& parameter = out.emplace_back(std::string(key), std::nullopt);
    if (value != nullptr) parameter.second = *value;
    return true;
  });
  return out;
}

std::string FormatParameters(const Parameters& parameters) {
  std::string out;
  for (const auto& [key, value] : parameters) {
    if (!out.empty()) out += ';';
    out += key;
    if (value) out.append(1, '=').append(*value);
  }
  return out;
}

bool Codec::NameIs(std::string_view other) const { return EqualIgnoringCase(name, other); }

std::optional<std::string> Codec::Parameter(std::string_view key) const {
  std::optional<std::string> found;
  ForEachParameter(fmtp, [&](std::string_view k, const std::string_view* value) {
    if (!EqualIgnoringCase(k, key)) return true;
    found = value != nullptr ? std::string(*value) : std::string();
    return false;
  });
  return found;
}

std::optional<uint8_t> Codec::AssociatedPayloadType() const {
  const auto apt = Parameter("apt");
  if (!apt) return std::nullopt;
  const auto type = ToNumber<uint8_t>(*apt);
  return type && *type <= 127 ? type : std::nullopt;
}

bool Codec::HasFeedback(std::string_view type, std::string_view parameter) const {
  return std::ranges::any_of(
      feedback, [&](const Feedback& f) { return f.type == type && f.parameter == parameter; });
}

std::optional<Codec> StaticCodec(uint8_t payload_type) {
  const auto* found = std::ranges::find(kStaticEntries, payload_type, &StaticEntry::payload_type);
  if (found == std::end(kStaticEntries)) return std::nullopt;
  Codec codec;
  codec.payload_type = payload_type;
  codec.name = found->name;
  codec.clock_rate = found->clock_rate;
  codec.channels = found->channels;
  return codec;
}

std::vector<Codec> Codecs(const MediaDescription& media) {
  std::vector<Codec> codecs;
  if (!media.IsRtp()) return codecs;
  codecs.reserve(media.formats.size());
  for (const std::string& format : media.formats) {
    const auto type = ToNumber<uint8_t>(format);
    if (!type || *type > 127 || FindCodec(codecs, *type) != nullptr) continue;
    Codec& codec = codecs.emplace_back(StaticCodec(*type).value_or(Codec{}));
    codec.payload_type = *type;
  }
  for (const Attribute& a : media.attributes.items()) ApplyAttribute(codecs, a.value);
  return codecs;
}

const Codec* FindCodec(const std::vector<Codec>& codecs, uint8_t payload_type) {
  const auto found = std::ranges::find(codecs, payload_type, &Codec::payload_type);
  return found != codecs.end() ? &*found : nullptr;
}

void AddCodec(MediaDescription& media, const Codec& codec) {
  media.formats.push_back(std::to_string(codec.payload_type));
  if (!codec.name.empty()) {
    media.attributes.Add(
        Rtpmap{codec.payload_type, codec.name, codec.clock_rate,
               codec.channels > 1 ? std::to_string(codec.channels) : std::string()});
  }
  for (const Feedback& f : codec.feedback)
    media.attributes.Add(RtcpFb{codec.payload_type, f.type, f.parameter});
  if (!codec.fmtp.empty())
    media.attributes.Add(Fmtp{std::to_string(codec.payload_type), codec.fmtp});
}

}  // namespace rtclab::sdp
