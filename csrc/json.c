/* json.c - an incremental JSON reader (RFC 8259) that pulls. Knows no Lua and no network.
 *
 * A token that lies whole in the piece is given where it lies. One that the end of the piece cuts, or
 * that has escapes, is gathered in `token`; reading goes on where it stopped, so the work is linear
 * however the input is split.
 *
 * Panels print notices before their JSON, in text or HTML. Where the input does not begin with a
 * document, the first { or [ is tried as one. A try that is no JSON is given up with JSON_RESET, and the
 * next one is sought from the point where it failed: so no byte is read twice and none is kept. What is
 * accepted is whole to the end of the input; a piece of a broken document never is, because a
 * document at the very beginning is never given up, and the input's end within a try is an error. */
#include "json.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum state {
  AT_BEGIN,     /* white space, a byte order mark */
  AT_NOISE,     /* seeking a { or [ */
  AT_FIRST_KEY, /* a key or } */
  AT_KEY,
  AT_COLON,
  AT_FIRST_VALUE, /* a value or ] */
  AT_VALUE,
  AT_COMMA,  /* a comma or the closing bracket */
  AT_AFTER,  /* white space after the document */
  IN_STRING, /* in a token that a piece's end has cut */
  IN_NUMBER,
  IN_LITERAL,
  ENDED,
  FAILED
};

enum { MALFORMED = -1, CUT = 0 };
enum { STRETCH = 4096, SLACK = 16 }; /* of a token, gathered at once */

/* ---- errors and the end of a piece -------------------------------------------------------- */

static size_t offset(const json *j) {
  return j->before + (size_t)(j->in - j->piece);
}

static json_event fail(json *j, const char *error) {
  j->offset = offset(j);
  j->error = error;
  j->state = FAILED;
  return JSON_ERROR;
}

static json_event too_large(json *j, const char *error) {
  j->limit = true;
  return fail(j, error);
}

static const char long_text[] = "a string of more than 1 MiB";

/* A mistake in the grammar: before the document has surely begun, what came was a notice. */
static json_event malformed(json *j, const char *error) {
  if (j->certain) return fail(j, error);
  j->depth = 0;
  j->carried = 0;
  j->seen.gap = NULL;
  j->hit = false;
  j->state = AT_NOISE;
  return JSON_RESET;
}

static json_event piece_used_up(json *j) {
  j->before = j->offset = offset(j);
  j->piece = j->in = j->end = "";
  j->seen = (json_field){0};
  if (!j->finished) return JSON_MORE;
  switch (j->state) {
    case AT_AFTER: j->state = ENDED; return JSON_END;
    case AT_BEGIN: j->blank = j->mark == 0; return fail(j, j->blank ? "empty" : "no JSON in it");
    case AT_NOISE: return fail(j, "no JSON in it");
    default: return fail(j, "the JSON ends too early");
  }
}

/* ---- strings ------------------------------------------------------------------------------ */

static bool special(unsigned char c) {
  return c < 0x20 || c >= 0x80 || c == '"' || c == '\\';
}

#ifndef __SSE2__
/* Whether one of eight bytes is special; which one, the byte loop finds, whatever the byte order. */
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
  __m128i odd = _mm_cmplt_epi8(x, _mm_set1_epi8(0x20)); /* signed: takes in what is not ASCII */
  odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
  odd = _mm_or_si128(odd, _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
  return (unsigned)_mm_movemask_epi8(odd);
}
#endif

/* The first byte that is not plain: a quote, a backslash, a control character, not ASCII. */
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

/* The three below look at a sequence: its length, CUT when it goes on after n bytes, or MALFORMED - i
 * when its byte i is wrong, which they tell as soon as they see that byte: so that the end of a piece
 * changes nothing. */
