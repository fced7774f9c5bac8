--- Many ids: cut into requests, sent several at a time, every id answered.
-- @module smmpanel.call.batch

local answers = require "smmpanel.api.answers"
local errors = require "smmpanel.errors"
local loops = require "smmpanel.loop"

local batch = {}

--- A list cut into lists of at most `size`. Pure.
---@param list any[]
---@param size integer
---@return any[][]
function batch.chunks(list, size)
  local chunks = {}
  for from = 1, #list, size do
    local chunk = {}
    for i = from, math.min(from + size - 1, #list) do chunk[i - from + 1] = list[i] end
    chunks[#chunks + 1] = chunk
  end
  return chunks
end

--- The entries of ids whose request failed as a whole. Pure.
---@param action string
---@param texts string[]
---@param err smmpanel.Error
---@return table<string, table>
function batch.failed(action, texts, err)
  local entries = {}
  for _, id in ipairs(texts) do
    local entry = answers.entry(action, id, { text = err.message, code = err.code })
    entry.cause, entry.uncertain = err, err.uncertain
    entry.answer = err.answer and err.answer[id]
    entries[id] = entry
  end
  return entries
end

--- Entries by id text made into entries by the ids as the caller gave them. Pure.
---@param keys table<string, smmpanel.Id[]>
---@param entries table<string, table>
---@param into table
function batch.deliver(keys, entries, into)
  for id, entry in pairs(entries) do
    for _, key in ipairs(keys[id]) do into[key] = entry end
  end
end

--- Sends them all.
---@param action string
---@param asked smmpanel.Ids
---@param how { loop: table, batch_size: integer, concurrency: integer }
---@param send fun(texts: string[]): table?, smmpanel.Error? one request
---@param progress fun(done: integer, total: integer) in ids
---@return table by the ids as given
---@return smmpanel.Error? the first request's that failed
function batch.run(action, asked, how, send, progress)
  local result, failures, refused, done = {}, {}, nil, 0
  local chunks = batch.chunks(asked.texts, how.batch_size)
  local function one(index)
    local texts = chunks[index]
    -- A refused key is refused for all of them, and each try may count towards a block.
    local entries, err = nil, refused
    if not err then entries, err = send(texts) end
    if err then
      failures[index] = err
      if errors.is_authentication(err) then refused = err end
    end
    batch.deliver(asked.keys, entries or batch.failed(action, texts, err), result)
    done = done + #texts
    progress(done, #asked.texts)
  end
  local work = {}
  for index in ipairs(chunks) do
    work[index] = function() one(index) end
  end
  loops.side_by_side(how.loop, work, how.concurrency)
  for index in ipairs(chunks) do
    if failures[index] then return result, failures[index] end
  end
  return result
end

return batch
