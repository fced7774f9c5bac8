/* notifier.c - see notifier.h. */
#include "notifier.h"
#include "descriptors.h"

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

static void make_private(int fd) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, O_NONBLOCK);
#ifdef SO_NOSIGPIPE
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int));
#endif
}

bool notifier_open(notifier *n) {
  int pair[2];
  *n = NOTIFIER_CLOSED;
  if (!descriptors_pair(pair)) return false;
  n->reader = pair[0];
  n->writer = pair[1];
  make_private(n->reader);
  make_private(n->writer);
  return true;
}

static void close_descriptor(int *fd) {
  if (*fd >= 0) descriptors_close(*fd);
  *fd = -1;
}

static void stop_listening(notifier *n) {
  close_descriptor(&n->listener);
  if (!*n->path) return;
  unlink(n->path);
  *strrchr(n->path, '/') = '\0';
  rmdir(n->path);
  *n->path = '\0';
}

void notifier_close(notifier *n) {
  stop_listening(n);
  close_descriptor(&n->reader);
  close_descriptor(&n->writer);
}

/* The writer too: without one, the reader would be readable for ever. */
void notifier_keep(notifier *n) {
  descriptors_keep(n->reader);
  descriptors_keep(n->writer);
}

bool notifier_raise(notifier *n) {
  bool send = !n->raised;
  n->raised = true;
  return send;
}

/* Only a few bytes are ever in the socket, so it is never full. */
void notifier_send(const notifier *n) {
  while (send(n->writer, "", 1, MSG_NOSIGNAL) < 0 && errno == EINTR) continue;
}

void notifier_drain(const notifier *n) {
  char bytes[16];
  while (n->reader >= 0 && recv(n->reader, bytes, sizeof bytes, 0) < 0 && errno == EINTR) continue;
}

static bool listen_at(notifier *n) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(n->path) >= sizeof address.sun_path) return false;
  memcpy(address.sun_path, n->path, strlen(n->path) + 1);
  n->listener = descriptors_socket(AF_UNIX, SOCK_STREAM, 0);
  if (n->listener < 0) return false;
  make_private(n->listener);
  return !bind(n->listener, (struct sockaddr *)&address, sizeof address) && !chmod(n->path, 0600) &&
         !listen(n->listener, 1);
}

/* mkdtemp makes the directory with mode 0700, so no other user can reach the socket, even before its mode is set. */
bool notifier_listen(notifier *n) {
  stop_listening(n);
  const char *base = getenv("TMPDIR");
  if (!base || strlen(base) > sizeof n->path - 32) base = "/tmp";
  snprintf(n->path, sizeof n->path, "%s/smmpanel-XXXXXX", base);
  if (!mkdtemp(n->path)) {
    *n->path = '\0';
    return false;
  }
  memcpy(n->path + strlen(n->path), "/s", 3);
  if (listen_at(n)) return true;
  stop_listening(n);
  return false;
}

/* The number of the writer stays, because another thread may be sending. */
static bool replace_writer(const notifier *n, int fd) {
#ifdef SOCK_CLOEXEC
  bool ok = dup3(fd, n->writer, O_CLOEXEC) >= 0;
#else
  bool ok = dup2(fd, n->writer) >= 0;
#endif
  if (ok) make_private(n->writer);
  close(fd);
  return ok;
}

/* From now on the client that connected reads the bytes; the socket pair is closed. A byte that was sent to the pair is
 * sent again. */
bool notifier_accept(notifier *n) {
  int fd = n->listener < 0 ? -1 : accept(n->listener, NULL, NULL);
  stop_listening(n);
  if (fd < 0 || !replace_writer(n, fd)) return false;
  close_descriptor(&n->reader);
  if (n->raised) notifier_send(n);
  return true;
}
