/* body.h - the part of a response body that has arrived and is not yet read, in chunks. A small body needs no chunk, so
 * that neither thread waits for the other in malloc and free.
 *
 * Owner: the code that declares it; zero-initialise it and call body_free once. One thread adds and another reads, so
 * the owner makes all calls on one body under one lock. Nothing here throws. Knows no Lua and no network. */
#ifndef SMMPANEL_BODY_H
#define SMMPANEL_BODY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct body_chunk body_chunk;

enum { BODY_SMALL = 256 };

typedef struct {
  body_chunk *first, *last;
  size_t len; /* bytes not yet read */
  size_t small_from, small_len;
  char small
      [BODY_SMALL]; /* what comes before the first chunk; unread: small[small_from] to small[small_len] */
} body_queue;

/* Appends a copy of the bytes. False: out of memory; a part of them may have been appended. */
bool body_add(body_queue *b, const char *data, size_t len);

/* Moves at most `size` bytes out, and at most one chunk. Returns how many; 0 only if nothing is unread, or size is 0. */
size_t body_read(body_queue *b, char *into, size_t size);

/* Frees the chunks; the queue is then empty and can be used again. */
void body_free(body_queue *b);

#endif
