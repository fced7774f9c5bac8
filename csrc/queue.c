/* queue.c - a first-in, first-out list of links. */
#include "queue.h"

bool queue_add(queue *q, queue_link *link) {
  if (link->queued) return false;
  *link = (queue_link){.queued = true};
  if (q->last)
    q->last->next = link;
  else
    q->first = link;
  q->last = link;
  return true;
}

queue_link *queue_remove(queue *q) {
  queue_link *link = q->first;
  if (!link) return NULL;
  q->first = link->next;
  if (!q->first) q->last = NULL;
  link->queued = false;
  return link;
}
