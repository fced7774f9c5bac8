/* load HOST-PORT PATH CONNECTIONS SECONDS - keeps this many requests in flight, each on a keep-alive connection, and sends
 * GET /bystander every 2 ms on another one. Prints good answers per second, errors, and the bystander's p99 in seconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1025, WAITS = 100000, ANSWER = 2048 };

typedef struct {
  double asked;
  size_t got;
  char answer[ANSWER];
} connection;

static connection connections[MOST];
static struct pollfd polls[MOST];
static double waits[WAITS];
static char requests[2][256];
static long answered, errors;
static int waited;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void open_connection(int i, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  polls[i].fd = socket(AF_INET, SOCK_STREAM, 0);
  polls[i].events = POLLIN;
  if (connect(polls[i].fd, (struct sockaddr *)&to, sizeof to)) exit(1);
}

static void ask(int i) {
  const char *request = requests[i == 0];
  connections[i].asked = now();
  connections[i].got = 0;
  if (send(polls[i].fd, request, strlen(request), 0) < 0) exit(1);
}

/* The answer is complete when Content-Length bytes have arrived. */
static int whole(connection *c) {
  c->answer[c->got] = '\0';
  char *body = strstr(c->answer, "\r\n\r\n"), *length = strstr(c->answer, "Content-Length: ");
  return body && length && c->got >= (size_t)(body + 4 - c->answer) + strtoul(length + 16, NULL, 10);
}

static void take(int i) {
  connection *c = &connections[i];
  ssize_t n = recv(polls[i].fd, c->answer + c->got, ANSWER - 1 - c->got, 0);
  if (n <= 0) exit(1);
  c->got += (size_t)n;
  if (!whole(c)) return;
  if (i == 0 && waited < WAITS) waits[waited++] = now() - c->asked;
  int good = strncmp(c->answer, "HTTP/1.1 200", 12) == 0;
  if (i > 0 && good) answered++;
  if (!good) errors++;
  if (i > 0) ask(i);
  if (i == 0) c->asked = 0;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void run_until(double end, int count) {
  double next = 0;
  while (now() < end) {
    if (!connections[0].asked && now() >= next) {
      ask(0);
      next = now() + 0.002;
    }
    if (poll(polls, (nfds_t)count + 1, 1) <= 0) continue;
    for (int i = 0; i <= count; i++)
      if (polls[i].revents) take(i);
  }
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int port = atoi(argv[1]), count = atoi(argv[3]);
  double seconds = atof(argv[4]);
  snprintf(requests[0], sizeof requests[0], "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", argv[2]);
  snprintf(requests[1], sizeof requests[1], "GET /bystander HTTP/1.1\r\nHost: bench\r\n\r\n");
  for (int i = 0; i <= count; i++) open_connection(i, port);
  for (int i = 1; i <= count; i++) ask(i);
  run_until(now() + 1.5, count); /* warms up */
  answered = errors = waited = 0;
  double began = now();
  run_until(began + seconds, count);
  qsort(waits, (size_t)waited, sizeof *waits, ascending);
  printf("answered %ld\nrate %f\nerrors %ld\np99 %f\n", answered, (double)answered / (now() - began), errors,
         waited ? waits[waited * 99 / 100] : 0);
  return 0;
}
