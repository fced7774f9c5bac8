-- Reads an answer's JSON as the client does.
local answers = require "smmpanel.api.answers"
local assert = require "luassert"
local core = require "smmpanel.core"
local schemas = require "smmpanel.api.schemas"

local support = {}

--- Returns the value of a JSON text in an answer to this action.
function support.decode(action, json)
  local decoder = core.decoder(schemas[action])
  assert(decoder:feed(json))
  local ok, value = decoder:finish()
  assert(ok, value)
  return value
end

--- Returns the record for the ids that were asked for, or nil and the failure.
function support.read(action, asked, json) return answers.read(action, asked, support.decode(action, json)) end

--- Fails unless the answer gives this record.
function support.gives(expected, action, asked, json)
  local record, failure = support.read(action, asked, json)
  assert.is_nil(failure and failure.text)
  assert.same(expected, record)
end

--- Fails unless the answer is an error of this kind and code, and returns it.
function support.fails(kind, code, action, asked, json)
  local record, failure = support.read(action, asked, json)
  assert.is_nil(record)
  assert.same({ kind, code }, { failure.kind, failure.code })
  return failure
end

return support
