/* engine.c - HTTP in a thread of its own: one libcurl multi handle, queues in, queues out, and one
 * descriptor that becomes readable when there is news. Knows no Lua and no JSON.
 *
 * Two threads meet here. `lock` guards every queue; the multi handle is the thread's alone, so it needs none. */
#include "exchange.h"
#include "poller.h"
#include "notifier.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POLL_MS = 60 * 1000, OVERDUE_POLL_MS = 250, STACK_BYTES = 512 * 1024, KEPT_CONNECTIONS = 1024 };
enum { PORTS = 65536 };
enum { CHUNK_MIN = 512, CHUNK_MAX = 16 * 1024 };
enum { SHARED_CONNECTIONS = 4 }; /* to one panel, as long as all that was seen speaks HTTP/2 */

struct engine {
  pthread_t thread;
  pthread_mutex_t lock;
  pid_t pid; /* a fork copies the memory, not the thread */
  CURLM *multi;
  sockets sockets; /* the thread's own */
  wake wake;       /* rung by the thread, */
  wake bell;       /* ... and for it, when the inbox was empty */
  bool has_lock, running, stopping;
  bool unshared; /* the thread's own: a panel was seen that needs a connection for each request */
  exchange *inbox_first, *inbox_last; /* what the thread should look at: new, cancelled, to resume */
  exchange *ready_first, *ready_last; /* what Lua should look at: body arrived, or ended */
  int in_flight;
  exchange *active; /* the thread's own: those in the multi handle, */
  exchange *full;   /* ... and those whose queue has just become full */
  int64_t look_at;  /* when to look for overdue ones again */
  engine *next;     /* in the list of all engines of the process */
  int kept[PORTS];  /* the thread's own: 1 + the descriptor of a kept connection, by its local port */
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static engine *all_engines;

/* ---- queues; the lock is held, and each holds a reference to what is in it ----------------- */

static void put_inbox(engine *e, exchange *x) {
  wake_raise(&e->bell);
  if (x->in_inbox) return;
  atomic_fetch_add(&x->references, 1);
  x->in_inbox = true;
  x->inbox_next = NULL;
  if (e->inbox_last)
    e->inbox_last->inbox_next = x;
  else
    e->inbox_first = x;
  e->inbox_last = x;
}

static exchange *take_inbox(engine *e) {
  exchange *x = e->inbox_first;
  if (!x) return NULL;
  e->inbox_first = x->inbox_next;
  if (!e->inbox_first) e->inbox_last = NULL;
  x->in_inbox = false;
  return x;
}

static void put_ready(engine *e, exchange *x) {
  if (!x->in_ready) {
    atomic_fetch_add(&x->references, 1);
    x->in_ready = true;
    x->ready_next = NULL;
    if (e->ready_last)
      e->ready_last->ready_next = x;
    else
      e->ready_first = x;
    e->ready_last = x;
  }
  wake_raise(&e->wake);
}

static exchange *take_ready(engine *e) {
  exchange *x = e->ready_first;
  if (!x) return NULL;
  e->ready_first = x->ready_next;
  if (!e->ready_first) e->ready_last = NULL;
  x->in_ready = false;
  return x;
}

/* ---- libcurl's multi handle --------------------------------------------------------------- */

static void close_multi(engine *e) {
  if (e->multi) curl_multi_cleanup(e->multi);
  e->multi = NULL;
}

static bool open_multi(engine *e) {
  e->multi = curl_multi_init();
  if (e->multi && curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS) == CURLM_OK &&
      curl_multi_setopt(e->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)SHARED_CONNECTIONS) == CURLM_OK &&
      sockets_serve(&e->sockets, e->multi))
    return true;
  close_multi(e);
  return false;
}

/* ---- the thread --------------------------------------------------------------------------- */

static void link_active(engine *e, exchange *x) {
  x->added = true;
  x->overdue_at = milliseconds_now() + x->timeout_ms + OVERDUE_POLL_MS;
  x->active_before = NULL;
  x->active_next = e->active;
  if (e->active) e->active->active_before = x;
  e->active = x;
}

static void unlink_active(engine *e, exchange *x) {
  if (!x->added) return;
  x->added = false;
  curl_multi_remove_handle(e->multi, x->easy);
  if (x->active_before)
    x->active_before->active_next = x->active_next;
  else
    e->active = x->active_next;
  if (x->active_next) x->active_next->active_before = x->active_before;
}

/* The engine's reference goes with it: after this only Lua knows the exchange, which may be long, so the
 * key in the request is wiped now. */
