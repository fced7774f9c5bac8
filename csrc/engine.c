/* engine.c - the engine's thread, its queues and life cycle, and the functions for the Lua state's thread.
 *
 * Both threads run code in this file. `lock` protects every queue; only the engine's thread uses the multi handles, so
 * they need no lock. */
#include "engine.h"
#include "descriptors.h"
#include "multi.h"
#include "notifier.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { STACK_BYTES = 512 * 1024 };
enum { BULK_BYTES = 64 * 1024, BULK_TURN = 8 }; /* when an answer is long, and how often it has its turn */

struct engine {
  pthread_t thread;
  pthread_mutex_t lock;
  pid_t pid;         /* a fork copies the memory, not the thread */
  multi multi;       /* for the engine's thread only */
  notifier news;     /* wakes Lua's event loop when something is ready */
  notifier requests; /* wakes the engine's thread when something is in the inbox */
  bool has_lock, running, stopping;
  queue inbox; /* for the engine's thread: exchanges that are new, cancelled or to resume */
  queue ready; /* for Lua: exchanges with unread body, or ended */
  queue bulk;  /* likewise, those whose body is long */
  int taken;   /* from `ready` since the last one from `bulk` */
  int in_flight;
  engine *next; /* in the list of all engines of the process */
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static engine *all_engines;

/* ---- queues: call with the lock held; a queue holds a reference to each exchange in it ------ */

/* Returns whether the thread must be woken, which the caller does without the lock. */
static bool add_to_inbox(engine *e, exchange *x) {
  if (queue_add(&e->inbox, &x->inbox)) exchange_retain(x);
  return notifier_raise(&e->requests);
}

static exchange *take_from_inbox(engine *e) {
  queue_link *link = queue_remove(&e->inbox);
  return link ? QUEUE_OWNER(link, exchange, inbox) : NULL;
}

static void add_to_ready(engine *e, exchange *x) {
  queue *q = x->read > BULK_BYTES ? &e->bulk : &e->ready;
  if (queue_add(q, &x->ready)) exchange_retain(x);
}

/* Returns whether the event loop must be woken, which the caller does without the lock. */
static bool raise_news(engine *e) {
  return (e->ready.first || e->bulk.first) && notifier_raise(&e->news);
}

/* Short answers do not wait for long ones, except that a long one gets every BULK_TURN-th turn. */
static exchange *take_from_ready(engine *e) {
  bool bulk = !e->ready.first || (e->bulk.first && e->taken >= BULK_TURN);
  queue_link *link = queue_remove(bulk ? &e->bulk : &e->ready);
  e->taken = bulk ? 0 : e->taken + 1;
  return link ? QUEUE_OWNER(link, exchange, ready) : NULL;
}

/* ---- the thread --------------------------------------------------------------------------- */

/* Releases the engine's reference. */
static void on_end(void *user, exchange *x) {
  engine *e = user;
  pthread_mutex_lock(&e->lock);
  x->done = true;
  e->in_flight--;
  add_to_ready(e, x);
  pthread_mutex_unlock(&e->lock);
  exchange_release(x);
}

static bool on_body_piece(void *user, exchange *x, const char *data, size_t len) {
  engine *e = user;
  pthread_mutex_lock(&e->lock);
  bool ok = body_add(&x->body, data, len), full = ok && !x->paused && x->body.len > ENGINE_QUEUE_MAX;
  if (full) x->paused = true;
  if (ok) add_to_ready(e, x);
  pthread_mutex_unlock(&e->lock);
  if (full) multi_pause(&e->multi, x);
  return ok;
}

static void stop_all(void);

/* The first request opens libcurl. */
static void start_exchange(engine *e, exchange *x) {
  curl_refusal why;
  if (curl_api_open(stop_all, &why))
    multi_start(&e->multi, x);
  else
    multi_end(&e->multi, x, why.code, why.text);
}

static void handle_request(engine *e, exchange *x, bool cancelled, bool resume) {
  if (x->done) return;
  if (cancelled)
    multi_end(&e->multi, x, "cancelled", "the call was cancelled");
  else if (!x->started)
    start_exchange(e, x);
  else if (resume)
    multi_resume(&e->multi, x);
}

/* Handles all requests. Then the thread may sleep: whoever adds the next one wakes it. Returns whether the engine should
 * continue. */
static bool read_inbox(engine *e) {
  for (;;) {
    bool cancelled = false, resume = false;
    pthread_mutex_lock(&e->lock);
    exchange *x = take_from_inbox(e);
    if (x) {
      cancelled = x->cancelled;
      resume = x->resume && !x->paused; /* unless it is full again */
      x->resume = false;
    } else {
      e->requests.raised = false;
    }
    bool stopping = e->stopping;
    pthread_mutex_unlock(&e->lock);
    if (!x) return !stopping;
    handle_request(e, x, cancelled, resume);
    exchange_release(x);
  }
}

/* One notification for all that was queued since the last one. */
static void tell_news(engine *e) {
  pthread_mutex_lock(&e->lock);
  bool send = raise_news(e);
  pthread_mutex_unlock(&e->lock);
  if (send) notifier_send(&e->news);
}

/* The thread is awake, so until it has read the inbox again it need not be woken. */
static void stay_awake(engine *e) {
  pthread_mutex_lock(&e->lock);
  e->requests.raised = true;
  pthread_mutex_unlock(&e->lock);
}

static void *run(void *user) {
  engine *e = user;
  while (read_inbox(e)) {
    tell_news(e);
    if (multi_wait(&e->multi)) notifier_drain(&e->requests);
    stay_awake(e);
    multi_turn(&e->multi);
    tell_news(e);
  }
  multi_end_all(&e->multi, "cancelled", "the program is ending");
  tell_news(e);
  return NULL;
}

/* ---- starting and stopping ---------------------------------------------------------------- */

static void stop_thread(engine *e) {
  if (!e->running) return;
  pthread_mutex_lock(&e->lock);
  e->stopping = true;
  bool wake = notifier_raise(&e->requests);
  pthread_mutex_unlock(&e->lock);
  if (wake) notifier_send(&e->requests);
  pthread_join(e->thread, NULL);
  e->running = false;
}

/* Stops all threads at exit: the TLS library then cleans up, and a thread that still uses it would crash. It is
 * registered before libcurl is opened and again after it. */
static void stop_all(void) {
  pthread_mutex_lock(&all_lock);
  for (engine *e = all_engines; e; e = e->next)
    if (e->pid == getpid()) stop_thread(e);
  pthread_mutex_unlock(&all_lock);
}

/* Runs before a fork: the child must not find a lock held by a thread that it does not have. */
static void lock_all(void) {
  pthread_mutex_lock(&all_lock);
  curl_api_before_fork();
  descriptors_before_fork();
}

static void unlock_in_parent(void) {
  descriptors_after_fork(false);
  curl_api_after_fork(false);
  pthread_mutex_unlock(&all_lock);
}

static void unlock_in_child(void) {
  descriptors_after_fork(true);
  curl_api_after_fork(true);
  pthread_mutex_unlock(&all_lock);
}

/* A program may unload the module while the thread is still ending. ELF libraries are linked with nodelete instead. */
static void stay_loaded(void) {
#ifndef __ELF__
  Dl_info module;
  if (dladdr((void *)(uintptr_t)stay_loaded, &module)) dlopen(module.dli_fname, RTLD_NOW);
#endif
}

/* If memory is short, the next engine tries again. */
static bool prepare_process(void) {
  static bool prepared;
  pthread_mutex_lock(&all_lock);
  if (!prepared)
    prepared = atexit(stop_all) == 0 && pthread_atfork(lock_all, unlock_in_parent, unlock_in_child) == 0;
  pthread_mutex_unlock(&all_lock);
  if (prepared) stay_loaded();
  return prepared;
}

/* Blocks all signals in this thread, so that the program's threads get them. Signals of a fault in this thread stay
 * enabled, so that the program's crash handler runs. */
static bool start_thread(engine *e) {
  static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
  sigset_t every, before;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes)) return false;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  sigfillset(&every);
  for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&every, faults[i]);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  e->running = pthread_create(&e->thread, &attributes, run, e) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return e->running;
}

