/* body.h - the part of an answer's body that has arrived and was not yet read, in chunks.
 *
 * Owner: whoever declares it; zero-initialise it and call body_free once. One thread adds and another reads, so all
 * calls on one body are made under one lock of the owner's. Nothing here throws. Knows no Lua and no network. */
#ifndef SMMPANEL_BODY_H
#define SMMPANEL_BODY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct body_chunk body_chunk;

typedef struct {
  body_chunk *first, *last;
  size_t len; /* bytes not yet read */
} body_queue;

/* Copies the bytes in. False: out of memory; a part of them may be in. */
bool body_add(body_queue *b, const char *data, size_t len);

/* Moves at most `size` bytes out, no more than one chunk holds; -> how many. */
size_t body_read(body_queue *b, char *into, size_t size);

void body_free(body_queue *b);

#endif
