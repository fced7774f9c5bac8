/* inflater.c - runs zlib on small pieces. */
#include "inflater.h"

#include <stdlib.h>

#ifndef WITHOUT_ZLIB
#include <zlib.h>

enum { INPUT = 1024 };           /* bytes; few, because a dynamic block of a dozen bytes takes microseconds */
enum { GZIP_OR_ZLIB = 32 + 15 }; /* windowBits: either header, the largest window */

struct inflater {
  z_stream stream;
  Bytef input[INPUT];
};

static voidpf allocate(voidpf unused, uInt items, uInt size) {
  (void)unused;
  return calloc(items, size);
}

static void release(voidpf unused, voidpf block) {
  (void)unused;
  free(block);
}

inflater *inflater_new(void) {
  inflater *i = calloc(1, sizeof *i);
  if (!i) return NULL;
  i->stream.zalloc = allocate;
  i->stream.zfree = release;
  if (inflateInit2(&i->stream, GZIP_OR_ZLIB) == Z_OK) return i;
  free(i);
  return NULL;
}

void inflater_free(inflater *i) {
  if (i) inflateEnd(&i->stream);
  free(i);
}

inflater_status inflater_run(inflater *i, body_queue *packed, char *out, size_t *len) {
  z_stream *z = &i->stream;
  if (!z->avail_in) {
    z->avail_in = (uInt)body_read(packed, (char *)i->input, sizeof i->input);
    z->next_in = i->input;
  }
  z->next_out = (Bytef *)out;
  z->avail_out = INFLATER_PIECE;
  int result = inflate(z, Z_SYNC_FLUSH);
  *len = INFLATER_PIECE - z->avail_out;
  switch (result) {
    case Z_STREAM_END: return INFLATER_ENDED;
    case Z_MEM_ERROR: return INFLATER_NO_MEMORY;
    case Z_OK:
    case Z_BUF_ERROR:
      return z->avail_in || packed->len || *len == INFLATER_PIECE ? INFLATER_GOES_ON : INFLATER_HUNGRY;
    default: return INFLATER_BROKEN;
  }
}

#else

inflater *inflater_new(void) {
  return NULL;
}

void inflater_free(inflater *i) {
  free(i);
}

inflater_status inflater_run(inflater *i, body_queue *packed, char *out, size_t *len) {
  (void)i, (void)packed, (void)out;
  *len = 0;
  return INFLATER_NO_MEMORY;
}

#endif
