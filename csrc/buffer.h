/* buffer.h - a growing run of bytes that is wiped when it is freed: the key may be in it.
 *
 * Owner: whoever declares it; zero-initialise it and call buffer_free once. No locks: one thread at a time.
 * Nothing here throws. Knows no Lua and no network. */
#ifndef SMMPANEL_BUFFER_H
#define SMMPANEL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* `failed` is sticky: after an allocation failed nothing is added any more, so that the owner checks once, at the
 * end. */
typedef struct {
  char *data;
  size_t len, cap;
  bool failed;
} buffer;

void buffer_add(buffer *b, const void *data, size_t len);

/* Makes room to write `more` bytes at data + len. False: failed. Any pointer into `data` is invalid afterwards. */
bool buffer_room(buffer *b, size_t more);

/* Wipes and frees; the buffer is empty and usable again. */
void buffer_free(buffer *b);

#endif
