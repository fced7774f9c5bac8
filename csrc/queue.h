/* queue.h - an intrusive first-in, first-out queue: each element contains a link.
 *
 * An element is in a queue at most once. The queue owns nothing: the code that adds and removes counts the references.
 * It has no lock: the owner makes all calls on one queue under one lock. Nothing allocates, nothing throws. */
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

/* False: the element was in the queue already. */
bool queue_add(queue *q, queue_link *link);

/* Removes and returns the first element; NULL if the queue is empty. */
queue_link *queue_remove(queue *q);

/* The struct that contains a link. */
#define QUEUE_OWNER(link, type, member) ((type *)(void *)(((char *)(link)) - offsetof(type, member)))

#endif
