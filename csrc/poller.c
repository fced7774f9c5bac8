/* poller.c - which sockets libcurl waits for, and until when; the engine's thread waits here.
 *
 * libcurl is told of those alone on which something came. Left to itself (curl_multi_perform) it asks the system
 * about each transfer at each turn, and most wait for a panel that is far away. */
#include "poller.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { ROOM_AT_FIRST = 64, BELL = 0, REFUSED_MS = 10 };

int64_t milliseconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- what libcurl asks for ----------------------------------------------------------------- */

/* libcurl keeps for us where in the list a socket is: the bell's place stands for none. */
static void place(sockets *s, int at, struct pollfd p) {
  s->list[at] = p;
  curl_multi_assign(s->multi, p.fd, (void *)(intptr_t)at);
}

static void drop(sockets *s, int at) {
  int last = --s->count;
  if (at < last) place(s, at, s->list[last]);
}

static bool has_room(sockets *s) {
  if (s->count < s->room) return true;
  struct pollfd *list = realloc(s->list, (size_t)s->room * 2 * sizeof *list);
  if (!list) return false;
  s->list = list;
  s->room *= 2;
  return true;
}

/* Where there is no memory the socket is not watched, and its call ends at its deadline: an error returned
 * from here would end all the others too. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *place_of_it) {
  sockets *s = user;
  int at = (int)(intptr_t)place_of_it;
  short events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    if (at != BELL) drop(s, at);
  } else if (at != BELL) {
    s->list[at].events = events;
  } else if (has_room(s)) {
    place(s, s->count++, (struct pollfd){.fd = fd, .events = events});
  }
  return 0;
}

static int on_timer(CURLM *multi, long ms, void *user) {
  sockets *s = user;
  (void)multi;
  s->due = ms < 0 ? -1 : milliseconds_now() + ms;
  return 0;
}

bool sockets_open(sockets *s, int bell) {
  *s = (sockets){.due = -1, .room = ROOM_AT_FIRST};
  s->list = malloc(ROOM_AT_FIRST * sizeof *s->list);
  if (s->list) s->list[s->count++] = (struct pollfd){.fd = bell, .events = POLLIN};
  return s->list != NULL;
}

bool sockets_serve(sockets *s, CURLM *multi) {
  s->multi = multi;
  s->count = 1;
  s->due = -1;
  return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, s) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
         curl_multi_setopt(multi, CURLMOPT_TIMERDATA, s) == CURLM_OK;
}

void sockets_close(sockets *s) {
  free(s->list);
  *s = (sockets){.due = -1};
}

/* ---- waiting --------------------------------------------------------------------------------- */

static int until_due(const sockets *s, int longest_ms) {
  if (s->due < 0) return longest_ms;
  int64_t left = s->due - milliseconds_now();
  if (left <= 0) return 0;
  return left < longest_ms ? (int)left : longest_ms;
}

/* Where libcurl 7.88 has no memory for what it keeps of a socket, that socket's next transfer crashes it. */
static bool tell(sockets *s, curl_socket_t fd, int what) {
  int running;
  return curl_multi_socket_action(s->multi, fd, what, &running) != CURLM_OUT_OF_MEMORY;
}

/* Of an error libcurl is to find out itself: one that it is told of ends the transfer, where a broken kept
 * connection would have been seen as one when it was read, and the request sent on another. */
static int as_curl_says(short came) {
  if (came & ~(POLLIN | POLLOUT)) return 0;
  return (came & POLLIN ? CURL_CSELECT_IN : 0) | (came & POLLOUT ? CURL_CSELECT_OUT : 0);
}

/* Telling one may take any out of the list, and the last fills its place: backwards, that one was told before. */
static bool tell_news(sockets *s, int news) {
  for (int i = s->count - 1; i > BELL && news > 0; i--) {
    if (i >= s->count || !s->list[i].revents) continue;
    short came = s->list[i].revents;
    s->list[i].revents = 0;
    news--;
    if (!tell(s, s->list[i].fd, as_curl_says(came))) return false;
  }
  return true;
}

bool sockets_wait(sockets *s, int longest_ms) {
  int news = poll(s->list, (nfds_t)s->count, until_due(s, longest_ms));
  if (news < 0 && errno != EINTR) poll(NULL, 0, REFUSED_MS); /* the host lowered its limit of descriptors */
  if (!tell_news(s, news)) return false;
  if (s->due < 0 || milliseconds_now() < s->due) return true;
  s->due = -1;
  return tell(s, CURL_SOCKET_TIMEOUT, 0);
}
