/* json.h - an incremental JSON pull parser (RFC 8259).
 *
 * Owner: the code that declares the `json`; json_init first, json_free at the end. The bytes passed to json_feed belong
 * to the caller and must stay valid until JSON_MORE. `text` of an event belongs to the reader and is valid until its
 * next call. Any thread, one at a time per reader. Nothing here throws. Knows no Lua and no network. */
#ifndef SMMPANEL_JSON_H
#define SMMPANEL_JSON_H

#include "buffer.h"

/* Limits of the input; an error because of one has `limit` set. */
enum {
  JSON_DEPTH_MAX = 128,         /* nested containers */
  JSON_NOISE_MAX = 1024 * 1024, /* bytes of notices before the document; does not set `limit` */
  JSON_TEXT_MAX = 1024 * 1024,  /* bytes of a string or a key, decoded */
  JSON_NUMBER_MAX = 1024        /* bytes of a number */
};

typedef enum {
  JSON_MORE,  /* the piece is used up: feed the next piece, or finish */
  JSON_ERROR, /* not JSON: see `error` and `offset`; permanent */
  JSON_END,   /* after json_finish: the document is complete */
  JSON_RESET, /* the input so far was a notice, not a document: discard its values */
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

/* The source text of a value, to speed up lists: their rows are alike, and comparing is faster than parsing. `seen` is
 * the source of the last value, if it was within one piece: `gap` is the text between the previous value and it
 * (`, "key": `, in objects), and `string`, if it is a string, its text with the quotes. The caller may set `likely` to
 * such a source before the next value. If the input matches it, the reader sets `hit`, which the caller clears, and
 * skips the event of the key; `text` is then likely->string itself. */
typedef struct {
  const char *gap, *string; /* or NULL */
  size_t gap_len, string_len;
} json_field;

/* The reader. Feed a piece, call json_next until JSON_MORE, feed the next piece; call json_finish after the last one.
 * The events do not depend on how the input is split. `text` and `len` of a KEY, STRING (both decoded) or NUMBER (its
 * source text) are valid until the next call. */
typedef struct {
  const char *text;
  size_t len;
  const char *error; /* a static sentence */
  size_t offset;     /* bytes read so far: the position of the error */
  bool blank;        /* the error is that the input is empty or only white space */
  bool limit;        /* the error is one of the limits above */
  json_field seen;
  const json_field *likely; /* or NULL */
  bool hit;
  /* private to the reader */
  const char *piece, *in, *end; /* the piece, and its unread part */
  size_t before;                /* bytes of the previous pieces */
  buffer token;                 /* a token split between pieces, or a string with escapes */
  const char *expected;         /* the rest of a literal */
  json_event literal;
  size_t surrogate_end; /* the end in the token of a high surrogate that still needs a low one */
  unsigned surrogate;
  unsigned char state, next; /* next: the state after the token */
  unsigned char mark;        /* bytes read of a byte order mark */
  bool certain;              /* the input begins with { or [: a syntax error cannot be a notice */
  bool finished;
  char carry[6]; /* an escape or a UTF-8 sequence split between pieces */
  unsigned char carried;
  unsigned char depth;
  bool object[JSON_DEPTH_MAX]; /* for each level: whether it is an object */
} json;

/* Prepares a reader for a new document. Call json_free first if the reader was used before. */
void json_init(json *j);
void json_feed(json *j, const char *data, size_t len); /* data must stay valid until JSON_MORE */
void json_finish(json *j);
json_event json_next(json *j);
void json_free(json *j);

#endif
