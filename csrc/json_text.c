/* json_text.c - the strings of json.c: UTF-8, escapes, and texts that are split between pieces. */
#include "json_reader.h"

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { MALFORMED = -1, CUT = 0 };
enum { STRETCH = 4096, SLACK = 16 }; /* bytes of a token that are copied at a time */

static const char long_text[] = "a string of more than 1 MiB";

static bool special(unsigned char c) {
  return c < 0x20 || c >= 0x80 || c == '"' || c == '\\';
}

#ifndef __SSE2__
/* Whether one of eight bytes is special, independent of the byte order; the byte loop then finds which one. */
static bool special_in_8(const char *p) {
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
  uint64_t x, quote, backslash;
  memcpy(&x, p, 8);
  quote = x ^ (ones * '"');
  backslash = x ^ (ones * '\\');
  return ((x | (x - ones * 0x20) | (quote - ones) | (backslash - ones)) & tops) != 0;
}
#endif

#ifdef __SSE2__
static unsigned special_of_16(__m128i x) {
  __m128i odd =
      _mm_cmplt_epi8(x, _mm_set1_epi8(0x20)); /* a signed comparison: includes bytes that are not ASCII */
  odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
  odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
  return (unsigned)_mm_movemask_epi8(odd);
}
#endif

/* Finds the first byte that is a quote, a backslash, a control character or not ASCII. */
static const char *plain_end(const char *p, const char *end) {
#ifdef __SSE2__
  for (; end - p >= 16; p += 16) {
    unsigned mask = special_of_16(_mm_loadu_si128((const __m128i *)(const void *)p));
    if (mask) return p + __builtin_ctz(mask);
  }
#else
  while (end - p >= 8 && !special_in_8(p)) p += 8;
#endif
  while (p < end && !special((unsigned char)*p)) p++;
  return p;
}

/* The next three return the length of a sequence; CUT if it is longer than n bytes; MALFORMED - i if its byte i is
 * wrong. They report a wrong byte as soon as it is among the n, so the result does not depend on the piece's end. */
