/* Linked into the core for the sanitizers: programs that the specs start are to run without them. */
#include <stdlib.h>

__attribute__((constructor)) static void unpreload(void) {
  unsetenv("LD_PRELOAD");
}
