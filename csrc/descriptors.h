/* descriptors.h - the sockets that a forked child must not keep.
 *
 * A connection that the parent closes stays open as long as a child has a copy of it. So each socket is in a list, from
 * its opening to its closing, and a child closes them before its program continues.
 *
 * Owner: the process. Any thread. A fork waits while a socket is opened or closed, so that the child's list is exact.
 * Nothing here throws. No Lua, no libcurl. */
#ifndef SMMPANEL_DESCRIPTORS_H
#define SMMPANEL_DESCRIPTORS_H

#include <stdbool.h>

enum { DESCRIPTORS_MAX = 64 * 1024 }; /* a child keeps those with larger numbers */

/* socket() and socketpair(). Other programs that the host starts do not inherit the descriptors. False and -1: errno. */
int descriptors_socket(int family, int type, int protocol);
bool descriptors_pair(int pair[2]);

void descriptors_close(int fd);

/* A child shall keep this one. */
void descriptors_keep(int fd);

void descriptors_before_fork(void);
void descriptors_after_fork(bool in_child);

#endif
