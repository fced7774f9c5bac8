/* notifier.h - how the thread makes a host's loop look: a byte on a descriptor, one at a time. */
#ifndef SMMPANEL_WAKE_H
#define SMMPANEL_WAKE_H

#include <stdbool.h>

typedef struct {
  int reader, writer; /* our own pair; the reader is -1 once somebody else has connected */
  int listener;
  bool raised; /* a byte is under way, or seen and not yet acknowledged */
  char path[96];
} wake;

bool wake_open(wake *w);
void wake_close(wake *w);
void wake_raise(wake *w);
void wake_lower(wake *w);
bool wake_listen(wake *w); /* at w->path */
bool wake_accept(wake *w);

#endif
