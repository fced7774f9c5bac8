/* buffer.c - a growing byte array that leaves no copy of its bytes in freed memory. */
#include "buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A plain memset before free may be optimised away; a call through a volatile pointer may not. */
static void *(*const volatile wipe)(void *, int, size_t) = memset;

bool buffer_grow(buffer *b, size_t more) {
  size_t cap = b->cap ? b->cap : 256;
  while (cap - b->len < more && cap <= SIZE_MAX / 2) cap *= 2;
  char *data =
      cap - b->len < more ? NULL : malloc(cap); /* not realloc: it would leave an unwiped copy behind */
  if (!data) {
    b->failed = true;
    return false;
  }
  if (b->len) memcpy(data, b->data, b->len);
  if (b->data) wipe(b->data, 0, b->cap);
  free(b->data);
  b->data = data;
  b->cap = cap;
  return true;
}

void buffer_add(buffer *b, const void *data, size_t len) {
  if (!len || !buffer_room(b, len)) return;
  memcpy(b->data + b->len, data, len);
  b->len += len;
}

void buffer_wipe(buffer *b) {
  if (b->data) wipe(b->data, 0, b->cap);
  b->len = 0;
}

void buffer_free(buffer *b) {
  buffer_wipe(b);
  free(b->data);
  *b = (buffer){0};
}
