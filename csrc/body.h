/* body.h - the part of a response body that has arrived and is not yet read, in chunks.
 *
 * Owner: the code that declares it; zero-initialise it and call body_free once. One thread adds and another reads, so
 * the owner makes all calls on one body under one lock. Nothing here throws. Knows no Lua and no network. */
#ifndef SMMPANEL_BODY_H
#define SMMPANEL_BODY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct body_chunk body_chunk;

typedef struct {
  body_chunk *first, *last;
  size_t len; /* bytes not yet read */
} body_queue;

/* Appends a copy of the bytes. False: out of memory; a part of them may have been appended. */
bool body_add(body_queue *b, const char *data, size_t len);

/* Moves at most `size` bytes out, and at most one chunk. Returns how many. */
size_t body_read(body_queue *b, char *into, size_t size);

/* Frees the chunks; the queue is then empty and can be used again. */
void body_free(body_queue *b);

#endif
