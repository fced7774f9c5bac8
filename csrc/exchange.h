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
#include "clock.h"
#include "connections.h"
#include "headers.h"
#include "inflater.h"
#include "queue.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdint.h>

enum { EXCHANGE_WRITE_IDLE = 4 }; /* seconds a kept connection may have idled before a write */

typedef struct exchange exchange;

typedef struct {
  const char *url, *proxy, *ca_file, *crl_file, *user_agent;
  const char *const *headers; /* "Name: value", NULL at the end */
  size_t max_body;            /* bytes after decompression */
  deadline deadline;          /* of the call: nothing is sent after it */
  long connect_timeout_ms;
  bool write; /* never to be sent twice */
} exchange_options;

/* Why an exchange could not be made. `code` is memory, or unsupported: libcurl lacks something. */
typedef struct {
  const char *code;
  char text[256];
} exchange_refusal;

/* What became of it. `code` is one of: "" (an answer came), resolve, connect, tls, reset, cut, timeout, too_large,
 * encoding, protocol, bad_url, unsupported, cancelled, memory; `text` says more, for people. */
typedef struct {
  const char *code;
  char text[256];
  long http_status;
  int http_version;               /* 10, 11, 20, 30 */
  bool sent;                      /* a byte of the request may have reached the panel */
  double retry_after;             /* seconds; 0: not given */
  char headers[HEADERS_KEPT_MAX]; /* those that headers.h keeps */
  size_t headers_len;
  char cf_ray[40];   /* Cloudflare's number of the request, or "" */
  double rate_reset; /* X-RateLimit-Reset: seconds until the panel's budget is full again; 0: not given */
  double seconds;
  double dns, connect, tls,
      first_byte; /* seconds from its start until each was done; 0: not needed, or not reached */
  bool reused;    /* sent on a connection that was open before */
  uint64_t bytes; /* of the body, decompressed */
} exchange_outcome;

/* Called on the engine's thread, inside libcurl, with a piece of the body as it was sent. False: exchange_fail was
 * called. */
typedef bool exchange_receiver(void *user, exchange *x, const char *data, size_t len);

struct exchange {
  atomic_int references;

  /* The engine's thread's own, once it was submitted. */
  exchange_receiver *on_body; /* set with `user` by the multi handle's owner */
  void *user;
  CURL *easy;
  struct curl_slist *headers;
  buffer request;
  exchange_outcome outcome;
  size_t max_body;
  answer_headers answer;
  uint64_t raw_bytes; /* of the body, as it was sent */
  int issued;         /* how often libcurl began to send it */
  bool write, tls, multiplex;
  bool out_of_step; /* the connection it was given is of no use: it needs another */
  deadline deadline;
  long connect_timeout_ms;
  char curl_text[CURL_ERROR_SIZE];
  connections *connections; /* of the multi handle that it is in */

  /* multi.c's own, in the engine's thread. */
  struct multi_handle *handle; /* where it is, or was */
  bool started, in_handle;     /* not yet ended; known to libcurl */
  bool received;               /* libcurl is done with it, and the rest is to be decompressed */
  bool inflated;               /* the compressed stream has ended */
  bool curl_paused, unread_full, to_pause;
  exchange *active_next, *active_before, *pause_next;
  inflater *inflater;
  body_queue packed; /* compressed, not yet decompressed */
  queue_link unpack;

  /* Under the engine's lock. */
  queue_link inbox, ready;
  bool cancelled, done;
  bool paused; /* too much of the body is unread: libcurl was, or is about to be, told to wait */
  bool resume;
  body_queue body;
};

/* Makes a request and takes the bytes of its body over, also where it fails. NULL: *why says why. On the host's
 * thread: the environment is read for a proxy. */
exchange *exchange_new(const exchange_options *o, buffer *body, exchange_refusal *why);

void exchange_retain(exchange *x);
void exchange_release(exchange *x);

/* The engine's thread: what is left of the deadline is libcurl's from now on. False: it refused. */
bool exchange_set_time(exchange *x, int64_t milliseconds);

/* The engine's thread: from within a callback, before it refuses to go on. The first reason stays. */
void exchange_fail(exchange *x, const char *code, const char *text);

/* The engine's thread: fills the outcome, from libcurl's result or with a reason of our own. */
void exchange_finish(exchange *x, CURLcode result);
void exchange_abandon(exchange *x, const char *code, const char *text);

#endif