static const char *open_engine(engine *e) {
  if (!prepare_process()) return "out of memory";
  e->has_lock = pthread_mutex_init(&e->lock, NULL) == 0;
  if (!notifier_open(&e->news) || !notifier_open(&e->requests)) return "no more file descriptors";
  e->multi.on_body = on_body_piece;
  e->multi.on_end = on_end;
  e->multi.user = e;
  if (!e->has_lock || !multi_open(&e->multi, e->requests.reader)) return "out of memory";
  return start_thread(e) ? NULL : "no more threads";
}

engine *engine_new(const char **why) {
  engine *e = calloc(1, sizeof *e);
  *why = "out of memory";
  if (!e) return NULL;
  e->pid = getpid();
  e->news = e->requests = NOTIFIER_CLOSED;
  if ((*why = open_engine(e))) {
    engine_free(e);
    return NULL;
  }
  pthread_mutex_lock(&all_lock);
  e->next = all_engines;
  all_engines = e;
  pthread_mutex_unlock(&all_lock);
  return e;
}

static void remove_from_all(engine *e) {
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
  while ((x = take_from_inbox(e))) exchange_release(x);
  while ((x = take_from_ready(e))) exchange_release(x);
}

/* Closes nothing in a forked child: the connections belong to the parent. */
void engine_free(engine *e) {
  if (e->pid != getpid()) return;
  remove_from_all(e);
  stop_thread(e);
  release_queues(e);
  multi_close(&e->multi);
  notifier_close(&e->news);
  notifier_close(&e->requests);
  if (e->has_lock) pthread_mutex_destroy(&e->lock);
  free(e);
}

