/* exchange.h - one request and its answer, as engine.c and exchange.c share it. */
#ifndef SMMPANEL_EXCHANGE_H
#define SMMPANEL_EXCHANGE_H

#include "smmpanel.h"

#include <curl/curl.h>
#include <stdatomic.h>

typedef struct chunk chunk;
struct chunk {
  chunk *next;
  size_t from, len, size; /* what Lua has not had yet: data[from] to data[len] */
  char data[];
};

struct exchange {
  atomic_int references; /* Lua's and, while it is in flight, the engine's */
  engine *engine;        /* set by engine_submit */
  CURL *easy;
  struct curl_slist *headers;
  buffer request;

  /* The thread's own until `done`, then nobody writes. */
  exchange_outcome outcome;
  size_t max_body, header_bytes;
  int issued, encodings;
  bool write, tls, added, in_full;
  bool out_of_step; /* the connection it was given is of no use: it wants another */
  long timeout_ms;
  int64_t overdue_at; /* monotonic milliseconds */
  char curl_text[CURL_ERROR_SIZE];
  exchange *active_next, *active_before, *full_next;

  /* Under the engine's lock. */
  exchange *inbox_next, *ready_next;
  bool in_inbox, in_ready, cancelled, done;
  bool paused; /* the body's queue is full: libcurl was, or is about to be, told to wait */
  bool resume;
  chunk *first, *last;
  size_t queued;
};

/* exchange.c: what one is made of and what became of it */
void exchange_conclude(exchange *x, CURLcode result);
void exchange_abandon(exchange *x, const char *word, const char *text); /* we ended it, not libcurl */

/* engine.c: called from the write callback with a piece of the body */
bool engine_receive(exchange *x, const char *data, size_t len);

/* ... and which descriptor the kept connection of a local port has, where it speaks HTTP/1; else -1 */
int engine_kept(const engine *e, int port);
void engine_keep(engine *e, int port, int fd);

#endif
