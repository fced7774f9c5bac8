/* json_reader.h - what json.c (structure, numbers, notices) and json_text.c (strings) share; for these two alone.
 * The contract of the whole is in json.h. */
#ifndef SMMPANEL_JSON_READER_H
#define SMMPANEL_JSON_READER_H

#include "json.h"

enum state {
  AT_BEGIN,     /* white space, a byte order mark */
  AT_NOISE,     /* seeking a { or [ */
  AT_FIRST_KEY, /* a key or } */
  AT_KEY,
  AT_COLON,
  AT_FIRST_VALUE, /* a value or ] */
  AT_VALUE,
  AT_COMMA,  /* a comma or the closing bracket */
  AT_AFTER,  /* white space after the document */
  IN_STRING, /* in a token that a piece's end has cut */
  IN_NUMBER,
  IN_LITERAL,
  ENDED,
  FAILED
};

/* Ends the reading: the offset is where j->in stands. -> JSON_ERROR */
json_event json_fail(json *j, const char *error);

/* ... because of a limit. */
json_event json_too_large(json *j, const char *error);

/* A mistake in the grammar: before the document has surely begun, what came was a notice. */
json_event json_malformed(json *j, const char *error);

/* All of the piece was read: -> JSON_MORE, or at the end of the input JSON_END or JSON_ERROR */
json_event json_piece_used_up(json *j);

/* The string whose opening quote is at p; `next` is the state after it. */
json_event json_string(json *j, const char *p, unsigned char next);

/* ... after a piece's end has cut it. */
json_event json_string_rest(json *j);

#endif
