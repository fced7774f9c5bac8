/* json.c - an incremental JSON pull parser (RFC 8259). Knows no Lua and no network.
 *
 * A token that is complete in the piece is returned in place, without a copy. A token that is split between pieces, or
 * that has escapes, is collected in `token`. Reading continues where it stopped, so the work is linear in the input
 * however it is split.
 *
 * Panels print notices before their JSON, in text or HTML. If the input does not begin with a document, the reader
 * tries to parse one at the first { or [. If that fails, it returns JSON_RESET and searches on from the error, so no
 * byte is read twice or stored. A document is accepted only if it extends to the end of the input. A part of a broken
 * document is never accepted: an attempt at the very beginning is never given up, and the end of the input during an
 * attempt is an error. */
#include "json.h"
#include "json_reader.h"

#include <string.h>

/* ---- errors and the end of a piece -------------------------------------------------------- */

static size_t offset(const json *j) {
  return j->before + (size_t)(j->in - j->piece);
}

json_event json_fail(json *j, const char *error) {
  j->offset = offset(j);
  j->error = error;
  j->state = FAILED;
  return JSON_ERROR;
}

json_event json_too_large(json *j, const char *error) {
  j->limit = true;
  return json_fail(j, error);
}

/* A syntax error: unless the document has certainly begun, the input so far was a notice. */
json_event json_malformed(json *j, const char *error) {
  if (j->certain) return json_fail(j, error);
  j->depth = 0;
  j->carried = 0;
  j->seen.gap = NULL;
  j->hit = false;
  j->state = AT_NOISE;
  return JSON_RESET;
}

json_event json_piece_used_up(json *j) {
  j->before = j->offset = offset(j);
  j->piece = j->in = j->end = "";
  j->seen = (json_field){0};
  if (!j->finished) return JSON_MORE;
  switch (j->state) {
    case AT_AFTER: j->state = ENDED; return JSON_END;
    case AT_BEGIN: j->blank = j->mark == 0; return json_fail(j, j->blank ? "empty" : "no JSON in it");
    case AT_NOISE: return json_fail(j, "no JSON in it");
    default: return json_fail(j, "the JSON ends too early");
  }
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
  if (len > JSON_NUMBER_MAX) return json_too_large(j, long_number);
  if (!number_ok(text, text + len)) return json_malformed(j, "a malformed number");
  j->text = text;
  j->len = len;
  j->state = j->next;
  return JSON_NUMBER;
}

/* A number ends at the first other character, so one at the end of a piece may continue in the next piece. */
static json_event number_rest(json *j) {
  const char *start = j->in;
  while (j->in < j->end && in_number(*j->in)) j->in++;
  bool whole = j->in < j->end || j->finished;
  if (whole && j->state != IN_NUMBER) return number_given(j, start, (size_t)(j->in - start));
  if (j->state != IN_NUMBER) j->token.len = 0;
  j->state = IN_NUMBER;
  buffer_add(&j->token, start, (size_t)(j->in - start));
  if (j->token.failed) return json_fail(j, "out of memory");
  if (j->token.len > JSON_NUMBER_MAX) return json_too_large(j, long_number);
  return whole ? number_given(j, j->token.data, j->token.len) : json_piece_used_up(j);
}

static json_event literal_rest(json *j) {
  for (; *j->expected; j->expected++, j->in++) {
    if (j->in == j->end) return json_piece_used_up(j);
    if (*j->in != *j->expected) return json_malformed(j, "a value expected");
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

/* ---- structure: p is the new value of j->in ------------------------------------------------ */

static unsigned char after_value(const json *j) {
  return j->depth ? AT_COMMA : AT_AFTER;
}

static json_event open_container(json *j, const char *p, bool object) {
  j->in = p;
  if (j->depth == JSON_DEPTH_MAX) return json_too_large(j, "nested too deeply");
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
  return json_malformed(j, error);
}

static json_event nothing_left(json *j, const char *p, unsigned char state) {
  j->in = p;
  j->state = state;
  return json_piece_used_up(j);
}

static json_event value(json *j, const char *p) {
  j->next = after_value(j);
  if (*p == '"') return json_string(j, p, j->next);
  j->seen.string = NULL; /* it was that of the key */
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
  return *p == '"' ? json_string(j, p, AT_COLON) : unexpected(j, p, "a key expected");
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
  return JSON_STRING; /* the state stays AT_COMMA */
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
    if (at >= JSON_NOISE_MAX) return json_fail(j, "too much text before the JSON");
    if (*j->in == '{' || *j->in == '[') return open_container(j, j->in, *j->in == '{');
  }
  return json_piece_used_up(j);
}

/* PHP prints several byte order marks if several of its source files have one. */
static json_event begin(json *j) {
  static const char byte_order_mark[] = "\xEF\xBB\xBF";
  for (; j->in < j->end; j->in++) {
    if (*j->in == byte_order_mark[j->mark])
      j->mark = (unsigned char)((j->mark + 1) % 3);
    else if (j->mark || !white(*j->in))
      break;
  }
  if (j->in == j->end) return json_piece_used_up(j);
  bool start = !j->mark && *j->in && strchr("{[\"tfn-0123456789", *j->in);
  j->certain = start && (*j->in == '{' || *j->in == '[');
  j->state = start ? AT_VALUE : AT_NOISE;
  return json_next(j);
}

/* ---- the public functions of json.h ------------------------------------------------------- */

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
    case IN_STRING: return json_string_rest(j);
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