static void end_exchange(engine *e, exchange *x) {
  unlink_active(e, x);
  buffer_free(&x->request);
  pthread_mutex_lock(&e->lock);
  x->done = true;
  e->in_flight--;
  put_ready(e, x);
  pthread_mutex_unlock(&e->lock);
  exchange_release(x);
}

static void end_with(engine *e, exchange *x, const char *word, const char *text) {
  exchange_abandon(x, word, text);
  end_exchange(e, x);
}

/* Not from within the callback: libcurl would go on inflating what it has read, into a cache of
 * its own that our limits do not see. So what one read inflates to still comes in. */
static void pause_full(engine *e) {
  while (e->full) {
    exchange *x = e->full;
    e->full = x->full_next;
    x->in_full = false;
    curl_easy_pause(x->easy, CURLPAUSE_RECV);
  }
}

/* When the streams of a connection are used up, libcurl opens one more for each request that waits: 200 for a
 * burst of 300. So there is a limit, until HTTP/1 is seen, which needs as many as there are requests. */
static void lift_limit(engine *e) {
  if (e->unshared) return;
  e->unshared = true;
  curl_multi_setopt(e->multi, CURLMOPT_MAX_HOST_CONNECTIONS, 0L);
}

/* It calls back at once with what libcurl has read already: that may fill the queue again, or be refused, and then
 * libcurl does not look at this transfer any more. A bad argument is one that ended just now. */
static void resume_body(engine *e, exchange *x) {
  CURLcode result = curl_easy_pause(x->easy, CURLPAUSE_CONT);
  pause_full(e);
  if (result == CURLE_OK || result == CURLE_BAD_FUNCTION_ARGUMENT) return;
  exchange_conclude(x, result);
  end_exchange(e, x);
}

static void attend(engine *e, exchange *x, bool cancelled, bool resume) {
  if (x->done) return;
  if (cancelled) {
    end_with(e, x, "cancelled", "the call was cancelled");
  } else if (!x->added) {
    bool ready = e->multi || open_multi(e);
    if (ready && !x->tls) lift_limit(e);
    if (ready && curl_multi_add_handle(e->multi, x->easy) == CURLM_OK)
      link_active(e, x);
    else
      end_with(e, x, "memory", "out of memory");
  } else if (resume) {
    resume_body(e, x);
  }
}

/* -> whether the engine is to go on */
static bool read_inbox(engine *e) {
  for (;;) {
    bool cancelled = false, resume = false;
    pthread_mutex_lock(&e->lock);
    exchange *x = take_inbox(e);
    if (x) {
      cancelled = x->cancelled;
      resume = x->resume && !x->paused; /* full again meanwhile */
      x->resume = false;
    } else if (e->bell.raised) {
      wake_lower(&e->bell);
    }
    bool stopping = e->stopping;
    pthread_mutex_unlock(&e->lock);
    if (!x) return !stopping;
    attend(e, x, cancelled, resume);
    exchange_release(x);
  }
}

int engine_kept(const engine *e, int port) {
  return port > 0 && port < PORTS ? e->kept[port] - 1 : -1;
}

void engine_keep(engine *e, int port, int fd) {
  if (port > 0 && port < PORTS) e->kept[port] = fd + 1;
}

/* Nothing was sent, and libcurl has closed that connection: there are only so many. */
static void begin_again(engine *e, exchange *x) {
  x->out_of_step = false;
  curl_multi_remove_handle(e->multi, x->easy);
  if (curl_multi_add_handle(e->multi, x->easy) != CURLM_OK) end_with(e, x, "memory", "out of memory");
}

static void collect_ended(engine *e) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(e->multi, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    char *user = NULL;
    CURLcode result = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
    exchange *x = (exchange *)(void *)user;
    if (x->out_of_step) {
      begin_again(e, x);
      continue;
    }
    exchange_conclude(x, result);
    if (x->outcome.http_version && x->outcome.http_version < 20) lift_limit(e);
    /* It may leave a connection of which it never learns whether it can be shared; others would wait for that. */
    if (result == CURLE_OUT_OF_MEMORY) curl_multi_setopt(e->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    end_exchange(e, x);
  }
}

/* libcurl keeps the deadline itself, but not of a transfer that waits to share another's connection: that one
 * we end. */
static void end_overdue(engine *e) {
  int64_t now = milliseconds_now();
  if (now < e->look_at) return;
  e->look_at = now + OVERDUE_POLL_MS;
  for (exchange *x = e->active, *next; x; x = next) {
    next = x->active_next;
    if (now > x->overdue_at) end_with(e, x, "timeout", "no end came before the deadline");
  }
}

