/* multi.c - libcurl's multi handle and the exchanges in it: starting, pausing, ending them. */
#include "multi.h"

enum { POLL_MS = 60 * 1000, OVERDUE_POLL_MS = 250, KEPT_CONNECTIONS = 1024 };
enum { SHARED_CONNECTIONS = 4 }; /* to one panel, as long as all that was seen speaks HTTP/2 */

/* ---- the handle ------------------------------------------------------------------------------ */

static void close_handle(multi *m) {
  if (m->handle) curl_multi_cleanup(m->handle);
  m->handle = NULL;
}

static bool open_handle(multi *m) {
  m->handle = curl_multi_init();
  if (m->handle && curl_multi_setopt(m->handle, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS) == CURLM_OK &&
      curl_multi_setopt(m->handle, CURLMOPT_MAX_HOST_CONNECTIONS, (long)SHARED_CONNECTIONS) == CURLM_OK &&
      poller_attach(&m->poller, m->handle))
    return true;
  close_handle(m);
  return false;
}

bool multi_open(multi *m, int descriptor, multi_end_function *on_end, void *user) {
  m->on_end = on_end;
  m->user = user;
  return poller_open(&m->poller, descriptor) && open_handle(m);
}

static void forget_connections(multi *m) {
#if CONNECTIONS_GUARDED
  connections_free(&m->connections);
#else
  (void)m;
#endif
}

void multi_close(multi *m) {
  close_handle(m);
  poller_close(&m->poller);
  forget_connections(m);
}

/* When the streams of a connection are used up, libcurl opens one more for each request that waits: 200 for a
 * burst of 300. So there is a limit, until HTTP/1 is seen, which needs as many as there are requests. */
static void lift_limit(multi *m) {
  if (m->unshared) return;
  m->unshared = true;
  curl_multi_setopt(m->handle, CURLMOPT_MAX_HOST_CONNECTIONS, 0L);
}

/* ---- the exchanges in it --------------------------------------------------------------------- */

static void link_active(multi *m, exchange *x) {
  x->added = true;
  x->overdue_at = milliseconds_now() + x->timeout_ms + OVERDUE_POLL_MS;
  x->active_before = NULL;
  x->active_next = m->active;
  if (m->active) m->active->active_before = x;
  m->active = x;
}

static void unlink_active(multi *m, exchange *x) {
  if (!x->added) return;
  x->added = false;
  curl_multi_remove_handle(m->handle, x->easy);
  if (x->active_before)
    x->active_before->active_next = x->active_next;
  else
    m->active = x->active_next;
  if (x->active_next) x->active_next->active_before = x->active_before;
}

/* From here on only Lua knows the exchange, which may be long, so the key in the request is wiped now. */
static void end_exchange(multi *m, exchange *x) {
  unlink_active(m, x);
  buffer_free(&x->request);
  m->on_end(m->user, x);
}

void multi_end(multi *m, exchange *x, const char *code, const char *text) {
  exchange_abandon(x, code, text);
  end_exchange(m, x);
}

void multi_end_all(multi *m, const char *code, const char *text) {
  while (m->active) multi_end(m, m->active, code, text);
}

void multi_start(multi *m, exchange *x) {
  bool ready = m->handle || open_handle(m);
#if CONNECTIONS_GUARDED
  x->connections = &m->connections;
#endif
  if (ready && !x->tls) lift_limit(m);
  if (ready && curl_multi_add_handle(m->handle, x->easy) == CURLM_OK)
    link_active(m, x);
  else
    multi_end(m, x, "memory", "out of memory");
}

/* ---- a body that is read too slowly ----------------------------------------------------------- */

void multi_pause(multi *m, exchange *x) {
  if (x->in_full) return;
  x->in_full = true;
  x->full_next = m->full;
  m->full = x;
}

/* Not from within the callback: libcurl would go on inflating what it has read, into a cache of
 * its own that our limits do not see. So what one read inflates to still comes in. */
static void pause_full(multi *m) {
  while (m->full) {
    exchange *x = m->full;
    m->full = x->full_next;
    x->in_full = false;
    curl_easy_pause(x->easy, CURLPAUSE_RECV);
  }
}

/* It calls back at once with what libcurl has read already: that may fill the queue again, or be refused, and then
 * libcurl does not look at this transfer any more. A bad argument is one that ended just now. */
void multi_resume(multi *m, exchange *x) {
  if (!x->added) return;
  CURLcode result = curl_easy_pause(x->easy, CURLPAUSE_CONT);
  pause_full(m);
  if (result == CURLE_OK || result == CURLE_BAD_FUNCTION_ARGUMENT) return;
  exchange_finish(x, result);
  end_exchange(m, x);
}

/* ---- a turn ----------------------------------------------------------------------------------- */

/* Nothing was sent, and libcurl has closed that connection: there are only so many. */
static void start_again(multi *m, exchange *x) {
  x->out_of_step = false;
  curl_multi_remove_handle(m->handle, x->easy);
  if (curl_multi_add_handle(m->handle, x->easy) != CURLM_OK) multi_end(m, x, "memory", "out of memory");
}

static void finish(multi *m, exchange *x, CURLcode result) {
  if (x->out_of_step) {
    start_again(m, x);
    return;
  }
  exchange_finish(x, result);
  if (x->outcome.http_version && x->outcome.http_version < 20) lift_limit(m);
  /* It may leave a connection of which it never learns whether it can be shared; others would wait for that. */
  if (result == CURLE_OUT_OF_MEMORY) curl_multi_setopt(m->handle, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  end_exchange(m, x);
}

static void collect_ended(multi *m) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(m->handle, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    char *user = NULL;
    CURLcode result = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
    finish(m, (exchange *)(void *)user, result);
  }
}

/* libcurl keeps the deadline itself, but not of a transfer that waits to share another's connection: that one
 * we end. */
static void end_overdue(multi *m) {
  int64_t now = milliseconds_now();
  if (now < m->look_at) return;
  m->look_at = now + OVERDUE_POLL_MS;
  for (exchange *x = m->active, *next; x; x = next) {
    next = x->active_next;
    if (now > x->overdue_at) multi_end(m, x, "timeout", "no end came before the deadline");
  }
}

/* The connections go with the handle, and what is known of them. */
static void close_broken_handle(multi *m) {
  multi_end_all(m, "memory", "out of memory");
  close_handle(m);
  m->unshared = false;
  forget_connections(m);
}

void multi_turn(multi *m) {
  bool in_order = poller_wait(&m->poller, m->active ? OVERDUE_POLL_MS : POLL_MS);
  pause_full(m);
  collect_ended(m);
  if (!in_order) close_broken_handle(m);
  end_overdue(m);
}
