/* headers.c - see headers.h. */
#include "headers.h"
#include "clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool reject(answer_headers *h, const char *code, const char *text) {
  h->code = code;
  h->text = text;
  return false;
}

typedef struct {
  const char *text;
  size_t len;
} span;

/* The trimmed value of a header line, if it has this name ("name:", in lower case). */
static bool read_header(const char *line, size_t len, const char *name, span *value) {
  if ((line[0] | ' ') != name[0]) return false; /* a quick check that rejects most headers */
  size_t n = strlen(name);
  if (len < n || strncasecmp(line, name, n) != 0) return false;
  const char *from = line + n, *end = line + len;
  while (from < end && strchr(" \t\r\n", *from)) from++;
  while (from < end && strchr(" \t\r\n", end[-1])) end--;
  *value = (span){from, (size_t)(end - from)};
  return true;
}

static bool is_one_of(const span *value, const char *const *names) {
  for (; *names; names++)
    if (strlen(*names) == value->len && strncasecmp(value->text, *names, value->len) == 0) return true;
  return false;
}

/* Some panels send the character set in this header. */
static headers_coding coding_of(const span *value) {
  static const char *const none[] = {"", "identity", "none", "utf-8", "utf8", NULL};
  static const char *const gzip[] = {"gzip", "x-gzip", "deflate", NULL};
  if (is_one_of(value, none)) return CODING_NONE;
  return is_one_of(value, gzip) ? CODING_GZIP : CODING_OTHER;
}

static bool read_content_encoding(answer_headers *h, const span *value) {
  headers_coding coding = coding_of(value);
  if (coding == CODING_NONE) return true;
  if (h->coding != CODING_NONE || memchr(value->text, ',', value->len)) {
    return reject(h, "encoding", "the answer is encoded more than once");
  }
  h->coding = coding;
  return true;
}

/* Rejects compression here: libcurl would decompress it without our limits. We do not request it, and servers do not
 * send it. */
static bool read_transfer_encoding(answer_headers *h, const span *value) {
  static const char *const plain[] = {"", "chunked", "identity", NULL};
  if (is_one_of(value, plain)) return true;
  return reject(h, "encoding", "the answer has a Transfer-Encoding other than chunked");
}

/* The value is seconds from now or Unix time; both are common. */
static void read_rate_reset(answer_headers *h, const span *value) {
  static const double MOMENT_MIN = 1e9;
  char text[24];
  if (value->len >= sizeof text) return;
  memcpy(text, value->text, value->len);
  text[value->len] = '\0';
  char *end;
  double n = strtod(text, &end);
  if (*end || end == text || !(n > 0)) return;
  if (n >= MOMENT_MIN) n -= (double)clock_wall_milliseconds() / 1000;
  if (n > HEADERS_PAUSE_MAX) n = HEADERS_PAUSE_MAX;
  h->rate_reset = n > 0 ? n : 0;
}

/* Replaces line breaks in the text, because a line break ends a stored text. */
static void append_kept(answer_headers *h, const char *text, size_t len) {
  for (size_t i = 0; i < len; i++) h->kept[h->kept_len++] = text[i] == '\n' ? ' ' : text[i];
  h->kept[h->kept_len++] = '\n';
}

/* Skips a header that does not fit: they are only shown to people. */
static void keep_line(answer_headers *h, const char *line, size_t len) {
  static const char *const names[] = {"content-type:",
                                      "location:",
                                      "retry-after:",
                                      "x-ratelimit-limit:",
                                      "x-ratelimit-remaining:",
                                      "x-ratelimit-reset:",
                                      "ratelimit-reset:",
                                      "cf-ray:",
                                      "date:",
                                      NULL};
  span value;
  for (const char *const *name = names; *name; name++) {
    if (!read_header(line, len, *name, &value)) continue;
    size_t n = strlen(*name) - 1, shown = value.len < HEADERS_VALUE_MAX ? value.len : HEADERS_VALUE_MAX;
    if (h->kept_len + n + shown + 2 > sizeof h->kept) return;
    append_kept(h, *name, n);
    append_kept(h, value.text, shown);
  }
}

bool headers_read(answer_headers *h, const char *line, size_t len) {
  span value;
  h->bytes += len;
  h->lines++;
  if (h->bytes > HEADERS_BYTES_MAX || h->lines > HEADERS_LINES_MAX)
    return reject(h, "protocol", "the answer's headers are too large");
  if (len <= 2 && strchr("\r\n", *line)) {
    h->block_ended = true;
    return true;
  }
  if (h->block_ended) h->coding = CODING_NONE; /* that of an interim response */
  if (h->block_ended && strncasecmp(line, "http/", 5) == 0)
    h->kept_len = 0; /* a new response, not trailers */
  h->block_ended = false;
  keep_line(h, line, len);
  if (read_header(line, len, "content-encoding:", &value)) return read_content_encoding(h, &value);
  if (read_header(line, len, "transfer-encoding:", &value)) return read_transfer_encoding(h, &value);
  if (read_header(line, len, "x-ratelimit-reset:", &value) ||
      read_header(line, len, "ratelimit-reset:", &value))
    read_rate_reset(h, &value);
  return true;
}

const char *headers_next(const char *kept, const char *end, headers_kept *header) {
  if (kept == end) return NULL;
  const char *value = (const char *)memchr(kept, '\n', (size_t)(end - kept)) + 1;
  const char *next = (const char *)memchr(value, '\n', (size_t)(end - value)) + 1;
  *header = (headers_kept){kept, value, (size_t)(value - kept - 1), (size_t)(next - value - 1)};
  return next;
}