static inline int utf8_length(const unsigned char *p, size_t n) {
  int length = p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;
  if (!length) return MALFORMED;
  unsigned char low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80; /* no overlong forms */
  unsigned char high = p[0] == 0xED   ? 0x9F
                       : p[0] == 0xF4 ? 0x8F
                                      : 0xBF; /* no surrogates, nothing above 10FFFF */
  for (int i = 1; i < length; i++) {
    if ((size_t)i == n) return CUT;
    if (p[i] < low || p[i] > high) return MALFORMED - i;
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

/* 0x10 + the value of a hexadecimal digit; 0 for other characters. */
static const unsigned char hex[256] = {
    ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15,
    ['6'] = 0x16, ['7'] = 0x17, ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1A, ['b'] = 0x1B,
    ['c'] = 0x1C, ['d'] = 0x1D, ['e'] = 0x1E, ['f'] = 0x1F, ['A'] = 0x1A, ['B'] = 0x1B,
    ['C'] = 0x1C, ['D'] = 0x1D, ['E'] = 0x1E, ['F'] = 0x1F,
};

/* The character that an escape stands for, by the character after the backslash. */
static const char escaped[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

static inline unsigned hex_code(const unsigned char *p) {
  return (hex[p[0]] & 15u) << 12 | (hex[p[1]] & 15u) << 8 | (hex[p[2]] & 15u) << 4 | (hex[p[3]] & 15u);
}

static inline int escape_length(const unsigned char *p, size_t n) {
  if (n < 2) return CUT;
  if (p[1] != 'u') return escaped[p[1]] ? 2 : MALFORMED - 1;
  if (n >= 6 && hex[p[2]] & hex[p[3]] & hex[p[4]] & hex[p[5]]) return 6;
  int i = 2;
  while ((size_t)i < n && hex[p[i]]) i++;
  return (size_t)i == n ? CUT : MALFORMED - i;
}

static inline int sequence_length(const char *text, size_t n) {
  const unsigned char *p = (const unsigned char *)text;
  return *p == '\\' ? escape_length(p, n) : utf8_length(p, n);
}

static inline char *write_utf8(char *to, unsigned code) {
  if (code < 0x80) {
    *to++ = (char)code;
    return to;
  }
  if (code < 0x800) {
    *to++ = (char)(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    *to++ = (char)(0xE0 | code >> 12);
    *to++ = (char)(0x80 | (code >> 6 & 0x3F));
  } else {
    *to++ = (char)(0xF0 | code >> 18);
    *to++ = (char)(0x80 | (code >> 12 & 0x3F));
    *to++ = (char)(0x80 | (code >> 6 & 0x3F));
  }
  *to++ = (char)(0x80 | (code & 0x3F));
  return to;
}

/* An unpaired surrogate becomes U+FFFD. The JSON grammar allows it, UTF-8 cannot encode it, and a panel that cut a
 * name within an emoji should not make its whole catalogue unreadable. So a high surrogate is written as U+FFFD
 * immediately, and a low surrogate right after it replaces that. */
static inline char *write_code(json *j, char *to, unsigned code) {
  if (code < 0xD800 || code >= 0xE000) return write_utf8(to, code);
  if (code >= 0xDC00) {
    bool paired = j->surrogate && j->surrogate_end == (size_t)(to - j->token.data);
    if (!paired) return write_utf8(to, 0xFFFD);
    return write_utf8(to - 3, 0x10000 + ((j->surrogate - 0xD800) << 10) + (code - 0xDC00));
  }
  to = write_utf8(to, 0xFFFD);
  j->surrogate = code;
  j->surrogate_end = (size_t)(to - j->token.data);
  return to;
}

static inline char *write_sequence(json *j, char *to, const char *text, int length) {
  const unsigned char *p = (const unsigned char *)text;
  if (*p != '\\') {
    memcpy(to, text, (size_t)length);
    return to + length;
  }
  if (length == 2) {
    *to = escaped[p[1]];
    return to + 1;
  }
  return write_code(j, to, hex_code(p + 2));
}

static const char *wrong_byte(const json *j) {
  if ((j->carried ? *j->carry : *j->in) == '\\') return "an escape that JSON does not have";
  return (unsigned char)*j->in < 0x20 && !j->carried ? "a control character in a string" : "not UTF-8";
}

/* Continues a sequence that is split between pieces, byte by byte until it is complete. */
static int carry_on(json *j) {
  while (j->in < j->end) {
    j->carry[j->carried] = *j->in;
    int length = sequence_length(j->carry, j->carried + 1u);
    if (length < 0) return MALFORMED;
    j->carried++;
    j->in++;
    if (length == CUT) continue;
    char *to = j->token.data + j->token.len;
    j->token.len += (size_t)(write_sequence(j, to, j->carry, length) - to);
    j->carried = 0;
    return length;
  }
  return CUT;
}

static void carry_over(json *j) {
  j->carried = (unsigned char)(j->end - j->in);
  memcpy(j->carry, j->in, j->carried);
  j->in = j->end;
}

/* Copies plain bytes; may write up to SLACK more bytes after them. */
static const char *copy_plain(char **to, const char *p, const char *end) {
#ifdef __SSE2__
  for (; end - p >= SLACK; p += SLACK, *to += SLACK) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
    unsigned mask = special_of_16(x);
    _mm_storeu_si128((__m128i *)(void *)*to, x);
    if (!mask) continue;
    *to += __builtin_ctz(mask);
    return p + __builtin_ctz(mask);
  }
#endif
  const char *plain = p;
  p = plain_end(p, end);
  memcpy(*to, plain, (size_t)(p - plain));
  *to += p - plain;
  return p;
}

/* Appends to the token, up to the quote, `stop` or a wrong byte. */
static int gather(json *j, const char *stop) {
  const char *p = j->in;
  char *to = j->token.data + j->token.len;
  int length = 1;
  while (length > 0) {
    if (p < stop && *p != '\\') p = copy_plain(&to, p, stop); /* escapes often follow each other */
    if (p >= stop || *p == '"') break;
    length = sequence_length(p, (size_t)(j->end - p));
    if (length <= 0) break;
    to = write_sequence(j, to, p, length);
    p += length;
  }
  j->in = p;
  j->token.len = (size_t)(to - j->token.data);
  return length;
}

static json_event string_given(json *j, const char *text, size_t len, const char *quote) {
  if (len > JSON_TEXT_MAX) return json_too_large(j, long_text);
  j->text = text;
  j->len = len;
  j->in = quote + 1;
  if (j->seen.string) j->seen.string_len = (size_t)(j->in - j->seen.string);
  j->state = j->next;
  return j->next == AT_COLON ? JSON_KEY : JSON_STRING;
}

/* Decoded text is never longer than its source. */
json_event json_string_rest(json *j) {
  int length = 1;
  while (length > 0) {
    size_t left = (size_t)(j->end - j->in), stretch = left < STRETCH ? left : STRETCH;
    if (!buffer_room(&j->token, stretch + SLACK)) return json_fail(j, "out of memory");
    length = j->carried ? carry_on(j) : gather(j, j->in + stretch);
    if (j->token.len > JSON_TEXT_MAX) return json_too_large(j, long_text);
    if (j->in == j->end && length > 0) break;
    if (length > 0 && *j->in == '"') return string_given(j, j->token.data, j->token.len, j->in);
  }
  if (length == CUT && !j->carried) carry_over(j);
  if (length >= 0) return json_piece_used_up(j);
  const char *error = wrong_byte(j);
  if (!j->carried) j->in += MALFORMED - length;
  return json_malformed(j, error);
}

static const char *valid_end(const char *p, const char *end) {
  int length = 1;
  while (length > 0 && p < end && (unsigned char)*p >= 0x80) {
    length = utf8_length((const unsigned char *)p, (size_t)(end - p));
    if (length > 0) p = plain_end(p + length, end);
  }
  return p;
}

/* Returns the text in place if there is nothing to decode. */
json_event json_string(json *j, const char *p, unsigned char next) {
  const char *start = p + 1, *end = j->end;
  j->seen.string = p;
  j->next = next;
  p = plain_end(start, end);
  if (p < end && *p == '"') return string_given(j, start, (size_t)(p - start), p);
  p = valid_end(p, end);
  if (p < end && *p == '"') return string_given(j, start, (size_t)(p - start), p);
  j->in = p;
  if (p - start > JSON_TEXT_MAX) return json_too_large(j, long_text);
  j->token.len = 0;
  j->surrogate = 0;
  j->state = IN_STRING;
  buffer_add(&j->token, start, (size_t)(p - start));
  return json_string_rest(j);
}
