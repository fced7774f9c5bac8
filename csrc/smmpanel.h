/* smmpanel.h - what each C file offers the others. This page is the map of the C half.
 *
 *   form.c    fields -> form body             knows no Lua, no network
 *   json.c    bytes -> tokens, incrementally  knows no Lua, no network
 *   decoder.c  tokens -> Lua values, typed     knows no network
 *   engine.c    the thread and its queues     knows no Lua, no JSON
 *   exchange.c  one request through libcurl   knows no Lua, no JSON
 *   poller.c   where the thread waits        knows only libcurl's sockets
 *   notifier.c      the thread's one descriptor   knows only sockets
 *   core.c  the binding: the one file that knows them all
 */
#ifndef SMMPANEL_H
#define SMMPANEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMMPANEL_VERSION "0.1.0"

/* ---- form.c ------------------------------------------------------------------------------- */

/* A growing run of bytes. `failed` is sticky: after an allocation failed nothing is added any
 * more, and the owner looks once, at the end. Freeing wipes, for the key may be in it. */
typedef struct {
  char *data;
  size_t len, cap;
  bool failed;
} buffer;

void buffer_add(buffer *b, const void *data, size_t len);
bool buffer_room(buffer *b, size_t more); /* to write at data + len; false: failed */
void buffer_free(buffer *b);

/* One field of an application/x-www-form-urlencoded body: begin, then any number of pieces of its
 * value. The caller has checked the name with form_name_ok. */
bool form_name_ok(const char *name, size_t len);
void form_begin(buffer *b, const char *name, size_t len);
void form_text(buffer *b, const char *text, size_t len);
void form_integer(buffer *b, int64_t n);
void form_number(buffer *b, double n); /* an integral one goes out without ".0" */

/* ---- json.c ------------------------------------------------------------------------------- */

enum { JSON_DEPTH_MAX = 128 };         /* containers within containers */
enum { JSON_NOISE_MAX = 1024 * 1024 }; /* bytes of notices before the document */

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

/* ---- decoder.c ----------------------------------------------------------------------------- */

#ifdef LUA_VERSION_NUM
/* A decoder is a userdata: a reader, and on a Lua thread of its own the tables half built. A field
 * is typed by its name and the action asked (PROTOCOL: ids, money, counts, flags). What these
 * functions throw is Lua's out of memory alone; the decoder is then broken, and says so. */
typedef struct decoder decoder;

const struct action *decoder_action(const char *name); /* how its answers read */
decoder *decoder_push(lua_State *L, const struct action *action, bool decimal_text);
void decoder_reset(lua_State *L, decoder *d, const struct action *action, bool decimal_text); /* as if new */
decoder *decoder_check(lua_State *L, int arg);
bool decoder_feed(lua_State *L, decoder *d, const char *data, size_t len); /* false: not JSON */
bool decoder_finish(lua_State *L, decoder *d); /* pushes the value, or false: pushes nothing */
const char *decoder_error(const decoder *d);
const char *decoder_verdict(const decoder *d); /* "whole", "null" (nil was pushed), "empty", "broken" */
void values_open(lua_State *L); /* registers the decoder's metatable: feed, finish for Lua too */
#endif

/* ---- engine.c ----------------------------------------------------------------------------- */

enum {
  ENGINE_EXCHANGES_MAX = 4096,    /* in flight in one engine */
  ENGINE_QUEUE_MAX = 256 * 1024,  /* bytes of one body waiting for Lua: then it is paused */
  ENGINE_HEADERS_MAX = 64 * 1024, /* bytes of all headers of one answer */
  ENGINE_WRITE_IDLE = 4           /* seconds a kept connection may have idled before a write */
};

typedef struct engine engine;     /* one thread, one curl multi handle, one descriptor */
typedef struct exchange exchange; /* one request and its answer; counted references */

typedef struct {
  const char *url, *proxy, *ca_file, *crl_file, *user_agent;
  const char *const *headers; /* "Name: value", NULL at the end */
  size_t max_body;            /* bytes after decompression */
  long timeout_ms, connect_timeout_ms;
  bool write; /* never to be sent twice */
} exchange_options;

/* What became of it. `word` is one of: "" (an answer came), resolve, connect, tls, reset, cut,
 * timeout, too_large, encoding, protocol, cancelled, memory; `text` says more, for people. */
typedef struct {
  const char *word;
  char text[256];
  long http_status;
  int http_version;   /* 10, 11, 20, 30 */
  bool sent;          /* a byte of the request may have reached the panel */
  double retry_after; /* seconds; 0: not said */
  double seconds;
  uint64_t bytes; /* of the body, decompressed */
} exchange_outcome;

engine *engine_new(const char **why);
void engine_free(engine *e);          /* stops the thread and waits for it */
bool engine_is_ours(const engine *e); /* false in a child that was forked since */
int engine_descriptor(const engine *e);
int engine_in_flight(engine *e);
void engine_acknowledge(engine *e);   /* news was looked at: the descriptor is readable if some is left */
const char *engine_listen(engine *e); /* nginx: the path of a unix socket to connect to, or NULL */
bool engine_accept(engine *e);        /* ... and from now on that connection is the descriptor */

exchange *exchange_new(const exchange_options *o, buffer *body); /* takes the body over */
bool engine_submit(engine *e, exchange *x);
void engine_cancel(engine *e, exchange *x);
exchange *engine_ready(engine *e); /* the next one with news, or NULL; the caller releases it */
size_t engine_body(engine *e, exchange *x, char *into, size_t size);
bool engine_done(engine *e, exchange *x, exchange_outcome *outcome); /* ended, and its body read */
void exchange_release(exchange *x);

#endif
