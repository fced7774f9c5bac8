/* buffer.h - a growing byte array that is wiped when it is freed, because it may hold the key.
 *
 * Owner: the code that declares it; zero-initialise it and call buffer_free once. No locks: one thread at a time.
 * Nothing here throws. Knows no Lua and no network. */
#ifndef SMMPANEL_BUFFER_H
#define SMMPANEL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* `failed` is sticky: after a failed allocation nothing more is added, so the owner checks it once, at the end. */
typedef struct {
  char *data;
  size_t len, cap;
  bool failed;
} buffer;

/* Appends a copy of the bytes; sets `failed` if memory is short. */
void buffer_add(buffer *b, const void *data, size_t len);

/* Moves the bytes to a larger block. Only for buffer_room. */
bool buffer_grow(buffer *b, size_t more);

/* Makes room to write `more` bytes at data + len. False: failed. Any pointer into `data` is invalid afterwards.
 * Inline, because there is nearly always room, and the parser calls it for each text with escapes. */
static inline bool buffer_room(buffer *b, size_t more) {
  return !b->failed && (more <= b->cap - b->len || buffer_grow(b, more));
}

/* Wipes the bytes, and keeps their memory. */
void buffer_wipe(buffer *b);

/* Wipes and frees the bytes; the buffer is then empty and can be used again. */
void buffer_free(buffer *b);

#endif
