/* exchange.h - one request and its answer.
 *
 * References are counted: exchange_new gives one to the caller, the engine holds one while the exchange is in flight
 * and one for each queue it is in. exchange_new and exchange_release may be called on any thread. From submission on
 * the libcurl handle and the outcome belong to the engine's thread until `done`; then nobody writes them any more. What
 * both threads write meanwhile is marked, and is under the engine's lock. Nothing here throws. Knows no Lua, no JSON. */
#ifndef SMMPANEL_EXCHANGE_H
#define SMMPANEL_EXCHANGE_H

#include "body.h"
#include "buffer.h"
#include "connections.h"
#include "queue.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
  EXCHANGE_HEADERS_MAX = 64 * 1024, /* bytes of all headers of one answer */
  EXCHANGE_WRITE_IDLE = 4           /* seconds a kept connection may have idled before a write */
};

typedef struct exchange exchange;

typedef struct {
  const char *url, *proxy, *ca_file, *crl_file, *user_agent;
  const char *const *headers; /* "Name: value", NULL at the end */
  size_t max_body;            /* bytes after decompression */
  long timeout_ms, connect_timeout_ms;
  bool write; /* never to be sent twice */
} exchange_options;

/* What became of it. `code` is one of: "" (an answer came), resolve, connect, tls, reset, cut, timeout, too_large,
 * encoding, protocol, cancelled, memory; `text` says more, for people. */
typedef struct {
  const char *code;
  char text[256];
  long http_status;
  int http_version;   /* 10, 11, 20, 30 */
  bool sent;          /* a byte of the request may have reached the panel */
  double retry_after; /* seconds; 0: not given */
  double seconds;
  uint64_t bytes; /* of the body, decompressed */
} exchange_outcome;

/* Called on the engine's thread, inside libcurl, with a piece of the body. False: out of memory. */
typedef bool exchange_receiver(void *user, exchange *x, const char *data, size_t len);

struct exchange {
  atomic_int references;
  exchange_receiver *on_body; /* set with `user` before it is submitted */
  void *user;

  /* The engine's thread's own. */
  CURL *easy;
  struct curl_slist *headers;
  buffer request;
  exchange_outcome outcome;
  size_t max_body, header_bytes;
  int issued, encodings;
  bool write, tls, added, in_full;
  bool out_of_step; /* the connection it was given is of no use: it needs another */
  long timeout_ms;
  int64_t overdue_at; /* in milliseconds_now */
  char curl_text[CURL_ERROR_SIZE];
  exchange *active_next, *active_before, *full_next;
#if CONNECTIONS_GUARDED
  connections *connections; /* of the multi handle that it is in */
#endif

  /* Under the engine's lock. */
  queue_link inbox, ready;
  bool cancelled, done;
  bool paused; /* too much of the body is unread: libcurl was, or is about to be, told to wait */
  bool resume;
  body_queue body;
};

/* Makes a request and takes the bytes of its body over, also where it fails. NULL: out of memory. */
exchange *exchange_new(const exchange_options *o, buffer *body);

void exchange_retain(exchange *x);
void exchange_release(exchange *x);

/* The engine's thread: fills the outcome, from libcurl's result or with a reason of our own. */
void exchange_finish(exchange *x, CURLcode result);
void exchange_abandon(exchange *x, const char *code, const char *text);

#endif