static void end_all(engine *e, const char *word, const char *text) {
  while (e->active) end_with(e, e->active, word, text);
}

/* The connections go with the handle, and what is known of them; the next request opens another. */
static void begin_anew(engine *e) {
  end_all(e, "memory", "out of memory");
  close_multi(e);
  e->unshared = false;
  memset(e->kept, 0, sizeof e->kept);
}

static void *run(void *user) {
  engine *e = user;
  while (read_inbox(e)) {
    bool in_order = sockets_wait(&e->sockets, e->active ? OVERDUE_POLL_MS : POLL_MS);
    pause_full(e);
    collect_ended(e);
    if (!in_order) begin_anew(e);
    end_overdue(e);
  }
  end_all(e, "cancelled", "the program is ending");
  return NULL;
}

/* ---- a body on its way, called by the thread inside libcurl ------------------------------- */

/* Most answers are small, and a small block is found and given back faster than a large one. */
static chunk *add_chunk(exchange *x, size_t needed) {
  size_t size = needed < CHUNK_MIN ? CHUNK_MIN : needed < CHUNK_MAX ? needed : CHUNK_MAX;
  chunk *c = malloc(sizeof *c + size);
  if (!c) return NULL;
  *c = (chunk){.size = size};
  if (x->last)
    x->last->next = c;
  else
    x->first = c;
  return x->last = c;
}

static bool append(exchange *x, const char *data, size_t len) {
  while (len) {
    chunk *c = x->last;
    if (!c || c->len == c->size) c = add_chunk(x, len);
    if (!c) return false;
    size_t room = c->size - c->len, part = len < room ? len : room;
    memcpy(c->data + c->len, data, part);
    c->len += part;
    x->queued += part;
    data += part;
    len -= part;
  }
  return true;
}

bool engine_receive(exchange *x, const char *data, size_t len) {
  engine *e = x->engine;
  pthread_mutex_lock(&e->lock);
  bool ok = append(x, data, len), full = ok && !x->paused && x->queued > ENGINE_QUEUE_MAX;
  if (full) x->paused = true;
  if (ok) put_ready(e, x);
  pthread_mutex_unlock(&e->lock);
  if (full && !x->in_full) {
    x->in_full = true;
    x->full_next = e->full;
    e->full = x;
  }
  return ok;
}

/* ---- starting and stopping ---------------------------------------------------------------- */

static void stop(engine *e) {
  if (!e->running) return;
  pthread_mutex_lock(&e->lock);
  e->stopping = true;
  wake_raise(&e->bell);
  pthread_mutex_unlock(&e->lock);
  pthread_join(e->thread, NULL);
  e->running = false;
}

/* The TLS library cleans up at exit, and a thread that is still inside it would crash. */
static void stop_all(void) {
  pthread_mutex_lock(&all_lock);
  for (engine *e = all_engines; e; e = e->next)
    if (e->pid == getpid()) stop(e);
  pthread_mutex_unlock(&all_lock);
}

/* A child of a fork must not find the lock held by a thread that did not follow. */
static void lock_all(void) {
  pthread_mutex_lock(&all_lock);
}

static void unlock_all(void) {
  pthread_mutex_unlock(&all_lock);
}

/* Ours is registered after the TLS library's own handler, so it runs before that one. Where memory was
 * short, the next engine tries again. */
static bool prepare_process(void) {
  static bool prepared;
  lock_all();
  if (!prepared)
    prepared = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && atexit(stop_all) == 0 &&
               pthread_atfork(lock_all, unlock_all, unlock_all) == 0;
  unlock_all();
  return prepared;
}

/* The host's signals are the host's: none is ever delivered to this thread. */
static bool start_thread(engine *e) {
  sigset_t every, before;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes)) return false;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  e->running = pthread_create(&e->thread, &attributes, run, e) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return e->running;
}

static const char *start(engine *e) {
  if (!prepare_process()) return "libcurl cannot be initialised";
  e->has_lock = pthread_mutex_init(&e->lock, NULL) == 0;
  if (!wake_open(&e->wake) || !wake_open(&e->bell)) return "no more file descriptors";
  if (!e->has_lock || !sockets_open(&e->sockets, e->bell.reader) || !open_multi(e)) return "out of memory";
  return start_thread(e) ? NULL : "no more threads";
}

