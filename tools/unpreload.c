/* Linked into the core for the sanitizers, so that programs that the specs start run without them. */
#include <stdlib.h>

__attribute__((constructor)) static void unpreload(void) {
  const char *plain = getenv("PLAIN_CPATH");
  unsetenv("LD_PRELOAD");
  if (plain) setenv("LUA_CPATH", plain, 1);
}
