/* queue.h - a first-in, first-out list through links inside the things that wait in it.
 *
 * A thing is in a queue once or not at all. The queue owns nothing: who adds and removes counts the references. No
 * lock of its own: all calls on one queue are made under one lock of the owner's. Nothing allocates, nothing throws. */
#ifndef SMMPANEL_QUEUE_H
#define SMMPANEL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct queue_link queue_link;
struct queue_link {
  queue_link *next;
  bool queued;
};

typedef struct {
  queue_link *first, *last;
} queue;

/* False: it was in the queue already. */
bool queue_add(queue *q, queue_link *link);

/* The first, which is then in the queue no more; NULL where it is empty. */
queue_link *queue_remove(queue *q);

/* The struct that a link is a member of. */
#define QUEUE_OWNER(link, type, member) ((type *)(void *)(((char *)(link)) - offsetof(type, member)))

#endif
