/* measure PROGRAM [ARGUMENT ...] - runs it and prints its total cost from the system's accounting as the last line:
 * "@ cpu_seconds wall_seconds peak_kilobytes". This program is small, so that the memory of the child before exec does
 * not count. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t) {
  return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  double began = now();
  pid_t pid = fork();
  if (pid == 0) {
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    _exit(127);
  }
  int status;
  struct rusage used;
  if (pid < 0 || wait4(pid, &status, 0, &used) < 0) return 1;
  printf("@ %.6f %.6f %ld\n", seconds(used.ru_utime) + seconds(used.ru_stime), now() - began, used.ru_maxrss);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
