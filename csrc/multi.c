/* multi.c - libcurl's multi handles and the exchanges in them: starting, pausing, decompressing, ending. */
#include "multi.h"
#include "clock.h"

enum { POLL_MS = 60 * 1000, OVERDUE_POLL_MS = 250 };
enum { PACKED_MAX = 64 * 1024 }; /* compressed bytes of one body at which its transfer is paused */
enum { WORK_NS = 50 * 1000 };    /* longest time for later work before libcurl's sockets are handled */

/* What a transfer may receive in one millisecond. libcurl reads from a fast peer up to a hundred times in a row, and a
 * kilobyte of chunks of one byte each takes it as long as a hundred kilobytes. */
enum { BURST_MAX = 32 * 1024, PIECE_COST = 512 };

enum { HANDLE_REQUESTS = 128 }; /* in flight in one handle, before the next one is used */
enum { IDLE_PART = 4, FURTHER_IDLE_PART = 16 };

bool multi_open(multi *m, int descriptor) {
  for (int i = 0; i < MULTI_HANDLES; i++)
    m->handles[i].idle_part = i <= MULTI_SINGLE ? IDLE_PART : FURTHER_IDLE_PART;
  m->handles[MULTI_SHARED].limited = true;
  return poller_open(&m->poller, descriptor);
}

void multi_close(multi *m) {
  for (int i = 0; i < MULTI_HANDLES; i++) handle_close(&m->handles[i]);
  easy_pool_free(&m->easies);
  poller_close(&m->poller);
}

/* ---- exchanges -------------------------------------------------------------------------------- */

static void link_active(multi *m, exchange *x) {
  x->started = true;
  x->active_before = NULL;
  x->active_next = m->active;
  if (m->active) m->active->active_before = x;
  m->active = x;
}

static void unlink_active(multi *m, exchange *x) {
  if (!x->started) return;
  x->started = false;
  if (x->active_before)
    x->active_before->active_next = x->active_next;
  else
    m->active = x->active_next;
  if (x->active_next) x->active_next->active_before = x->active_before;
}

static void leave_handle(exchange *x) {
  if (!x->in_handle) return;
  x->in_handle = false;
  x->handle->active--;
  libcurl.multi_remove_handle(x->handle->curl, x->easy);
}

/* Lua may keep the exchange for long after its end, so the request, which has the key, is wiped now. Its memory is freed
 * by Lua's thread, which allocated it: otherwise the two threads wait for each other in malloc. */
static void end_exchange(multi *m, exchange *x) {
  leave_handle(x);
  unlink_active(m, x);
  easy_close(&m->easies, x);
  buffer_wipe(&x->request);
  body_free(&x->packed);
  m->on_end(m->user, x);
}

void multi_end(multi *m, exchange *x, const char *code, const char *text) {
  exchange_abandon(x, code, text);
  end_exchange(m, x);
}

void multi_end_all(multi *m, const char *code, const char *text) {
  while (m->active) multi_end(m, m->active, code, text);
}

static bool enter_handle(multi *m, exchange *x, int64_t left, curl_refusal *why) {
  multi_handle *h = x->handle;
  if (!easy_open(&m->easies, x, left, why)) return false;
  x->connections = &h->connections;
  if (handle_open(h, &m->poller) && libcurl.multi_add_handle(h->curl, x->easy) == CURLM_OK) return true;
  return curl_api_refuse(why, "memory", "out of memory");
}

static exchange_received on_raw_body(void *user, exchange *x, const char *data, size_t len);

static multi_handle *handle_for(multi *m, const exchange *x) {
  if (x->multiplex) return &m->handles[MULTI_SHARED];
  int i = MULTI_SINGLE;
  while (i < MULTI_HANDLES - 1 && m->handles[i].active >= HANDLE_REQUESTS) i++;
  return &m->handles[i];
}

void multi_start(multi *m, exchange *x) {
  curl_refusal why;
  int64_t left = deadline_left(&x->deadline);
  if (left <= 0) {
    multi_end(m, x, "timeout", "the deadline passed before the request was sent");
    return;
  }
  x->on_body = on_raw_body;
  x->user = m;
  x->multiplex = easy_may_share(x);
  x->handle = handle_for(m, x);
  if (!enter_handle(m, x, left, &why)) {
    multi_end(m, x, why.code, why.text);
    return;
  }
  x->in_handle = true;
  link_active(m, x);
  handle_count(x->handle);
}

/* ---- a body that is read too slowly, or arrives too fast ---------------------------------------- */

static bool must_wait(const exchange *x) {
  return x->unread_full || x->over_burst || x->packed.len > PACKED_MAX;
}

static void work_later(multi *m, exchange *x) {
  if (queue_add(&m->work, &x->work)) exchange_retain(x);
}

static void unpack_later(multi *m, exchange *x) {
  if (x->inflater && !x->inflated && !x->unread_full) work_later(m, x);
}

