--- Calls with many ids: splits the ids into requests, sends several at a time, and returns an entry for every id.
-- @module smmpanel.call.batch

local answers = require "smmpanel.api.answers"
local errors = require "smmpanel.errors"
local loops = require "smmpanel.loop"

local batch = {}

--- Splits a list into lists of at most `size` elements. Pure.
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

--- Makes the entries of ids whose request failed as a whole. Pure.
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

--- Converts entries by id text to entries by the ids as the caller wrote them. Pure.
---@param keys table<string, smmpanel.Id[]>
---@param entries table<string, table>
---@param into table
function batch.deliver(keys, entries, into)
  for id, entry in pairs(entries) do
    for _, key in ipairs(keys[id]) do into[key] = entry end
  end
end

---@class smmpanel.Chunk the ids of one request
---@field texts string[]
---@field keys table<string, smmpanel.Id[]> text -> the ids as given

-- Returns the error of the requests that were not sent yet, or nil if they can be sent. After Ctrl-C no other request
-- starts. If the panel refused the key, it would refuse the others too, and each attempt may count towards a block.
local function for_others(action, err)
  if errors.is_authentication(err) then return err end
  if err.kind ~= "cancelled" then return nil end
  return errors.new { kind = err.kind, code = err.code, action = action, attempts = 0, cause = err,
    message = "not sent: " .. err.message }
end

-- Sends all chunks, `workers` at a time. After an error in a caller's function no further request starts.
-- Returns the error of the first request that failed.
local function send_all(action, next_chunk, how, send, answer)
  local failures, refused, begun, over = {}, nil, 0, false
  local function work()
    while not over do
      local chunk = next_chunk()
      if not chunk then return end
      begun = begun + 1
      local index = begun
      local entries, err = nil, refused
      if not err then entries, err = send(chunk.texts) end
      failures[index] = err
      refused = refused or err and for_others(action, err)
      answer(index, chunk, entries or batch.failed(action, chunk.texts, err))
    end
  end
  loops.workers(how.loop, how.workers, work, function() over = true end)
  for index = 1, begun do
    if failures[index] then return failures[index] end
  end
end

local function chunks_of(asked, size)
  local chunks, next_index = batch.chunks(asked.texts, size), 0
  return function()
    next_index = next_index + 1
    return chunks[next_index] and { texts = chunks[next_index], keys = asked.keys }
  end, #chunks
end

--- Sends the requests for a list of ids.
---@param action string
---@param asked smmpanel.Ids
---@param how { loop: table, batch_size: integer, concurrency: integer }
---@param send fun(texts: string[]): table?, smmpanel.Error? one request
---@param progress fun(done: integer, total: integer) in ids
---@return table entries by the ids as given
---@return smmpanel.Error? err of the first request that failed
function batch.run(action, asked, how, send, progress)
  local result, done = {}, 0
  local next_chunk, count = chunks_of(asked, how.batch_size)
  local err = send_all(action, next_chunk, { loop = how.loop, workers = math.min(how.concurrency, count) }, send,
    function(_, chunk, entries)
      batch.deliver(chunk.keys, entries, result)
      done = done + #chunk.texts
      progress(done, #asked.texts)
    end)
  return result, err
end

-- Returns a function that reads the ids of the next request. It returns a chunk, or nil at the end.
local function chunks_from(next_id, read, size)
  local ended = false -- an iterator may fail when called after its end
  return function()
    local list = {}
    while not ended and #list < size do
      local id = next_id()
      ended = id == nil
      list[#list + 1] = id
    end
    if not list[1] then return nil end
    local asked = read(list)
    return { texts = asked.texts, keys = asked.keys, list = list }
  end
end

-- Passes on the answers in the order of the ids, even if a later request was answered first. Answers that arrive
-- while the caller's function is running are passed on after it.
local function in_order(on_answer)
  local waiting, turn, busy = {}, 1, false
  return function(index, list, by_key)
    waiting[index] = { list, by_key }
    if busy then return end
    busy = true
    while waiting[turn] do
      local ids_of_turn, entries = waiting[turn][1], waiting[turn][2]
      waiting[turn] = nil
      turn = turn + 1
      for _, id in ipairs(ids_of_turn) do
        local entry = entries[id]
        if entry.error then on_answer(id, nil, entry) else on_answer(id, entry) end
      end
    end
    busy = false
  end
end

--- Sends ids as they are read, and passes on the answers in their order.
---@param action string
---@param next_id fun(): smmpanel.Id?
---@param read fun(list: smmpanel.Id[]): smmpanel.Ids throws if an id is wrong
---@param how { loop: table, batch_size: integer, concurrency: integer }
---@param send fun(texts: string[]): table?, smmpanel.Error? one request
---@param progress fun(done: integer) in ids
---@param on_answer fun(id: smmpanel.Id, record: table?, entry: table?)
---@return smmpanel.Error? err of the first request that failed
function batch.stream(action, next_id, read, how, send, progress, on_answer)
  local give_on, done = in_order(on_answer), 0
  local next_chunk = loops.in_turn(how.loop, chunks_from(next_id, read, how.batch_size))
  return send_all(action, next_chunk, { loop = how.loop, workers = how.concurrency }, send,
    function(index, chunk, entries)
      local by_key = {}
      batch.deliver(chunk.keys, entries, by_key)
      done = done + #chunk.list
      progress(done)
      give_on(index, chunk.list, by_key)
    end)
end

return batch
