/* fuzz/form.c - csrc/form.c: decoding a form returns the fields that were put into it, and no byte of a value is
 * interpreted as part of the form's syntax.
 *
 * The input: fields, each a byte that chooses the kind, a byte of length, and that many bytes. */
#include "../csrc/form.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                          \
  do {                                                           \
    if (!(condition)) {                                          \
      fprintf(stderr, "%s:%d: " #condition "\n", __FILE__, __LINE__); \
      abort();                                                   \
    }                                                            \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT, INTEGER, NUMBER, KINDS };

static int hex(char c) {
  const char *digits = "0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;
  MUST(at);
  return (int)(at - digits);
}

/* Decodes the value as a server does, up to & or the end. */
static size_t unescape(const char *p, const char *end, char *into) {
  size_t len = 0;
  for (; p < end && *p != '&'; p++) {
    MUST(*p != '=' && (unsigned char)*p > ' ' && (unsigned char)*p < 0x7f);
    if (*p == '%') {
      MUST(end - p >= 3);
      into[len++] = (char)(hex(p[1]) << 4 | hex(p[2]));
      p += 2;
    } else {
      into[len++] = *p == '+' ? ' ' : *p;
    }
  }
  return len;
}

static void check_value(const buffer *b, size_t from, int kind, const char *value, size_t len) {
  static char read[4096];
  MUST(b->len - from < sizeof read);
  size_t read_len = unescape(b->data + from, b->data + b->len, read);
  read[read_len] = '\0';
  if (kind == TEXT) {
    MUST(read_len == len && memcmp(read, value, len) == 0);
  } else if (kind == INTEGER) {
    int64_t n;
    memcpy(&n, value, sizeof n);
    MUST(strtoll(read, NULL, 10) == n);
  } else {
    double n;
    memcpy(&n, value, sizeof n);
    MUST(isnan(n) ? strstr(read, "nan") != NULL : strtod(read, NULL) == n);
  }
}

static void add_value(buffer *b, int kind, const char *value, size_t len) {
  if (kind == TEXT) {
    form_text(b, value, len);
  } else if (kind == INTEGER) {
    int64_t n;
    memcpy(&n, value, sizeof n);
    form_integer(b, n);
  } else {
    double n;
    memcpy(&n, value, sizeof n);
    form_number(b, n);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  buffer b = {0};
  while (size >= 2) {
    int kind = data[0] % KINDS;
    size_t len = kind == TEXT ? data[1] : 8;
    data += 2, size -= 2;
    if (len > size) break;
    const char *value = (const char *)data;
    size_t name_len = len / 4;
    bool ok = form_name_ok(value, name_len);
    form_begin(&b, ok ? value : "name", ok ? name_len : 4);
    MUST(memchr(b.data + b.len - 1, '=', 1));
    size_t from = b.len;
    add_value(&b, kind, value, len);
    check_value(&b, from, kind, value, len);
    data += len, size -= len;
  }
  MUST(!b.failed);
  buffer_free(&b);
  return 0;
}
