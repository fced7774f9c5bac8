/* poller.c - the sockets that libcurl waits for, and until when.
 *
 * libcurl is told of those alone on which something came. Left to itself (curl_multi_perform) it asks the system
 * about each transfer at each turn, and most wait for a panel that is far away. */
#include "poller.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { FIRST_ROOM = 64, OWN = 0, REFUSED_MS = 10 };

int64_t milliseconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- what libcurl asks for ----------------------------------------------------------------- */

/* libcurl keeps for us where in the list a socket is: OWN stands for none. */
static void store_at(poller *p, int at, struct pollfd entry) {
  p->list[at] = entry;
  curl_multi_assign(p->multi, entry.fd, (void *)(intptr_t)at);
}

static void remove_at(poller *p, int at) {
  int last = --p->count;
  if (at < last) store_at(p, at, p->list[last]);
}

static bool has_room(poller *p) {
  if (p->count < p->room) return true;
  struct pollfd *list = realloc(p->list, (size_t)p->room * 2 * sizeof *list);
  if (!list) return false;
  p->list = list;
  p->room *= 2;
  return true;
}

/* Where there is no memory the socket is not watched, and its call ends at its deadline: an error returned
 * from here would end all the others too. */
static int on_interest(CURL *easy, curl_socket_t fd, int what, void *user, void *index) {
  poller *p = user;
  int at = (int)(intptr_t)index;
  short events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    if (at != OWN) remove_at(p, at);
  } else if (at != OWN) {
    p->list[at].events = events;
  } else if (has_room(p)) {
    store_at(p, p->count++, (struct pollfd){.fd = fd, .events = events});
  }
  return 0;
}

static int on_timer(CURLM *multi, long ms, void *user) {
  poller *p = user;
  (void)multi;
  p->due = ms < 0 ? -1 : milliseconds_now() + ms;
  return 0;
}

bool poller_open(poller *p, int descriptor) {
  *p = (poller){.due = -1, .room = FIRST_ROOM};
  p->list = malloc(FIRST_ROOM * sizeof *p->list);
  if (p->list) p->list[p->count++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
  return p->list != NULL;
}

bool poller_attach(poller *p, CURLM *multi) {
  p->multi = multi;
  p->count = 1;
  p->due = -1;
  return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_interest) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, p) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_TIMERDATA, p) == CURLM_OK;
}

void poller_close(poller *p) {
  free(p->list);
  *p = (poller){.due = -1};
}

/* ---- waiting --------------------------------------------------------------------------------- */

static int until_due(const poller *p, int longest_ms) {
  if (p->due < 0) return longest_ms;
  int64_t left = p->due - milliseconds_now();
  if (left <= 0) return 0;
  return left < longest_ms ? (int)left : longest_ms;
}

/* Where libcurl 7.88 has no memory for what it keeps of a socket, that socket's next transfer crashes it. */
static bool report(poller *p, curl_socket_t fd, int what) {
  int running;
  return curl_multi_socket_action(p->multi, fd, what, &running) != CURLM_OUT_OF_MEMORY;
}

/* Of an error libcurl is to find out itself: one that it is told of ends the transfer, where a broken kept
 * connection would have been seen as one when it was read, and the request sent on another. */
static int to_curl(short came) {
  if (came & ~(POLLIN | POLLOUT)) return 0;
  return (came & POLLIN ? CURL_CSELECT_IN : 0) | (came & POLLOUT ? CURL_CSELECT_OUT : 0);
}

/* Telling one may take any out of the list, and the last fills its place: backwards, that one was told before. */
static bool report_news(poller *p, int news) {
  for (int i = p->count - 1; i > OWN && news > 0; i--) {
    if (i >= p->count || !p->list[i].revents) continue;
    short came = p->list[i].revents;
    p->list[i].revents = 0;
    news--;
    if (!report(p, p->list[i].fd, to_curl(came))) return false;
  }
  return true;
}

bool poller_wait(poller *p, int longest_ms) {
  int news = poll(p->list, (nfds_t)p->count, until_due(p, longest_ms));
  if (news < 0 && errno != EINTR) poll(NULL, 0, REFUSED_MS); /* the host lowered its limit of descriptors */
  if (!report_news(p, news)) return false;
  if (p->due < 0 || milliseconds_now() < p->due) return true;
  p->due = -1;
  return report(p, CURL_SOCKET_TIMEOUT, 0);
}
