/* builder.h - turns JSON events into Lua values, typed by a schema, on the Lua stack.
 *
 * Owner: the decoder, which holds it in its userdata. While it runs, the unfinished values are on the stack of the
 * lua_State that is passed in, from `base` + 1 on: first the BUILDER_SLOTS cached strings, then the open tables.
 * Between two pieces the owner moves them elsewhere. Knows no network. */
#ifndef SMMPANEL_BUILDER_H
#define SMMPANEL_BUILDER_H

#include "decoder.h"
#include "json.h"

enum { BUILDER_LEVELS = 4, BUILDER_POSITIONS = 16 }; /* nesting levels, and fields of each, that are cached */
enum { KEY, GAP, TEXT, WRITTEN, BUILDER_STRINGS };   /* Lua strings of each field */
enum { BUILDER_SLOTS = BUILDER_LEVELS * BUILDER_POSITIONS * BUILDER_STRINGS };

/* A field as the previous object had it. The texts belong to the Lua strings. */
typedef struct {
  const char *key, *text;
  size_t key_len, text_len;
  json_field written; /* its source text; the string only after it was repeated */
  field_type type;
} field;

typedef struct {
  int size; /* elements or fields so far */
  int keys; /* of an object: the keys that count towards DECODER_KEYS_MAX */
  int scalars;
  bool object;
  unsigned char type;      /* of the current field, or of an array's elements */
  unsigned char next, end; /* the range in `fields` where the next key is looked up */
} container;

typedef struct {
  json reader;
  int base; /* the stack top below the built values */
  decoder_options options;
  const char *verdict;                      /* see decoder_verdict; set when the input is refused */
  size_t values_left;                       /* how many more values the answer may hold */
  container *top;                           /* the innermost open container */
  container containers[JSON_DEPTH_MAX + 1]; /* the open containers */
  field *current;                           /* the current field, or NULL */
  field fields[BUILDER_LEVELS * BUILDER_POSITIONS];
  int sizes[BUILDER_LEVELS]; /* of the last object, to presize the next one */
} builder;

/* Initialises it. Frees nothing: call json_free on the reader of a used one first. Throws nothing. */
void builder_init(builder *b, const decoder_options *o);

/* Builds values from the piece that the reader was fed. NULL: the piece is used up, or the document is complete and on
 * top of the stack. Otherwise a static error sentence. Throws "not enough memory"; the stack is then undefined. */
const char *builder_take_events(lua_State *L, builder *b);

#endif