static inline int utf8_length(const unsigned char *p, size_t n) {
  int length = p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF5 ? 4 : 0;
  if (!length) return MALFORMED;
  unsigned char low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80; /* nothing overlong, */
  unsigned char high = p[0] == 0xED   ? 0x9F
                       : p[0] == 0xF4 ? 0x8F
                                      : 0xBF; /* no surrogates, no more than 10FFFF */
  for (int i = 1; i < length; i++) {
    if ((size_t)i == n) return CUT;
    if (p[i] < low || p[i] > high) return MALFORMED - i;
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

/* 0x10 + the digit's value; what is no digit has 0. */
static const unsigned char hex[256] = {
    ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15,
    ['6'] = 0x16, ['7'] = 0x17, ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1A, ['b'] = 0x1B,
    ['c'] = 0x1C, ['d'] = 0x1D, ['e'] = 0x1E, ['f'] = 0x1F, ['A'] = 0x1A, ['B'] = 0x1B,
    ['C'] = 0x1C, ['D'] = 0x1D, ['E'] = 0x1E, ['F'] = 0x1F,
};

/* What the character behind a backslash stands for. */
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

/* A surrogate that stays alone becomes U+FFFD: the grammar allows it, UTF-8 cannot hold it, and a panel
 * that cut a name in two within an emoji should not lose its catalogue for that. So a high one is written
 * as U+FFFD at once, and a low one right behind it takes that back. */
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
  if ((j->carried ? *j->carry : *j->in) == '\\') return "an escape that JSON does not know";
  return (unsigned char)*j->in < 0x20 && !j->carried ? "a control character in a string" : "not UTF-8";
}

/* The piece's end has cut a sequence: its bytes come one by one until it is whole. */
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

/* Copies what is plain, and may write up to SLACK bytes more behind it. */
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

/* Into the token, up to the quote, `stop` or what is wrong. */
static int gather(json *j, const char *stop) {
  const char *p = j->in;
  char *to = j->token.data + j->token.len;
  int length = 1;
  while (length > 0) {
    if (p < stop && *p != '\\') p = copy_plain(&to, p, stop); /* escapes come in runs */
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
  if (len > JSON_TEXT_MAX) return too_large(j, long_text);
  j->text = text;
  j->len = len;
  j->in = quote + 1;
  if (j->seen.string) j->seen.string_len = (size_t)(j->in - j->seen.string);
  j->state = j->next;
  return j->next == AT_COLON ? JSON_KEY : JSON_STRING;
}

/* Decoded text is never longer than what it is decoded from. */
static json_event string_rest(json *j) {
  int length = 1;
  while (length > 0) {
    size_t left = (size_t)(j->end - j->in), stretch = left < STRETCH ? left : STRETCH;
    if (!buffer_room(&j->token, stretch + SLACK)) return fail(j, "out of memory");
    length = j->carried ? carry_on(j) : gather(j, j->in + stretch);
    if (j->token.len > JSON_TEXT_MAX) return too_large(j, long_text);
    if (j->in == j->end && length > 0) break;
    if (length > 0 && *j->in == '"') return string_given(j, j->token.data, j->token.len, j->in);
  }
  if (length == CUT && !j->carried) carry_over(j);
  if (length >= 0) return piece_used_up(j);
  const char *error = wrong_byte(j);
  if (!j->carried) j->in += MALFORMED - length;
  return malformed(j, error);
}

static const char *valid_end(const char *p, const char *end) {
  int length = 1;
  while (length > 0 && p < end && (unsigned char)*p >= 0x80) {
    length = utf8_length((const unsigned char *)p, (size_t)(end - p));
    if (length > 0) p = plain_end(p + length, end);
  }
  return p;
}

/* In place as long as there is nothing to decode. */
static json_event string(json *j, const char *p, unsigned char next) {
  const char *start = p + 1, *end = j->end;
  j->seen.string = p;
  j->next = next;
  p = plain_end(start, end);
  if (p < end && *p == '"') return string_given(j, start, (size_t)(p - start), p);
  p = valid_end(p, end);
  if (p < end && *p == '"') return string_given(j, start, (size_t)(p - start), p);
  j->in = p;
  if (p - start > JSON_TEXT_MAX) return too_large(j, long_text);
  j->token.len = 0;
  j->surrogate = 0;
  j->state = IN_STRING;
  buffer_add(&j->token, start, (size_t)(p - start));
  return string_rest(j);
}

/* ---- numbers and literals ----------------------------------------------------------------- */

static bool digit(char c) {
  return c >= '0' && c <= '9';
}

static bool in_number(char c) {
  return digit(c) || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

static const char *digits_end(const char *p, const char *end) {
  while (p < end && digit(*p)) p++;
  return p;
}

static bool number_ok(const char *p, const char *end) {
  const char *start;
  if (*p == '-') p++;
  start = p;
  p = digits_end(p, end);
  if (p == start || (*start == '0' && p - start > 1)) return false;
  if (p < end && *p == '.') {
    start = p + 1;
    p = digits_end(start, end);
    if (p == start) return false;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    if (++p < end && (*p == '+' || *p == '-')) p++;
    start = p;
    p = digits_end(p, end);
    if (p == start) return false;
  }
  return p == end;
}

static const char long_number[] = "a number of more than 1024 bytes";

static json_event number_given(json *j, const char *text, size_t len) {
  if (len > JSON_NUMBER_MAX) return too_large(j, long_number);
  if (!number_ok(text, text + len)) return malformed(j, "a malformed number");
  j->text = text;
  j->len = len;
  j->state = j->next;
  return JSON_NUMBER;
}

/* A number ends where something else begins: cut by the end of the piece, it may go on. */
static json_event number_rest(json *j) {
  const char *start = j->in;
  while (j->in < j->end && in_number(*j->in)) j->in++;
  bool whole = j->in < j->end || j->finished;
  if (whole && j->state != IN_NUMBER) return number_given(j, start, (size_t)(j->in - start));
  if (j->state != IN_NUMBER) j->token.len = 0;
  j->state = IN_NUMBER;
  buffer_add(&j->token, start, (size_t)(j->in - start));
  if (j->token.failed) return fail(j, "out of memory");
  if (j->token.len > JSON_NUMBER_MAX) return too_large(j, long_number);
  return whole ? number_given(j, j->token.data, j->token.len) : piece_used_up(j);
}

static json_event literal_rest(json *j) {
  for (; *j->expected; j->expected++, j->in++) {
    if (j->in == j->end) return piece_used_up(j);
    if (*j->in != *j->expected) return malformed(j, "a value expected");
  }
  j->state = j->next;
  return j->literal;
}

static json_event literal(json *j, const char *p, const char *word, size_t len, json_event event) {
  j->in = p;
  if ((size_t)(j->end - p) >= len && memcmp(p, word, len) == 0) {
    j->in += len;
    j->state = j->next;
    return event;
  }
  j->expected = word;
  j->literal = event;
  j->state = IN_LITERAL;
  return literal_rest(j);
}

/* ---- structure: p is what j->in is to become ---------------------------------------------- */

static unsigned char after_value(const json *j) {
  return j->depth ? AT_COMMA : AT_AFTER;
}

static json_event open_container(json *j, const char *p, bool object) {
  j->in = p;
  if (j->depth == JSON_DEPTH_MAX) return too_large(j, "nested too deep");
  j->in++;
  j->object[j->depth++] = object;
  j->state = object ? AT_FIRST_KEY : AT_FIRST_VALUE;
  return object ? JSON_OBJECT : JSON_ARRAY;
}

static json_event close_container(json *j, const char *p) {
  bool object = j->object[--j->depth];
  j->in = p + 1;
  j->state = after_value(j);
  return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

static json_event unexpected(json *j, const char *p, const char *error) {
  j->in = p;
  return malformed(j, error);
}

static json_event nothing_left(json *j, const char *p, unsigned char state) {
  j->in = p;
  j->state = state;
  return piece_used_up(j);
}

static json_event value(json *j, const char *p) {
  j->next = after_value(j);
  if (*p == '"') return string(j, p, j->next);
  j->seen.string = NULL; /* the key's */
  switch (*p) {
    case '{': return open_container(j, p, true);
    case '[': return open_container(j, p, false);
    case 't': return literal(j, p, "true", 4, JSON_TRUE);
    case 'f': return literal(j, p, "false", 5, JSON_FALSE);
    case 'n': return literal(j, p, "null", 4, JSON_NULL);
    default:
      if (!digit(*p) && *p != '-') return unexpected(j, p, "a value expected");
      j->in = p;
      return number_rest(j);
  }
}

static json_event key(json *j, const char *p) {
  return *p == '"' ? string(j, p, AT_COLON) : unexpected(j, p, "a key expected");
}

static bool white(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static const char *skip_white(const char *p, const char *end) {
  while (p < end && white(*p)) p++;
  return p;
}

static json_event after_colon(json *j, const char *p) {
  if (*p != ':') return unexpected(j, p, "a colon expected");
  p = skip_white(p + 1, j->end);
  if (j->seen.gap) j->seen.gap_len = (size_t)(p - j->seen.gap);
  return p < j->end ? value(j, p) : nothing_left(j, p, AT_VALUE);
}

static bool comes(const json *j, const char *p, const char *likely, size_t len) {
  return likely && (size_t)(j->end - p) > len && memcmp(p, likely, len) == 0;
}

static json_event after_likely_gap(json *j) {
  const char *p = skip_white(j->in + j->likely->gap_len, j->end);
  j->hit = true;
  if (p == j->end) return nothing_left(j, p, AT_VALUE);
  if (!comes(j, p, j->likely->string, j->likely->string_len)) return value(j, p);
  j->text = j->likely->string;
  j->in = p + j->likely->string_len;
  return JSON_STRING; /* and still AT_COMMA */
}

static json_event after_comma(json *j, const char *p) {
  bool object = j->object[j->depth - 1];
  if (*p == (object ? '}' : ']')) return close_container(j, p);
  if (*p != ',') return unexpected(j, p, "a comma or a closing bracket expected");
  j->seen.gap = object ? j->in : NULL;
  p = skip_white(p + 1, j->end);
  if (p == j->end) return nothing_left(j, p, object ? AT_KEY : AT_VALUE);
  return object ? key(j, p) : value(j, p);
}

static json_event structure(json *j) {
  const char *p = skip_white(j->in, j->end);
  if (p == j->end) return nothing_left(j, p, j->state);
  switch (j->state) {
    case AT_COLON: return after_colon(j, p);
    case AT_COMMA: return after_comma(j, p);
    case AT_FIRST_KEY: return *p == '}' ? close_container(j, p) : key(j, p);
    case AT_KEY: return key(j, p);
    case AT_FIRST_VALUE: return *p == ']' ? close_container(j, p) : value(j, p);
    case AT_VALUE: return value(j, p);
    default: return unexpected(j, p, "text after the document");
  }
}

/* ---- the beginning, and notices before it ------------------------------------------------- */

static json_event seek(json *j) {
  for (size_t at = offset(j); j->in < j->end; j->in++, at++) {
    if (at >= JSON_NOISE_MAX) return fail(j, "too much text before the JSON");
    if (*j->in == '{' || *j->in == '[') return open_container(j, j->in, *j->in == '{');
  }
  return piece_used_up(j);
}

/* More than one byte order mark is what PHP prints when several of its files have one. */
static json_event begin(json *j) {
  static const char byte_order_mark[] = "\xEF\xBB\xBF";
  for (; j->in < j->end; j->in++) {
    if (*j->in == byte_order_mark[j->mark])
      j->mark = (unsigned char)((j->mark + 1) % 3);
    else if (j->mark || !white(*j->in))
      break;
  }
  if (j->in == j->end) return piece_used_up(j);
  bool start = !j->mark && *j->in && strchr("{[\"tfn-0123456789", *j->in);
  j->certain = start && (*j->in == '{' || *j->in == '[');
  j->state = start ? AT_VALUE : AT_NOISE;
  return json_next(j);
}

/* ---- what smmpanel.h declares ------------------------------------------------------------- */

void json_init(json *j) {
  *j = (json){.state = AT_BEGIN, .piece = "", .in = "", .end = ""};
}

void json_feed(json *j, const char *data, size_t len) {
  if (!len) return; /* data may be NULL */
  j->piece = j->in = data;
  j->end = data + len;
}

void json_finish(json *j) {
  j->finished = true;
}

json_event json_next(json *j) {
  if (j->state == AT_COMMA && j->likely && comes(j, j->in, j->likely->gap, j->likely->gap_len))
    return after_likely_gap(j);
  switch (j->state) {
    case AT_BEGIN: return begin(j);
    case AT_NOISE: return seek(j);
    case IN_STRING: return string_rest(j);
    case IN_NUMBER: return number_rest(j);
    case IN_LITERAL: return literal_rest(j);
    case ENDED: return JSON_END;
    case FAILED: return JSON_ERROR;
    default: return structure(j);
  }
}

void json_free(json *j) {
  buffer_free(&j->token);
}
