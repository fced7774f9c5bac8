/* form.c - see form.h. */
#include "form.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A panel may name its fields freely, but a control character is always a mistake. */
bool form_name_ok(const char *name, size_t len) {
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)name[i];
    if (c < ' ' || c == 0x7f) return false;
  }
  return len > 0;
}

static bool unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '*';
}

void form_text(buffer *b, const char *text, size_t len) {
  static const char hex[] = "0123456789ABCDEF";
  for (size_t i = 0, from = 0; i <= len; i++) {
    unsigned char c = i < len ? (unsigned char)text[i] : 0;
    if (i < len && unreserved(c)) continue;
    buffer_add(b, text + from, i - from);
    from = i + 1;
    if (i == len) break;
    const char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
    if (c == ' ')
      buffer_add(b, "+", 1);
    else
      buffer_add(b, escape, 3);
  }
}

void form_begin(buffer *b, const char *name, size_t len) {
  if (b->len) buffer_add(b, "&", 1);
  form_text(b, name, len);
  buffer_add(b, "=", 1);
}

void form_integer(buffer *b, int64_t n) {
  char text[24];
  int len = snprintf(text, sizeof text, "%lld", (long long)n);
  buffer_add(b, text, (size_t)len);
}

/* Replaces the locale's decimal point, which may be a comma or several bytes, by ".". Returns the new length. */
static size_t with_a_point(char *text, size_t len) {
  size_t to = 0;
  bool foreign = false;
  for (size_t i = 0; i < len; i++) {
    bool known = strchr("0123456789+-einfa", text[i]) != NULL;
    if (known || !foreign) text[to++] = known ? text[i] : '.';
    foreign = !known;
  }
  return to;
}

/* Writes the shortest text that converts back to the same number. */
void form_number(buffer *b, double n) {
  if (n == floor(n) && fabs(n) < 9007199254740992.0) {
    form_integer(b, (int64_t)n);
    return;
  }
  char text[32];
  int len = 0;
  for (int digits = 15; digits <= 17; digits++) {
    len = snprintf(text, sizeof text, "%.*g", digits, n);
    if (strtod(text, NULL) == n) break;
  }
  form_text(b, text, with_a_point(text, (size_t)len));
}
