/* connections.h - a guard against bytes that nobody asked for on a kept connection.
 *
 * Before 8.0 libcurl takes them for the answer to the next request. From 8.22 on it finds them only once it sends, and
 * a write is then uncertain. So we keep which descriptor a kept HTTP/1 connection has (HTTP/2 knows itself which answer
 * belongs to which request).
 *
 * Owner: the multi handle's owner; all calls on the engine's thread. Nothing here throws. */
#ifndef SMMPANEL_CONNECTIONS_H
#define SMMPANEL_CONNECTIONS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The two ends of a connection. Two hosts may share a local port, so the port alone does not tell which it is. */
typedef struct {
  const char *local, *peer; /* addresses */
  int local_port, peer_port;
} connection_ends;

typedef struct {
  struct connection_entry *list;
  size_t count, room;
} connections;

/* Whether anything came on this connection since its last answer. `opened`: it is a new one. */
bool connections_unasked(connections *c, const connection_ends *ends, bool opened);

/* The transfer on `easy` has ended: stores the descriptor of its connection, if that speaks HTTP/1. */
void connections_store(connections *c, CURL *easy, bool http1);

/* Forgets all of them. */
void connections_free(connections *c);

#endif