static void pause_later(multi *m, exchange *x) {
  if (x->to_pause) return;
  x->to_pause = true;
  x->pause_next = m->pausing;
  m->pausing = x;
}

void multi_pause(multi *m, exchange *x) {
  x->unread_full = true;
  pause_later(m, x);
}

/* Pauses outside of the callback, because in it libcurl would buffer the data that it has read. */
static void pause_full(multi *m) {
  while (m->pausing) {
    exchange *x = m->pausing;
    m->pausing = x->pause_next;
    x->to_pause = false;
    if (!x->in_handle || x->curl_paused || !must_wait(x)) continue;
    x->curl_paused = true;
    libcurl.easy_pause(x->easy, CURLPAUSE_RECV);
  }
}

/* libcurl immediately calls back with the data that it has read. That may be too much again. The callback may also
 * refuse it, and then libcurl does not report the end of this transfer, so it is ended here. A bad argument means that
 * the transfer has just ended. */
static void receive_again(multi *m, exchange *x) {
  if (!x->in_handle || !x->curl_paused || must_wait(x)) return;
  x->curl_paused = false;
  CURLcode result = libcurl.easy_pause(x->easy, CURLPAUSE_CONT);
  pause_full(m);
  if (result == CURLE_OK || result == CURLE_BAD_FUNCTION_ARGUMENT) return;
  exchange_finish(x, result);
  end_exchange(m, x);
}

/* Returns whether the transfer has received its share for now. Transfers that want more take turns. */
static bool exceeds_burst(multi *m, exchange *x, size_t len) {
  if (x->burst_at != m->now) x->burst = 0;
  x->burst_at = m->now;
  if (x->burst > BURST_MAX) {
    x->over_burst = x->curl_paused = true;
    work_later(m, x);
    return true;
  }
  x->burst += len + PIECE_COST;
  return false;
}

/* ---- decompressing ---------------------------------------------------------------------------- */

/* Passes on a piece of the decompressed body. False: the outcome has the reason. */
static bool deliver(multi *m, exchange *x, const char *data, size_t len) {
  if (len > x->max_body - x->outcome.bytes) {
    exchange_fail(x, "too_large", "the answer is larger than max_body");
    return false;
  }
  x->outcome.bytes += len;
  if (m->on_body(m->user, x, data, len)) return true;
  exchange_fail(x, "memory", "out of memory");
  return false;
}

/* Bytes after the end of a compressed stream are ignored. */
static bool store_packed(multi *m, exchange *x, const char *data, size_t len) {
  if (x->inflated) return true;
  if (!x->inflater) x->inflater = inflater_new();
  if (!x->inflater || !body_add(&x->packed, data, len)) {
    exchange_fail(x, "memory", "out of memory");
    return false;
  }
  if (x->packed.len > PACKED_MAX) pause_later(m, x);
  unpack_later(m, x);
  return true;
}

static bool accept_body(multi *m, exchange *x, const char *data, size_t len) {
  switch (x->answer.coding) {
    case CODING_GZIP: return store_packed(m, x, data, len);
    case CODING_OTHER:
      exchange_fail(x, "encoding", "the answer has a Content-Encoding that was not requested (only gzip is)");
      return false;
    default: return deliver(m, x, data, len);
  }
}

static exchange_received on_raw_body(void *user, exchange *x, const char *data, size_t len) {
  multi *m = user;
  if (exceeds_burst(m, x, len)) return EXCHANGE_PAUSED;
  return accept_body(m, x, data, len) ? EXCHANGE_RECEIVED : EXCHANGE_FAILED;
}

/* libcurl has finished the transfer; it ends once the compressed stream is read. */
static void end_received(multi *m, exchange *x) {
  if (!x->received) return;
  if (!x->inflated) exchange_fail(x, "cut", "the compressed answer is truncated");
  end_exchange(m, x);
}

static void handle_unpacked(multi *m, exchange *x, inflater_status status) {
  switch (status) {
    case INFLATER_GOES_ON:
      unpack_later(m, x);
      receive_again(m, x);
      break;
    case INFLATER_HUNGRY:
      receive_again(m, x);
      end_received(m, x);
      break;
    case INFLATER_ENDED:
      x->inflated = true;
      body_free(&x->packed);
      receive_again(m, x);
      end_received(m, x);
      break;
    case INFLATER_BROKEN:
      multi_end(m, x, "encoding", "the answer is declared as gzip, but is not gzip");
      break;
    case INFLATER_NO_MEMORY: multi_end(m, x, "memory", "out of memory"); break;
  }
}

static void unpack_piece(multi *m, exchange *x) {
  char out[INFLATER_PIECE];
  size_t len = 0;
  if (!x->started) return; /* it has ended in the meantime */
  inflater_status status = inflater_run(x->inflater, &x->packed, out, &len);
  if (len && !deliver(m, x, out, len))
    multi_end(m, x, "memory", "out of memory"); /* the first reason stays */
  else
    handle_unpacked(m, x, status);
}

