/* descriptors.c - see descriptors.h. */
#include "descriptors.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* Set at creation if possible, because a program started by another thread would inherit the descriptor. */
#ifdef SOCK_CLOEXEC
#define PRIVATE SOCK_CLOEXEC
#else
#define PRIVATE 0
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool listed[DESCRIPTORS_MAX];
static int end; /* no larger number is listed */

/* Call these with the lock. */
static void list(int fd) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (fd >= DESCRIPTORS_MAX) return;
  listed[fd] = true;
  if (fd >= end) end = fd + 1;
}

static void unlist(int fd) {
  if (fd >= 0 && fd < DESCRIPTORS_MAX) listed[fd] = false;
}

int descriptors_socket(int family, int type, int protocol) {
  pthread_mutex_lock(&lock);
  int fd = socket(family, type | PRIVATE, protocol);
  if (fd >= 0) list(fd);
  pthread_mutex_unlock(&lock);
  return fd;
}

bool descriptors_pair(int pair[2]) {
  pthread_mutex_lock(&lock);
  bool ok = socketpair(AF_UNIX, SOCK_STREAM | PRIVATE, 0, pair) == 0;
  for (int i = 0; ok && i < 2; i++) list(pair[i]);
  pthread_mutex_unlock(&lock);
  return ok;
}

void descriptors_close(int fd) {
  pthread_mutex_lock(&lock);
  unlist(fd);
  close(fd);
  pthread_mutex_unlock(&lock);
}

void descriptors_keep(int fd) {
  pthread_mutex_lock(&lock);
  unlist(fd);
  pthread_mutex_unlock(&lock);
}

void descriptors_before_fork(void) {
  pthread_mutex_lock(&lock);
}

static void close_all(void) {
  for (int fd = 0; fd < end; fd++) {
    if (listed[fd]) close(fd);
    listed[fd] = false;
  }
  end = 0;
}

/* A child has only this thread. */
void descriptors_after_fork(bool in_child) {
  if (in_child) close_all();
  pthread_mutex_unlock(&lock);
}
