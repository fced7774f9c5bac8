/* handle.c - see handle.h. */
#include "handle.h"

#include <sys/resource.h>

enum { SHARED_CONNECTIONS = 4, KEPT_MIN = 8, KEPT_MOST = 4096 };

/* ---- opening and closing ---------------------------------------------------------------------- */

void handle_close(multi_handle *h) {
  if (!h->curl) return;
  libcurl.multi_cleanup(h->curl);
  poller_detach(h->source.poller, &h->source);
  h->curl = NULL;
  connections_free(&h->connections);
}

static long idle_max(const multi_handle *h) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur / h->idle_part > KEPT_MOST) return KEPT_MOST;
  return (long)(limit.rlim_cur / h->idle_part);
}

static bool configure(multi_handle *h) {
#if LIBCURL_VERSION_NUM >= 0x081400
  /* From 8.20 on DNS lookups share a few threads: a slow name server must not occupy them all, or delay the end. */
  libcurl.multi_setopt(h->curl, CURLMOPT_QUICK_EXIT, 1L);
  libcurl.multi_setopt(h->curl, CURLMOPT_RESOLVE_THREADS_MAX, 4096L);
#endif
  h->kept_max = KEPT_MIN;
  h->idle_max = idle_max(h);
  return libcurl.multi_setopt(h->curl, CURLMOPT_MAXCONNECTS, h->kept_max) == CURLM_OK &&
         libcurl.multi_setopt(h->curl, CURLMOPT_MAX_HOST_CONNECTIONS,
                              h->limited ? (long)SHARED_CONNECTIONS : 0L) == CURLM_OK;
}

bool handle_open(multi_handle *h, poller *p) {
  if (h->curl) return true;
  h->source.poller = p;
  h->curl = libcurl.multi_init();
  if (h->curl && configure(h) && poller_attach(p, &h->source, h->curl)) return true;
  handle_close(h);
  return false;
}

/* When the streams of a connection are used up, libcurl opens a connection for each waiting request: 200 for a burst of
 * 300. So their number is limited until a panel uses HTTP/1, which needs a connection for each request. */
void handle_lift_limit(multi_handle *h) {
  if (!h->limited) return;
  h->limited = false;
  libcurl.multi_setopt(h->curl, CURLMOPT_MAX_HOST_CONNECTIONS, 0L);
}

/* ---- how many connections are kept ------------------------------------------------------------ */

/* libcurl closes idle connections only when there are more than this number, starting with the longest idle one. */
static void keep_connections(multi_handle *h, long needed) {
  if (needed == h->kept_max) return;
  h->kept_max = needed;
  libcurl.multi_setopt(h->curl, CURLMOPT_MAXCONNECTS, needed);
}

/* The number of recent requests is enough, because each used at most one connection. */
static long needed_connections(const multi_handle *h) {
  long needed = (long)h->started + h->before;
  if (needed > h->idle_max) needed = h->idle_max;
  if (needed < h->active) needed = h->active;
  return needed < KEPT_MIN ? KEPT_MIN : needed;
}

void handle_count(multi_handle *h) {
  h->active++;
  h->started++;
  if (h->active > h->kept_max || h->started > h->kept_max) {
    long needed = needed_connections(h);
    if (needed > h->kept_max) keep_connections(h, needed * 2);
  }
}

void handle_begin_period(multi_handle *h) {
  if (!h->curl) return;
  if (!h->active && !h->started && !h->before) {
    handle_close(h);
    return;
  }
  h->before = h->started;
  h->started = 0;
  h->idle_max = idle_max(h); /* the program may have changed the limit */
  keep_connections(h, needed_connections(h));
}