engine *engine_new(const char **why) {
  engine *e = calloc(1, sizeof *e);
  *why = "out of memory";
  if (!e) return NULL;
  e->pid = getpid();
  e->wake = e->bell = (wake){.reader = -1, .writer = -1, .listener = -1};
  if ((*why = start(e))) {
    engine_free(e);
    return NULL;
  }
  pthread_mutex_lock(&all_lock);
  e->next = all_engines;
  all_engines = e;
  pthread_mutex_unlock(&all_lock);
  return e;
}

static void forget(engine *e) {
  pthread_mutex_lock(&all_lock);
  for (engine **at = &all_engines; *at; at = &(*at)->next)
    if (*at == e) {
      *at = e->next;
      break;
    }
  pthread_mutex_unlock(&all_lock);
}

static void release_queues(engine *e) {
  exchange *x;
  while ((x = take_inbox(e))) exchange_release(x);
  while ((x = take_ready(e))) exchange_release(x);
}

/* In a child of the process that made it nothing is closed: the connections are the parent's. */
void engine_free(engine *e) {
  if (e->pid != getpid()) return;
  forget(e);
  stop(e);
  release_queues(e);
  close_multi(e);
  sockets_close(&e->sockets);
  wake_close(&e->wake);
  wake_close(&e->bell);
  if (e->has_lock) pthread_mutex_destroy(&e->lock);
  free(e);
}

bool engine_is_ours(const engine *e) {
  return e->pid == getpid();
}

/* ---- what Lua's side calls ---------------------------------------------------------------- */

int engine_descriptor(const engine *e) {
  return e->wake.reader;
}

int engine_in_flight(engine *e) {
  pthread_mutex_lock(&e->lock);
  int n = e->in_flight;
  pthread_mutex_unlock(&e->lock);
  return n;
}

void engine_acknowledge(engine *e) {
  pthread_mutex_lock(&e->lock);
  wake_lower(&e->wake);
  if (e->ready_first) wake_raise(&e->wake);
  pthread_mutex_unlock(&e->lock);
}

const char *engine_listen(engine *e) {
  pthread_mutex_lock(&e->lock);
  bool ok = wake_listen(&e->wake);
  pthread_mutex_unlock(&e->lock);
  return ok ? e->wake.path : NULL;
}

bool engine_accept(engine *e) {
  pthread_mutex_lock(&e->lock);
  bool ok = wake_accept(&e->wake);
  pthread_mutex_unlock(&e->lock);
  return ok;
}

bool engine_submit(engine *e, exchange *x) {
  pthread_mutex_lock(&e->lock);
  bool room = !e->stopping && e->in_flight < ENGINE_EXCHANGES_MAX;
  if (room) {
    e->in_flight++;
    x->engine = e;
    atomic_fetch_add(&x->references, 1);
    put_inbox(e, x);
  }
  pthread_mutex_unlock(&e->lock);
  return room;
}

void engine_cancel(engine *e, exchange *x) {
  pthread_mutex_lock(&e->lock);
  if (!x->done && !x->cancelled) {
    x->cancelled = true;
    put_inbox(e, x);
  }
  pthread_mutex_unlock(&e->lock);
}

exchange *engine_ready(engine *e) {
  pthread_mutex_lock(&e->lock);
  exchange *x = take_ready(e);
  pthread_mutex_unlock(&e->lock);
  return x;
}

static size_t take_piece(exchange *x, char *into, size_t size) {
  chunk *c = x->first;
  if (!c) return 0;
  size_t left = c->len - c->from, part = left < size ? left : size;
  memcpy(into, c->data + c->from, part);
  c->from += part;
  x->queued -= part;
  if (c->from == c->len) {
    x->first = c->next;
    if (!x->first) x->last = NULL;
    free(c);
  }
  return part;
}

size_t engine_body(engine *e, exchange *x, char *into, size_t size) {
  pthread_mutex_lock(&e->lock);
  size_t len = take_piece(x, into, size);
  bool resume = x->paused && !x->done && x->queued <= ENGINE_QUEUE_MAX / 2;
  if (resume) {
    x->paused = false;
    x->resume = true;
    put_inbox(e, x);
  }
  if (x->first) put_ready(e, x);
  pthread_mutex_unlock(&e->lock);
  return len;
}

bool engine_done(engine *e, exchange *x, exchange_outcome *outcome) {
  pthread_mutex_lock(&e->lock);
  bool done = x->done && !x->first;
  pthread_mutex_unlock(&e->lock);
  if (done) *outcome = x->outcome;
  return done;
}
