/* request_texts.c - see request_texts.h. One allocation has the nodes of the header list, and then all bytes. */
#include "request_texts.h"
#include "proxy.h"

#include <stdlib.h>
#include <string.h>

/* "Expect:" removes that header: libcurl would send it before a large body, and some panels never answer it. */
static const char *const fixed_headers[] = {"Accept: application/json", "Expect:",
#ifndef WITHOUT_ZLIB
                                            "Accept-Encoding: gzip",
#endif
                                            NULL};

typedef struct {
  struct curl_slist *node;
  char *at;
} writer;

static size_t size_of(const char *text) {
  return text ? strlen(text) + 1 : 0;
}

/* Adds to the two sizes that a list needs: of its nodes and of its bytes. */
static void measure(const char *const *list, size_t *nodes, size_t *bytes) {
  for (; list && *list; list++) {
    *nodes += sizeof(struct curl_slist);
    *bytes += size_of(*list) + 1;
  }
}

static char *copy(writer *w, const char *text) {
  if (!text) return NULL;
  size_t size = size_of(text);
  char *copied = memcpy(w->at, text, size);
  w->at += size;
  return copied;
}

/* For libcurl "Name:" removes a header, and "Name;" sends one without a value. */
static void mark_empty(char *header) {
  char *colon = strchr(header, ':');
  if (colon && !colon[1 + strspn(colon + 1, " \t")]) memcpy(colon, ";", 2);
}

static void copy_headers(writer *w, const char *const *list, bool given) {
  for (; list && *list; list++) {
    struct curl_slist *node = w->node++;
    node->data = copy(w, *list);
    node->next = node + 1;
    if (given) mark_empty(node->data);
  }
}

bool request_texts_copy(request_texts *t, const request_options *o) {
  const char *proxy = o->proxy ? o->proxy : proxy_for(o->url), *no_proxy = proxy_exceptions();
  size_t nodes = 0, bytes = size_of(o->url) + size_of(proxy) + size_of(no_proxy) + size_of(o->ca_file) +
                            size_of(o->crl_file) + size_of(o->user_agent);
  measure(fixed_headers, &nodes, &bytes);
  measure(o->headers, &nodes, &bytes);
  t->memory = malloc(nodes + bytes);
  if (!t->memory) return false;
  t->headers = t->memory;
  writer w = {t->headers, (char *)t->memory + nodes};
  copy_headers(&w, fixed_headers, false);
  copy_headers(&w, o->headers, true);
  w.node[-1].next = NULL;
  t->url = copy(&w, o->url);
  t->proxy = copy(&w, proxy);
  t->no_proxy = copy(&w, no_proxy);
  t->ca_file = copy(&w, o->ca_file);
  t->crl_file = copy(&w, o->crl_file);
  t->user_agent = copy(&w, o->user_agent);
  return true;
}

void request_texts_free(request_texts *t) {
  free(t->memory);
  *t = (request_texts){0};
}
