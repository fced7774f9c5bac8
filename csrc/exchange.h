/* exchange.h - one request and its response.
 *
 * References are counted: exchange_new returns one to the caller, the engine holds one while the exchange is in flight
 * and one for each queue it is in. exchange_new and exchange_release may be called on any thread. From submission until
 * `done` the libcurl handle and the outcome belong to the engine's thread; after that the outcome belongs to the Lua
 * state's thread. The members that both threads write are marked, and need the engine's lock. Nothing here throws. Knows
 * no Lua, no JSON. */
#ifndef SMMPANEL_EXCHANGE_H
#define SMMPANEL_EXCHANGE_H

#include "body.h"
#include "buffer.h"
#include "clock.h"
#include "connections.h"
#include "curl_api.h"
#include "headers.h"
#include "inflater.h"
#include "queue.h"
#include "request_texts.h"

#include <stdatomic.h>
#include <stdint.h>

typedef struct exchange exchange;

typedef struct {
  request_options request;
  size_t max_body;   /* bytes after decompression */
  deadline deadline; /* of the call: nothing is sent after it */
  long connect_timeout_ms;
  bool write; /* must not be sent twice */
} exchange_options;

/* The result of an exchange. `code` is one of: "" (a response arrived), resolve, connect, tls, reset, cut, timeout,
 * too_large, encoding, protocol, bad_url, unsupported, cancelled, memory; `text` is the message for people. */
typedef struct {
  const char *code;
  char text[320];
  long http_status;
  int http_version;               /* 10, 11, 20, 30 */
  bool sent;                      /* a byte of the request may have reached the panel */
  long retry_after;               /* seconds; 0: not given */
  char headers[HEADERS_KEPT_MAX]; /* the headers that headers.h stores */
  size_t headers_len;
  double rate_reset; /* X-RateLimit-Reset: seconds until the rate limit resets; 0: not given */
  double seconds;
  double dns, connect, tls,
      first_byte; /* seconds from the start until each step was done; 0: not needed, or not reached */
  bool reused;    /* sent on a connection that was already open */
  uint64_t bytes; /* of the body, decompressed */
} exchange_outcome;

/* EXCHANGE_PAUSED: the piece was not accepted, and libcurl delivers it again later. EXCHANGE_FAILED: exchange_fail was
 * called. */
typedef enum { EXCHANGE_RECEIVED, EXCHANGE_PAUSED, EXCHANGE_FAILED } exchange_received;

/* Called on the engine's thread, inside libcurl, with a piece of the raw body. */
typedef exchange_received exchange_receiver(void *user, exchange *x, const char *data, size_t len);

struct exchange {
  atomic_int references;

  /* For the engine's thread only, after submission. */
  exchange_receiver *on_body; /* set together with `user` by the multi handle's owner */
  void *user;
  CURL *easy; /* NULL before the start and after the end */
  buffer request;
  request_texts texts;
  exchange_outcome outcome;
  size_t max_body;
  answer_headers answer;
  uint64_t raw_bytes; /* of the body, before decompression */
  int issued;         /* how often libcurl began to send the request */
  bool write, tls, multiplex;
  bool on_known;    /* the descriptor of its connection is stored */
  bool out_of_step; /* its connection is not usable: it needs another one */
  deadline deadline;
  long connect_timeout_ms;
  char curl_text[CURL_ERROR_SIZE];
  connections *connections; /* of the multi handle that it is in */

  /* For multi.c only, on the engine's thread. */
  struct multi_handle *handle; /* the handle that it is in, or was in */
  bool started, in_handle;     /* not yet ended; known to libcurl */
  bool received;               /* libcurl has finished; the rest is still to be decompressed */
  bool inflated;               /* the compressed stream has ended */
  bool curl_paused, unread_full, to_pause;
  bool over_burst;  /* it has received its share for now */
  int64_t burst_at; /* the millisecond in which `burst` was received */
  size_t burst;
  exchange *active_next, *active_before, *pause_next;
  inflater *inflater;
  body_queue packed; /* compressed, not yet decompressed */
  queue_link work;

  /* Protected by the engine's lock. */
  queue_link inbox, ready;
  bool cancelled, done;
  bool paused; /* too much of the body is unread: libcurl is paused, or about to be */
  bool resume;
  size_t read; /* bytes of the body that Lua has read */
  body_queue body;
};

/* Makes a request and takes ownership of the bytes of its body, even on failure. NULL: out of memory. Call it on the
 * Lua state's thread, because it reads the environment for a proxy. */
exchange *exchange_new(const exchange_options *o, buffer *body);

/* Adds and drops a reference, on any thread. The last release frees the exchange and wipes its request. */
void exchange_retain(exchange *x);
void exchange_release(exchange *x);

/* On the engine's thread, in a callback that is about to abort the transfer: sets the reason. The first one stays. */
void exchange_fail(exchange *x, const char *code, const char *text);

/* On the engine's thread: sets the outcome, from libcurl's result or with the given reason. */
void exchange_finish(exchange *x, CURLcode result);
void exchange_abandon(exchange *x, const char *code, const char *text);

#endif
