/* C on libcurl only; it discards the body. The lower bound for every client that uses libcurl. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 512, BODY = 4096 };

typedef struct {
  CURL *easy;
  char body[BODY];
} slot;

static long count, at_once, begun, first;
static const char *url, *key;
static slot slots[MOST];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t on_body(char *data, size_t size, size_t n, void *user) {
  (void)data, (void)user;
  return size * n;
}

static void open_slot(slot *s) {
  s->easy = curl_easy_init();
  curl_easy_setopt(s->easy, CURLOPT_URL, url);
  curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, s->body);
  curl_easy_setopt(s->easy, CURLOPT_PIPEWAIT, 1L);
  if (!getenv("PANEL_CA")) return;
  curl_easy_setopt(s->easy, CURLOPT_CAINFO, getenv("PANEL_CA"));
  curl_easy_setopt(s->easy, CURLOPT_CAPATH, NULL);
}

static void simple_body(slot *s, const char *action) {
  snprintf(s->body, BODY, "key=%s&action=%s", key, action);
}

/* The ids of the next hundred orders. */
static void status_body(slot *s, long request) {
  int len = snprintf(s->body, BODY, "key=%s&action=status&orders=", key);
  for (long i = 0; i < 100; i++)
    len += snprintf(s->body + len, (size_t)(BODY - len), i ? "%%2C%ld" : "%ld", first + request * 100 + i);
}

static void prepare(slot *s, int statuses) {
  if (statuses)
    status_body(s, begun);
  else
    simple_body(s, "balance");
  begun++;
}

static void one_by_one(slot *s, int statuses) {
  while (begun < count) {
    prepare(s, statuses);
    if (curl_easy_perform(s->easy)) exit(1);
  }
}

static void go_on(CURLM *multi, CURL *easy, int statuses) {
  slot *s = slots;
  while (s->easy != easy) s++;
  curl_multi_remove_handle(multi, easy);
  if (begun == count) return;
  prepare(s, statuses);
  curl_multi_add_handle(multi, easy);
}

static void many_at_once(int statuses) {
  CURLM *multi = curl_multi_init();
  CURLMsg *message;
  int running = 1, left;
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1024L);
  for (long i = 0; i < at_once && begun < count; i++) {
    open_slot(&slots[i]);
    prepare(&slots[i], statuses);
    curl_multi_add_handle(multi, slots[i].easy);
  }
  for (;;) {
    curl_multi_perform(multi, &running);
    while ((message = curl_multi_info_read(multi, &left)))
      if (message->data.result)
        exit(1);
      else
        go_on(multi, message->easy_handle, statuses);
    curl_multi_perform(multi, &running);
    if (!running) return;
    curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
}

int main(int argc, char **argv) {
  const char *task = argc > 1 ? argv[1] : "";
  url = getenv("PANEL_URL"), key = getenv("PANEL_KEY");
  count = getenv("COUNT") ? atol(getenv("COUNT")) : 1;
  at_once = getenv("AT_ONCE") ? atol(getenv("AT_ONCE")) : 1;
  first = getenv("FIRST") ? atol(getenv("FIRST")) : 0;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  int statuses = !strcmp(task, "statuses");
  if (statuses) count /= 100;
  if (!strcmp(task, "catalogue") || at_once == 1) {
    open_slot(&slots[MOST - 1]);
    simple_body(&slots[MOST - 1], !strcmp(task, "catalogue") ? "services" : "balance");
    if (curl_easy_perform(slots[MOST - 1].easy)) return 1;
  }
  if (!strcmp(task, "catalogue")) return 0;
  double began = now();
  if (at_once == 1)
    one_by_one(&slots[MOST - 1], statuses);
  else
    many_at_once(statuses);
  printf("seconds %f\n", now() - began);
  return 0;
}