bool engine_is_ours(const engine *e) {
  return e->pid == getpid();
}

/* ---- functions for the Lua state's thread -------------------------------------------------- */

int engine_descriptor(const engine *e) {
  return e->news.reader;
}

int engine_watched_descriptor(engine *e) {
  notifier_keep(&e->news);
  return e->news.reader;
}

int engine_in_flight(engine *e) {
  pthread_mutex_lock(&e->lock);
  int n = e->in_flight;
  pthread_mutex_unlock(&e->lock);
  return n;
}

void engine_acknowledge(engine *e) {
  notifier_drain(&e->news);
  pthread_mutex_lock(&e->lock);
  e->news.raised = false;
  bool send = raise_news(e);
  pthread_mutex_unlock(&e->lock);
  if (send) notifier_send(&e->news);
}

const char *engine_listen(engine *e) {
  pthread_mutex_lock(&e->lock);
  bool ok = notifier_listen(&e->news);
  pthread_mutex_unlock(&e->lock);
  return ok ? e->news.path : NULL;
}

bool engine_accept(engine *e) {
  pthread_mutex_lock(&e->lock);
  bool ok = notifier_accept(&e->news);
  pthread_mutex_unlock(&e->lock);
  return ok;
}

bool engine_submit(engine *e, exchange *x) {
  pthread_mutex_lock(&e->lock);
  bool room = !e->stopping && e->in_flight < ENGINE_EXCHANGES_MAX, wake = false;
  if (room) {
    e->in_flight++;
    exchange_retain(x);
    wake = add_to_inbox(e, x);
  }
  pthread_mutex_unlock(&e->lock);
  if (wake) notifier_send(&e->requests);
  return room;
}

void engine_cancel(engine *e, exchange *x) {
  pthread_mutex_lock(&e->lock);
  bool cancel = !x->done && !x->cancelled;
  if (cancel) x->cancelled = true;
  bool wake = cancel && add_to_inbox(e, x);
  pthread_mutex_unlock(&e->lock);
  if (wake) notifier_send(&e->requests);
}

exchange *engine_ready(engine *e) {
  pthread_mutex_lock(&e->lock);
  exchange *x = take_from_ready(e);
  pthread_mutex_unlock(&e->lock);
  return x;
}

size_t engine_read_body(engine *e, exchange *x, char *into, size_t size) {
  pthread_mutex_lock(&e->lock);
  size_t len = body_read(&x->body, into, size);
  x->read += len;
  bool resume = x->paused && !x->done && x->body.len <= ENGINE_QUEUE_MAX / 2, wake = false;
  if (resume) {
    x->paused = false;
    x->resume = true;
    wake = add_to_inbox(e, x);
  }
  if (x->body.len) add_to_ready(e, x);
  bool tell = raise_news(e);
  pthread_mutex_unlock(&e->lock);
  if (wake) notifier_send(&e->requests);
  if (tell) notifier_send(&e->news);
  return len;
}

bool engine_is_done(engine *e, exchange *x) {
  pthread_mutex_lock(&e->lock);
  bool done = x->done && !x->body.len;
  pthread_mutex_unlock(&e->lock);
  return done;
}
