/* builder.h - JSON events to Lua values, typed by a schema, on the Lua stack.
 *
 * Owner: the decoder, which holds it in its userdata. While bytes are read, what is half built lies on the stack of the
 * lua_State that is passed in, from `base` + 1 on: first BUILDER_SLOTS strings that are remembered, then the open
 * tables. Between two pieces the owner moves it elsewhere. Knows no network. */
#ifndef SMMPANEL_BUILDER_H
#define SMMPANEL_BUILDER_H

#include "decoder.h"
#include "json.h"

enum { BUILDER_LEVELS = 4, BUILDER_POSITIONS = 16 }; /* what is remembered of: */
enum { KEY, GAP, TEXT, WRITTEN, BUILDER_STRINGS };   /* Lua strings of each field */
enum { BUILDER_SLOTS = BUILDER_LEVELS * BUILDER_POSITIONS * BUILDER_STRINGS };

/* A field as the object before had it. The texts belong to the Lua strings. */
typedef struct {
  const char *key, *text;
  size_t key_len, text_len;
  json_field written; /* how it was written; the string only once it was repeated */
  field_type type;
} field;

typedef struct {
  int size; /* elements or fields so far */
  int keys; /* of an object, that DECODER_KEYS_MAX counts */
  bool object;
  unsigned char type;      /* of the present field, or of an array's elements */
  unsigned char next, end; /* where in `fields` the next key is looked for */
} container;

typedef struct {
  json reader;
  int base; /* the stack top below what is built */
  decoder_options options;
  const char *verdict;                      /* see decoder_verdict; set where the input is refused */
  size_t values_left;                       /* until the answer holds too many */
  container *top;                           /* what is open, */
  container containers[JSON_DEPTH_MAX + 1]; /* in the document */
  field *current;                           /* the present one, or NULL */
  field fields[BUILDER_LEVELS * BUILDER_POSITIONS];
  int sizes[BUILDER_LEVELS]; /* of the last object: the next one is made as large */
} builder;

/* As if new; frees nothing: json_free the reader of a used one before. Throws nothing. */
void builder_init(builder *b, const decoder_options *o);

/* Builds what the reader was fed. NULL: the piece is used up, or the document is whole and lies on top of the stack;
 * else a static sentence. Throws "not enough memory": the stack then holds anything. */
const char *builder_take_events(lua_State *L, builder *b);

#endif
