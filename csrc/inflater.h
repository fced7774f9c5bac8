/* inflater.h - decompresses gzip in pieces of bounded size and bounded work.
 *
 * libcurl could do it, but inflates all that one read brought before it looks at a limit: 16 kB become 16 MB, and empty
 * deflate blocks within blocks keep the thread busy for minutes without a byte for a limit to count.
 *
 * Owner: whoever made it. Any thread, one at a time. Nothing here throws. */
#ifndef SMMPANEL_INFLATER_H
#define SMMPANEL_INFLATER_H

#include "body.h"

enum { INFLATER_PIECE = 16 * 1024 }; /* bytes that one call gives at most */

typedef struct inflater inflater;

typedef enum {
  INFLATER_GOES_ON, /* there is more to do at once */
  INFLATER_HUNGRY,  /* `packed` is used up */
  INFLATER_ENDED,   /* the compressed stream is whole */
  INFLATER_BROKEN,  /* it is no gzip */
  INFLATER_NO_MEMORY
} inflater_status;

/* NULL: out of memory, or built without zlib. */
inflater *inflater_new(void);
void inflater_free(inflater *i);

/* Reads at most a kilobyte of `packed` and gives what it inflates to, at most INFLATER_PIECE bytes. */
inflater_status inflater_run(inflater *i, body_queue *packed, char *out, size_t *len);

#endif
