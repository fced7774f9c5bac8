/* json.h - an incremental JSON reader (RFC 8259) that pulls.
 *
 * Owner: whoever declares the `json`; json_init before, json_free after. The bytes given to json_feed belong to the
 * caller and must live until JSON_MORE; `text` of an event belongs to the reader and lives until its next call. Any
 * thread, one at a time per reader. Nothing here throws. Knows no Lua and no network. */
#ifndef SMMPANEL_JSON_H
#define SMMPANEL_JSON_H

#include "buffer.h"

/* What an input may hold; beyond it the error has `limit` set. */
enum {
  JSON_DEPTH_MAX = 128,         /* containers within containers */
  JSON_NOISE_MAX = 1024 * 1024, /* bytes of notices before the document: an error like any other */
  JSON_TEXT_MAX = 1024 * 1024,  /* bytes of a string or a key, decoded */
  JSON_NUMBER_MAX = 1024        /* bytes of a number */
};

typedef enum {
  JSON_MORE,  /* the piece is used up: feed the next one, or finish */
  JSON_ERROR, /* not JSON: see `error` and `offset`; stays so */
  JSON_END,   /* after json_finish: the document is whole */
  JSON_RESET, /* what came so far was no document but a notice before it: forget it */
  JSON_OBJECT,
  JSON_OBJECT_END,
  JSON_ARRAY,
  JSON_ARRAY_END,
  JSON_KEY,
  JSON_STRING,
  JSON_NUMBER,
  JSON_TRUE,
  JSON_FALSE,
  JSON_NULL
} json_event;

/* Rows are alike, and comparing is faster than reading. `seen` is how the last value was written, where that
 * was in one piece: what stood between the value before and it (`, "key": `, in objects), and, where it is a
 * string, itself with its quotes. What is given back as `likely` before the next value, and does come again, is
 * told shorter: `hit` is set, to be cleared by who reads it, and there is no event for the key; `text` is
 * likely->string itself. */
typedef struct {
  const char *gap, *string; /* or NULL */
  size_t gap_len, string_len;
} json_field;

/* The reader. It pulls: feed a piece, take events until JSON_MORE, feed the next; json_finish says
 * that there is no more. Any split of the input gives the same events. `text`, `len` of the last
 * KEY, STRING (decoded) or NUMBER (as written) live until the next call. */
typedef struct {
  const char *text;
  size_t len;
  const char *error; /* a sentence, static */
  size_t offset;     /* bytes read so far: where the error is */
  bool blank;        /* the error is that nothing came, or white space alone */
  bool limit;        /* the error is one of the limits above */
  json_field seen;
  const json_field *likely; /* or NULL */
  bool hit;
  /* the reader's own */
  const char *piece, *in, *end; /* the piece, and what is unread of it */
  size_t before;                /* bytes of the pieces before */
  buffer token;                 /* a token cut by the end of a piece, or a string with escapes */
  const char *expected;         /* what is to come of a literal */
  json_event literal;
  size_t surrogate_end; /* where in the token the high surrogate ends that waits for a low one */
  unsigned surrogate;
  unsigned char state, next; /* next: the state after the token */
  unsigned char mark;        /* bytes seen of a byte order mark */
  bool certain;              /* began with { or [: no notice, a mistake is an error */
  bool finished;
  char carry[6]; /* of an escape or a UTF-8 sequence cut by the end of a piece */
  unsigned char carried;
  unsigned char depth;
  bool object[JSON_DEPTH_MAX]; /* for each level: an object, or an array */
} json;

void json_init(json *j);
void json_feed(json *j, const char *data, size_t len); /* data must live until JSON_MORE */
void json_finish(json *j);
json_event json_next(json *j);
void json_free(json *j);

#endif
