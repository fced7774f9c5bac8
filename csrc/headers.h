/* headers.h - reads the response headers that libcurl does not interpret, and enforces limits on all of them.
 *
 * Owner: the code that declares it; zero-initialise it. One thread at a time. Nothing here throws. */
#ifndef SMMPANEL_HEADERS_H
#define SMMPANEL_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

/* Seconds: a longer pause that a panel asks for counts as this one. */
enum { HEADERS_PAUSE_MAX = 365 * 24 * 60 * 60 };

enum {
  HEADERS_BYTES_MAX = 64 * 1024, /* of one response, interim responses and trailers included */
  HEADERS_LINES_MAX = 512,       /* libcurl's work for a folded line grows with the whole header */
  HEADERS_KEPT_MAX = 512,        /* bytes that are stored for logs and errors */
  HEADERS_VALUE_MAX = 160        /* bytes of one stored value */
};

/* The Content-Encoding. */
typedef enum { CODING_NONE, CODING_GZIP, CODING_OTHER } headers_coding;

typedef struct {
  size_t bytes, lines;
  headers_coding coding;
  double rate_reset;           /* X-RateLimit-Reset: seconds from now; 0: not given */
  char kept[HEADERS_KEPT_MAX]; /* headers about the server and its limits: "name\nvalue\n" for each */
  size_t kept_len;
  bool block_ended;        /* the next line belongs to another response, or to the trailers */
  const char *code, *text; /* the reason when headers_read returns false (static) */
} answer_headers;

/* Reads a line, including its line end. False: abort the response. */
bool headers_read(answer_headers *h, const char *line, size_t len);

typedef struct {
  const char *name, *value; /* not terminated; the name is in lower case */
  size_t name_len, value_len;
} headers_kept;

/* Reads one of the stored headers. Returns where the next one begins, or NULL at the end. */
const char *headers_next(const char *kept, const char *end, headers_kept *header);

#endif
