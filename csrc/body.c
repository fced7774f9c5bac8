/* body.c - bytes on their way from the engine's thread to Lua. */
#include "body.h"

#include <stdlib.h>
#include <string.h>

/* Most responses are small, and malloc and free are faster for small blocks. */
enum { CHUNK_MIN = 512, CHUNK_MAX = 16 * 1024 };

struct body_chunk {
  body_chunk *next;
  size_t from, len, size; /* unread: data[from] to data[len] */
  char data[];
};

static body_chunk *add_chunk(body_queue *b, size_t needed) {
  size_t size = needed < CHUNK_MIN ? CHUNK_MIN : needed < CHUNK_MAX ? needed : CHUNK_MAX;
  body_chunk *c = malloc(sizeof *c + size);
  if (!c) return NULL;
  *c = (body_chunk){.size = size};
  if (b->last)
    b->last->next = c;
  else
    b->first = c;
  return b->last = c;
}

static bool add_small(body_queue *b, const char *data, size_t len) {
  if (b->last || len > sizeof b->small - b->small_len) return false;
  memcpy(b->small + b->small_len, data, len);
  b->small_len += len;
  b->len += len;
  return true;
}

bool body_add(body_queue *b, const char *data, size_t len) {
  if (add_small(b, data, len)) return true;
  while (len) {
    body_chunk *c = b->last;
    if (!c || c->len == c->size) c = add_chunk(b, len);
    if (!c) return false;
    size_t room = c->size - c->len, part = len < room ? len : room;
    memcpy(c->data + c->len, data, part);
    c->len += part;
    b->len += part;
    data += part;
    len -= part;
  }
  return true;
}

static size_t read_small(body_queue *b, char *into, size_t size) {
  size_t left = b->small_len - b->small_from, part = left < size ? left : size;
  memcpy(into, b->small + b->small_from, part);
  b->small_from += part;
  b->len -= part;
  if (b->small_from == b->small_len) b->small_from = b->small_len = 0;
  return part;
}

size_t body_read(body_queue *b, char *into, size_t size) {
  if (b->small_len) return read_small(b, into, size);
  body_chunk *c = b->first;
  if (!c) return 0;
  size_t left = c->len - c->from, part = left < size ? left : size;
  memcpy(into, c->data + c->from, part);
  c->from += part;
  b->len -= part;
  if (c->from == c->len) {
    b->first = c->next;
    if (!b->first) b->last = NULL;
    free(c);
  }
  return part;
}

void body_free(body_queue *b) {
  for (body_chunk *c = b->first, *next; c; c = next) {
    next = c->next;
    free(c);
  }
  b->first = b->last = NULL;
  b->len = b->small_from = b->small_len = 0;
}
