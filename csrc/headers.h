/* headers.h - what the headers of an answer say that libcurl does not, and their limits.
 *
 * Owner: whoever declares it; zero-initialise it. One thread at a time. Nothing here throws. */
#ifndef SMMPANEL_HEADERS_H
#define SMMPANEL_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

enum {
  HEADERS_BYTES_MAX = 64 * 1024, /* of one answer, interim ones and trailers included */
  HEADERS_LINES_MAX = 512,       /* libcurl's work for a folded line grows with the whole header */
  HEADERS_KEPT_MAX = 512,        /* bytes that are kept for logs and errors, */
  HEADERS_VALUE_MAX = 160        /* ... and of one value */
};

/* The Content-Encoding. */
typedef enum { CODING_NONE, CODING_GZIP, CODING_OTHER } headers_coding;

typedef struct {
  size_t bytes, lines;
  headers_coding coding;
  double rate_reset;           /* X-RateLimit-Reset: seconds from now; 0: not given */
  char kept[HEADERS_KEPT_MAX]; /* those that say what answered and how to go on: "name\nvalue\n" for each */
  size_t kept_len;
  char cf_ray[40];         /* Cloudflare's number of the request, which its support asks for; "": not given */
  bool block_ended;        /* the next line belongs to another answer, or to the trailers */
  const char *code, *text; /* after headers_read returned false: why (static) */
} answer_headers;

/* Reads a line, its end included. False: the answer is not to be read any further. */
bool headers_read(answer_headers *h, const char *line, size_t len);

#endif
