/* notifier.c - the one descriptor by which the thread tells a host that step() has something to do. */
#include "notifier.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE is set below */
#endif

/* At once where the system can, or a program started by another thread would inherit it. */
#ifdef SOCK_CLOEXEC
#define PRIVATE SOCK_CLOEXEC
#else
#define PRIVATE 0
#endif

static void make_private(int fd) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, O_NONBLOCK);
#ifdef SO_NOSIGPIPE
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int));
#endif
}

bool wake_open(wake *w) {
  int pair[2];
  *w = (wake){.reader = -1, .writer = -1, .listener = -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | PRIVATE, 0, pair)) return false;
  w->reader = pair[0];
  w->writer = pair[1];
  make_private(w->reader);
  make_private(w->writer);
  return true;
}

static void close_descriptor(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static void stop_listening(wake *w) {
  close_descriptor(&w->listener);
  if (!*w->path) return;
  unlink(w->path);
  *strrchr(w->path, '/') = '\0';
  rmdir(w->path);
  *w->path = '\0';
}

void wake_close(wake *w) {
  stop_listening(w);
  close_descriptor(&w->reader);
  close_descriptor(&w->writer);
}

/* At most one byte is under way, so a full socket cannot be, and one look finds all there is. */
void wake_raise(wake *w) {
  if (w->raised) return;
  w->raised = true;
  while (send(w->writer, "", 1, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

void wake_lower(wake *w) {
  char byte;
  while (w->reader >= 0 && recv(w->reader, &byte, 1, 0) < 0 && errno == EINTR) continue;
  w->raised = false;
}

static bool listen_at(wake *w) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(w->path) >= sizeof address.sun_path) return false;
  memcpy(address.sun_path, w->path, strlen(w->path) + 1);
  w->listener = socket(AF_UNIX, SOCK_STREAM | PRIVATE, 0);
  if (w->listener < 0) return false;
  make_private(w->listener);
  return !bind(w->listener, (struct sockaddr *)&address, sizeof address) && !chmod(w->path, 0600) &&
         !listen(w->listener, 1);
}

/* The directory is the owner's alone (mkdtemp makes it 0700), so nobody else can reach the socket,
 * not even in the moment before its own mode is set. */
bool wake_listen(wake *w) {
  stop_listening(w);
  const char *base = getenv("TMPDIR");
  if (!base || strlen(base) > sizeof w->path - 32) base = "/tmp";
  snprintf(w->path, sizeof w->path, "%s/smmpanel-XXXXXX", base);
  if (!mkdtemp(w->path)) {
    *w->path = '\0';
    return false;
  }
  memcpy(w->path + strlen(w->path), "/s", 3);
  if (listen_at(w)) return true;
  stop_listening(w);
  return false;
}

/* Whoever connected reads the bytes from now on; our own pair is of no more use. */
bool wake_accept(wake *w) {
  int fd = w->listener < 0 ? -1 : accept(w->listener, NULL, NULL);
  stop_listening(w);
  if (fd < 0) return false;
  make_private(fd);
  close_descriptor(&w->reader);
  close_descriptor(&w->writer);
  w->writer = fd;
  if (w->raised) {
    w->raised = false;
    wake_raise(w);
  }
  return true;
}