/* ---- later work --------------------------------------------------------------------------------- */

static void continue_burst(multi *m, exchange *x) {
  x->over_burst = false;
  x->burst = 0;
  unpack_later(m, x);
  receive_again(m, x);
}

/* Returns whether there is time for more before libcurl's sockets are handled. After a transfer has received again
 * there is none, because it may have as much work for libcurl as all the others. */
static bool work_on(multi *m, exchange *x) {
  bool again = x->started && x->over_burst;
  if (again)
    continue_burst(m, x);
  else
    unpack_piece(m, x);
  return !again;
}

/* A piece of each exchange in turn, so that no response waits for all of another. */
static void work_some(multi *m) {
  if (!m->work.first) return;
  int64_t until = clock_nanoseconds() + WORK_NS;
  for (bool more = true; more && m->work.first; more = more && clock_nanoseconds() < until) {
    exchange *x = QUEUE_OWNER(queue_remove(&m->work), exchange, work);
    more = work_on(m, x);
    exchange_release(x);
  }
}

void multi_resume(multi *m, exchange *x) {
  x->unread_full = false;
  unpack_later(m, x);
  receive_again(m, x);
}

/* ---- a turn ----------------------------------------------------------------------------------- */

/* Nothing was sent, and libcurl has closed the connection. The number of connections bounds these restarts. */
static void start_again(multi *m, exchange *x) {
  x->out_of_step = false;
  libcurl.multi_remove_handle(x->handle->curl, x->easy);
  if (libcurl.multi_add_handle(x->handle->curl, x->easy) != CURLM_OK)
    multi_end(m, x, "memory", "out of memory");
}

static void handle_result(multi *m, exchange *x, CURLcode result) {
  if (x->out_of_step) {
    start_again(m, x);
    return;
  }
  exchange_finish(x, result);
  if (x->multiplex && x->outcome.http_version && x->outcome.http_version < 20) handle_lift_limit(x->handle);
  /* It may leave a connection of which libcurl never learns whether it can be shared; other transfers would wait. */
  if (result == CURLE_OUT_OF_MEMORY)
    libcurl.multi_setopt(x->handle->curl, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  if (!*x->outcome.code && x->inflater && !x->inflated) {
    leave_handle(x);
    x->received = true;
    unpack_later(m, x);
  } else {
    end_exchange(m, x);
  }
}

static void collect_ended(multi *m, multi_handle *h) {
  CURLMsg *message;
  int left;
  while (h->curl && (message = libcurl.multi_info_read(h->curl, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    char *user = NULL;
    CURLcode result = message->data.result;
    libcurl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
    handle_result(m, (exchange *)(void *)user, result);
  }
}

/* libcurl enforces the deadline, except for a transfer that waits to share a connection, and except for the time while
 * the machine is suspended. */
static void end_overdue(multi *m) {
  int64_t now = clock_milliseconds();
  if (now < m->look_at) return;
  m->look_at = now + OVERDUE_POLL_MS;
  for (exchange *x = m->active, *next; x; x = next) {
    next = x->active_next;
    if (now > x->deadline.steady + OVERDUE_POLL_MS)
      multi_end(m, x, "timeout", "the answer did not end before the deadline");
  }
}

/* The handle is closed with its connections and the data about them. */
static void close_broken(multi *m, multi_handle *h) {
  if (!h->curl || !h->source.broken) return;
  for (exchange *x = m->active, *next; x; x = next) {
    next = x->active_next;
    if (x->in_handle && x->handle == h) multi_end(m, x, "memory", "out of memory");
  }
  handle_close(h);
}

static void close_idle(multi *m) {
  int64_t now = clock_milliseconds();
  if (now < m->period_at) return;
  m->period_at = now + HANDLE_PERIOD_MS;
  for (int i = 0; i < MULTI_HANDLES; i++) handle_begin_period(&m->handles[i]);
}

static bool is_open(const multi *m) {
  for (int i = 0; i < MULTI_HANDLES; i++)
    if (m->handles[i].curl) return true;
  return false;
}

static int longest_wait(const multi *m) {
  if (m->work.first) return 0;
  if (m->active) return OVERDUE_POLL_MS;
  int64_t left = m->period_at - clock_milliseconds();
  if (!is_open(m) || left > POLL_MS) return POLL_MS;
  return left > 0 ? (int)left : 0;
}

bool multi_wait(multi *m) {
  return poller_wait(&m->poller, longest_wait(m));
}

void multi_turn(multi *m) {
  m->now = clock_milliseconds();
  poller_report(&m->poller);
  pause_full(m);
  for (int i = 0; i < MULTI_HANDLES; i++) collect_ended(m, &m->handles[i]);
  work_some(m);
  pause_full(m);
  for (int i = 0; i < MULTI_HANDLES; i++) close_broken(m, &m->handles[i]);
  end_overdue(m);
  close_idle(m);
}
