/* easy.h - the libcurl handle of an exchange, and what libcurl calls during it.
 *
 * Owner: the exchange. All calls are on the engine's thread, once libcurl is open. Nothing here throws. */
#ifndef SMMPANEL_EASY_H
#define SMMPANEL_EASY_H

#include "curl_api.h"
#include "exchange.h"

/* Whether the exchange may share an HTTP/2 connection. Writes do not: a stream that the server refuses, for example
 * when it closes a connection after its limit of requests, would make the write uncertain. Without the limit of
 * openssl.h, HTTP/2 frames without end would hold the thread. */
bool easy_may_share(const exchange *x);

enum { EASY_POOL_MAX = 64 };

/* Handles to use again. Zero-initialise it. */
typedef struct {
  CURL *idle[EASY_POOL_MAX];
  int count;
} easy_pool;

void easy_pool_free(easy_pool *p);

/* Gives the exchange a handle with all options, and the milliseconds that are left for it. Call easy_close even if this
 * fails. */
bool easy_open(easy_pool *p, exchange *x, int64_t left, curl_refusal *why);
void easy_close(easy_pool *p, exchange *x);

#endif
