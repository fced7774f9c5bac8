/* inflater.h - decompresses gzip in pieces of bounded size and bounded work.
 *
 * libcurl could do it, but inflates everything from one read before it checks a limit: 16 kB become 16 MB, and nested
 * empty deflate blocks keep the thread busy for minutes without producing a byte that a limit could count.
 *
 * Owner: the code that made it. Any thread, one at a time. Nothing here throws. */
#ifndef SMMPANEL_INFLATER_H
#define SMMPANEL_INFLATER_H

#include "body.h"

enum { INFLATER_PIECE = 16 * 1024 }; /* the most bytes that one call produces */

typedef struct inflater inflater;

typedef enum {
  INFLATER_GOES_ON, /* there is more to do at once */
  INFLATER_HUNGRY,  /* `packed` is used up */
  INFLATER_ENDED,   /* the compressed stream is whole */
  INFLATER_BROKEN,  /* not gzip */
  INFLATER_NO_MEMORY
} inflater_status;

/* NULL: out of memory, or built without zlib. */
inflater *inflater_new(void);
void inflater_free(inflater *i);

/* Reads at most a kilobyte of `packed` and writes the inflated bytes to `out`, at most INFLATER_PIECE. */
inflater_status inflater_run(inflater *i, body_queue *packed, char *out, size_t *len);

#endif
