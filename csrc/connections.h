/* connections.h - detects unsolicited bytes on an idle keep-alive connection, and connections from before a suspend.
 *
 * Unsolicited bytes: before 8.0 libcurl takes them for the response to the next request. From 8.22 on it detects them
 * only when it sends, and a write is then uncertain. So we store the descriptor of each idle HTTP/1 connection. (HTTP/2
 * matches responses to requests by itself.)
 *
 * A suspend: libcurl's clock stands still meanwhile, so libcurl does not see that the connection was idle for long. But
 * the panel or a router may have closed it: a write would be uncertain, and a read could wait until its deadline.
 *
 * Owner: the multi handle's owner; all calls on the engine's thread. Nothing here throws. */
#ifndef SMMPANEL_CONNECTIONS_H
#define SMMPANEL_CONNECTIONS_H

#include "curl_api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The two ends of a connection. Connections to two servers may share a local port, so the port alone is not unique. */
typedef struct {
  const char *local, *peer; /* addresses */
  int local_port, peer_port;
} connection_ends;

typedef struct {
  struct connection_entry *list;
  size_t count, room;
} connections;

/* CONNECTION_UNUSABLE: bytes arrived on it since its last response, or the machine was suspended. */
typedef enum { CONNECTION_UNKNOWN, CONNECTION_QUIET, CONNECTION_UNUSABLE } connection_state;

/* The state of the connection that a request is about to use. `opened`: the connection is new. */
connection_state connections_look(connections *c, const connection_ends *ends, bool opened);

/* The transfer on `easy` has ended: stores the descriptor of its connection if `http1`. Only needed for a connection that
 * was unknown: to find the descriptor, libcurl walks over all its connections. */
void connections_store(connections *c, CURL *easy, bool http1);

/* Forgets all of them. */
void connections_free(connections *c);

#endif
