/* poller.c - waits for libcurl's sockets and timers.
 *
 * Reports only the sockets with events to libcurl (curl_multi_socket_action). curl_multi_perform would make a system
 * call for each transfer at each turn, and most transfers are waiting for a distant panel. */
#include "poller.h"
#include "clock.h"
#include "openssl.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_ROOM = 64, OWN = 0, REFUSED_MS = 10 };

/* What one panel sends must not delay another one's answer. So a socket whose events take libcurl long on average is
 * handled after all others, and after this time poll() looks for new events of the others. libcurl itself is the only
 * limit to what it reads from one socket at a time. */
enum { LONG_NS = 40 * 1000, SHORT_TURN_NS = 250 * 1000, LONG_TURN_NS = 80 * 1000 };

/* ---- libcurl's sockets and timers ---------------------------------------------------------- */

/* libcurl stores each socket's index in the list for us; OWN means none. */
static void store_at(poller *p, int at, struct pollfd entry, poller_socket socket) {
  p->list[at] = entry;
  p->sockets[at] = socket;
  libcurl.multi_assign(socket.source->multi, entry.fd, (void *)(intptr_t)at);
}

static void remove_at(poller *p, int at) {
  int last = --p->count;
  if (at < last) store_at(p, at, p->list[last], p->sockets[last]);
}

static bool grow(poller *p, int room) {
  struct pollfd *list = realloc(p->list, (size_t)room * sizeof *list);
  if (!list) return false;
  p->list = list;
  poller_socket *sockets = realloc(p->sockets, (size_t)room * sizeof *sockets);
  if (!sockets) return false;
  p->sockets = sockets;
  p->room = room;
  return true;
}

/* If memory is short the socket is not watched, and its call ends at its deadline: returning an error here would end
 * all other transfers too. */
static int on_interest(CURL *easy, curl_socket_t fd, int what, void *user, void *index) {
  poller_source *s = user;
  poller *p = s->poller;
  int at = (int)(intptr_t)index;
  short events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    if (at != OWN) remove_at(p, at);
  } else if (at != OWN) {
    p->list[at].events = events;
  } else if (p->count < p->room || grow(p, p->room * 2)) {
    store_at(p, p->count++, (struct pollfd){.fd = fd, .events = events}, (poller_socket){.source = s});
  }
  return 0;
}

static int on_timer(CURLM *multi, long ms, void *user) {
  poller_source *s = user;
  (void)multi;
  s->due = ms < 0 ? -1 : clock_milliseconds() + ms;
  return 0;
}

bool poller_open(poller *p, int descriptor) {
  *p = (poller){0};
  if (!grow(p, FIRST_ROOM)) return false;
  p->sockets[OWN] = (poller_socket){0};
  p->list[p->count++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
  return true;
}

static bool add_source(poller *p, poller_source *s) {
  for (int i = 0; i < POLLER_SOURCES; i++)
    if (!p->attached[i]) {
      p->attached[i] = s;
      return true;
    }
  return false;
}

bool poller_attach(poller *p, poller_source *s, CURLM *multi) {
  *s = (poller_source){.poller = p, .multi = multi, .due = -1};
  return add_source(p, s) && libcurl.multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_interest) == CURLM_OK &&
         libcurl.multi_setopt(multi, CURLMOPT_SOCKETDATA, s) == CURLM_OK &&
         libcurl.multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
         libcurl.multi_setopt(multi, CURLMOPT_TIMERDATA, s) == CURLM_OK;
}

/* Removes the sockets that libcurl did not remove. Its handle does not exist any more. */
void poller_detach(poller *p, poller_source *s) {
  for (int i = 0; i < POLLER_SOURCES; i++)
    if (p->attached[i] == s) p->attached[i] = NULL;
  for (int i = p->count - 1; i > OWN; i--)
    if (p->sockets[i].source == s) remove_at(p, i);
}

void poller_close(poller *p) {
  free(p->list);
  free(p->sockets);
  *p = (poller){0};
}

/* ---- waiting --------------------------------------------------------------------------------- */

static int until_due(const poller *p, int longest_ms) {
  int64_t now = clock_milliseconds(), wait = longest_ms;
  for (int i = 0; i < POLLER_SOURCES; i++) {
    const poller_source *s = p->attached[i];
    if (!s || s->due < 0) continue;
    if (s->due - now < wait) wait = s->due - now;
  }
  return wait > 0 ? (int)wait : 0;
}

/* After libcurl 7.88 fails to allocate its record of a socket, the next transfer on that socket crashes. */
static void report(poller_source *s, curl_socket_t fd, int what) {
  int running;
  if (s->broken) return;
  openssl_begin_turn();
  s->broken = libcurl.multi_socket_action(s->multi, fd, what, &running) == CURLM_OUT_OF_MEMORY;
}

/* Does not pass on errors: a reported error ends the transfer. If libcurl detects the error itself when it reads from a
 * broken idle connection, it sends the request on another one. */
static int to_curl(short came) {
  if (came & ~(POLLIN | POLLOUT)) return 0;
  return (came & POLLIN ? CURL_CSELECT_IN : 0) | (came & POLLOUT ? CURL_CSELECT_OUT : 0);
}

/* Returns the time after it. Reporting may remove any socket from the list, and the last one moves to its place. */
static int64_t report_at(poller *p, int at, int64_t now) {
  int fd = p->list[at].fd;
  short came = p->list[at].revents;
  p->list[at].revents = 0;
  report(p->sockets[at].source, fd, to_curl(came));
  int64_t after = clock_nanoseconds();
  if (at < p->count && p->list[at].fd == fd)
    p->sockets[at].average += (after - now - p->sockets[at].average) / 4;
  return after;
}

/* The sockets take turns. poll() reports those again that have no time now. */
static int64_t report_some(poller *p, int *turn, bool with_long, int64_t now) {
  int64_t until = now + (with_long ? LONG_TURN_NS : SHORT_TURN_NS);
  for (int i = p->count; i > 0 && now < until; i--) {
    int at = *turn = *turn > OWN + 1 ? *turn - 1 : p->count - 1;
    if (at <= OWN || at >= p->count || !p->list[at].revents) continue;
    if ((p->sockets[at].average > LONG_NS) == with_long) now = report_at(p, at, now);
  }
  return now;
}

static void report_news(poller *p) {
  int64_t now = report_some(p, &p->short_turn, false, clock_nanoseconds());
  report_some(p, &p->long_turn, true, now);
}

bool poller_wait(poller *p, int longest_ms) {
  p->news = poll(p->list, (nfds_t)p->count, until_due(p, longest_ms));
  if (p->news < 0 && errno != EINTR)
    poll(NULL, 0, REFUSED_MS); /* the program has lowered its limit of descriptors */
  return p->news > 0 && p->list[OWN].revents;
}

void poller_report(poller *p) {
  if (p->news > 0) report_news(p);
  for (int i = 0; i < POLLER_SOURCES; i++) {
    poller_source *s = p->attached[i];
    if (!s || s->due < 0 || clock_milliseconds() < s->due) continue;
    s->due = -1;
    report(s, CURL_SOCKET_TIMEOUT, 0);
  }
}
