/* connections.c - the descriptors of idle HTTP/1 connections, by their two ends. */
#include "connections.h"
#include "clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { FIRST_ENTRIES = 64 };
enum { SUSPENDED_NS = 1000 * 1000 * 1000 }; /* longer than it takes to read the two clocks */

/* Each descriptor is in the list once, so the list is at most as long as the most connections at one time. */
struct connection_entry {
  uint64_t ends;  /* a hash of them */
  int fd;         /* -1: unknown */
  int64_t asleep; /* how long the machine had been suspended when the entry was made */
};

static uint64_t add_to_hash(uint64_t hash, const void *data, size_t len) {
  const unsigned char *bytes = data;
  for (size_t i = 0; i < len; i++) hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
  return hash;
}

static uint64_t hash_of(const connection_ends *ends) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  hash = add_to_hash(hash, ends->local, strlen(ends->local) + 1);
  hash = add_to_hash(hash, ends->peer, strlen(ends->peer) + 1);
  hash = add_to_hash(hash, &ends->local_port, sizeof ends->local_port);
  return add_to_hash(hash, &ends->peer_port, sizeof ends->peer_port);
}

static struct connection_entry *find_ends(connections *c, uint64_t ends) {
  for (size_t i = 0; i < c->count; i++)
    if (c->list[i].ends == ends && c->list[i].fd >= 0) return &c->list[i];
  return NULL;
}

static struct connection_entry *free_entry(connections *c) {
  for (size_t i = 0; i < c->count; i++)
    if (c->list[i].fd < 0) return &c->list[i];
  if (c->count == c->room) {
    size_t room = c->room ? c->room * 2 : FIRST_ENTRIES;
    struct connection_entry *list = realloc(c->list, room * sizeof *list);
    if (!list) return NULL;
    c->list = list;
    c->room = room;
  }
  return &c->list[c->count++];
}

/* How long the machine has been suspended since its start; 0 where the system does not measure it. */
static int64_t asleep_nanoseconds(void) {
  return clock_nanoseconds() - clock_awake_nanoseconds();
}

connection_state connections_look(connections *c, const connection_ends *ends, bool opened) {
  char byte;
  struct connection_entry *entry = find_ends(c, hash_of(ends));
  if (!entry) return CONNECTION_UNKNOWN;
  if (opened) {
    entry->fd = -1; /* the previous connection with these ends is closed */
    return CONNECTION_UNKNOWN;
  }
  if (asleep_nanoseconds() - entry->asleep > SUSPENDED_NS) return CONNECTION_UNUSABLE;
  return recv(entry->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ? CONNECTION_UNUSABLE : CONNECTION_QUIET;
}

static bool ends_of(CURL *easy, connection_ends *ends) {
  char *local = NULL, *peer = NULL;
  long local_port = 0, peer_port = 0;
  libcurl.easy_getinfo(easy, CURLINFO_LOCAL_IP, &local);
  libcurl.easy_getinfo(easy, CURLINFO_PRIMARY_IP, &peer);
  libcurl.easy_getinfo(easy, CURLINFO_LOCAL_PORT, &local_port);
  libcurl.easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &peer_port);
  *ends = (connection_ends){
      .local = local, .peer = peer, .local_port = (int)local_port, .peer_port = (int)peer_port};
  return local && peer;
}

/* In one pass: an entry with this descriptor or these ends belongs to a closed connection, or to this one. */
void connections_store(connections *c, CURL *easy, bool http1) {
  curl_socket_t fd = CURL_SOCKET_BAD;
  connection_ends ends;
  libcurl.easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd);
  if (!ends_of(easy, &ends)) return;
  uint64_t hash = hash_of(&ends);
  for (size_t i = 0; i < c->count; i++)
    if (c->list[i].ends == hash || c->list[i].fd == (int)fd) c->list[i].fd = -1;
  if (!http1 || fd == CURL_SOCKET_BAD) return;
  struct connection_entry *entry = free_entry(c);
  if (entry) *entry = (struct connection_entry){.ends = hash, .fd = (int)fd, .asleep = asleep_nanoseconds()};
}

void connections_free(connections *c) {
  free(c->list);
  *c = (connections){0};
}
