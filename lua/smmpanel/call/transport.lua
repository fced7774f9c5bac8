--- An attempt with the option `transport`: a function in this process answers in place of the network. Its answer is
-- decoded and interpreted like one from the network.
--
--     transport(request) -> answer, or nil and a failure
--       request = { url, method = "POST", headers, body, action, timeout = seconds left, max_body = bytes }
--       answer  = { status, headers?, body, delay? }
--       failure = { code, message, sent, delay?, status?, headers?, body? }
--
-- An answer's `body` is a string, or a function that returns the next piece each time it is called: at the end nil, and
-- a failure { code, message } as the second value if the body is incomplete. The client reads at most `max_body` of it.
-- `delay` is in seconds; the client waits with the event loop's sleep. `code` is one of the network's codes (resolve,
-- connect, tls, reset, cut, timeout, encoding, protocol). Set `sent` to false only if nothing can have reached the
-- panel. If a transport throws or returns something else, the call fails with the code "transport": the request may
-- have been sent, so a write is uncertain.
-- In Lua 5.1 it must not yield.
-- @module smmpanel.call.transport

local core = require "smmpanel.core"
local guard = require "smmpanel.util.guard"
local http_date = require "smmpanel.util.http_date"
local text = require "smmpanel.util.text"

local transport = {}

local EXCERPT = 1024 -- bytes, as in the engine
local SLICE = 0.05  -- seconds between two checks for a cancelled call

local Attempt = {}
Attempt.__index = Attempt

--- Cancels an attempt in flight: for `panel:close()` and an interrupted caller.
function Attempt:cancel()
  self.cancelled = true
end

-- Sleeps for the answer's delay, or until the deadline. False: the attempt was cancelled meanwhile.
local function sleep(loop, attempt, seconds)
  local till = core.now() + seconds
  while not attempt.cancelled do
    local left = till - core.now()
    if left <= 0 then return true end
    loop.sleep(math.min(left, SLICE))
  end
  return false
end

-- Converts headers to the engine's form: by their names in lower case.
local function headers_of(answer)
  local headers = {}
  for name, value in pairs(answer.headers or {}) do headers[text.lower(tostring(name))] = tostring(value) end
  return headers
end

local PAUSE_MAX = 365 * 24 * 60 * 60 -- seconds, as in the engine

local function pause(seconds)
  return seconds and seconds > 0 and math.min(seconds, PAUSE_MAX) or nil
end

local function retry_after_of(headers)
  local value = headers["retry-after"]
  local seconds = value and (tonumber(value) or http_date.seconds_until(value, os.time()))
  seconds = pause(seconds)
  return seconds and math.ceil(seconds)
end

-- X-RateLimit-Reset: unix seconds, or seconds to wait.
local function rate_reset_of(headers)
  local value = tonumber(headers["x-ratelimit-reset"] or headers["ratelimit-reset"])
  if value and value > 1e9 then value = value - os.time() end
  return pause(value)
end

-- Reads a failure, whatever the transport returned. It must not throw: the caller would not learn that the request may
-- have been sent. -> code, message
local function meaning_of(failure)
  local is_table = type(failure) == "table"
  local code, message = is_table and failure.code, failure
  if is_table then message = failure.message end
  if type(code) ~= "string" or code == "" then code = "transport" end
  return code, message ~= nil and tostring(message) or nil
end

-- -> the first piece or a later one; nil; nil, failure
local function piece_of(body, is_first)
  if type(body) == "function" then return body() end
  return is_first and body or nil
end

-- For the wire log: the unchanged body, up to a limit.
local function keep(outcome, piece, most)
  outcome.body = ((outcome.body or "") .. piece):sub(1, most)
end

-- A decoder takes 15 kB, and most answers have about a hundred bytes. So a few decoders are used again.
local SPARES_MAX = 8
local spares = {}

local function take_decoder(request, most)
  return core.decoder(request.schema, request.decimals, most, table.remove(spares))
end

local function give_back(decoder)
  if #spares < SPARES_MAX then spares[#spares + 1] = decoder end
end

-- Sets json, json_error and value of the outcome. -> "too_large", message
local function finish_decoding(outcome, decoder, ok, why, verdict)
  if ok then
    ok, why, verdict = decoder:finish()
    give_back(decoder)
  end
  if ok then
    outcome.json, outcome.value = why == nil and "null" or "whole", why
  else
    outcome.json, outcome.json_error = verdict, verdict ~= "empty" and why or nil
  end
  if verdict == "too_large" then return verdict, why end
end

-- Feeds the body to a decoder. Sets json, json_error, value, bytes and excerpt of the outcome. -> code, message
local function decode(outcome, body, request, most)
  local decoder = take_decoder(request, most)
  local kept, ok, why, verdict = "", true, nil, nil
  local piece, failure = piece_of(body, true)
  while piece do
    outcome.bytes = outcome.bytes + #piece
    if outcome.bytes > most then return "too_large" end
    if #kept < EXCERPT then kept = (kept .. piece):sub(1, EXCERPT) end
    if request.keep_body then keep(outcome, piece, request.keep_body) end
    if ok then ok, why, verdict = decoder:feed(piece) end
    piece, failure = piece_of(body)
  end
  outcome.excerpt = kept
  local code, message = finish_decoding(outcome, decoder, ok, why, verdict)
  if code or not failure then return code, message end
  return meaning_of(failure)
end

local OURS = { host = "Host", ["user-agent"] = "User-Agent" }

-- Converts lines "Name: value" to a table by name, with the headers of every request. A header of the user's replaces
-- ours with the same name, in any case of letters.
local function by_name(user_agent, lines)
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded", ["User-Agent"] = user_agent }
  for _, line in ipairs(lines or {}) do
    local name, value = line:match("^([^:]*): ?(.*)$")
    headers[OURS[text.lower(name)] or name] = value
  end
  return headers
end

-- Each request gets its own table, because a transport may change it.
local function headers_for(client, request)
  if request.headers then return by_name(client.user_agent, request.headers) end
  local headers = {}
  for name, value in pairs(client.headers) do headers[name] = value end
  return headers
end

local function ask(client, request, timeout)
  return client.transport {
    url = client.url, method = "POST", headers = headers_for(client, request), action = request.action,
    timeout = timeout, max_body = client.max_body, body = client.form(request),
  }
end

local function new_outcome(seconds)
  return { code = "", text = "", http_status = 0, http_version = 0, bytes = 0, seconds = seconds, sent = true,
    json = "empty", excerpt = "" }
end

local function failed(outcome, code, message, sent)
  outcome.code, outcome.text, outcome.sent = code, message or code, sent ~= false
  return outcome
end

local function read_answer(outcome, answer, request, client)
  outcome.http_status, outcome.http_version = tonumber(answer.status) or 0, 1.1
  local headers = headers_of(answer)
  outcome.headers, outcome.cf_ray = headers, headers["cf-ray"]
  outcome.retry_after, outcome.rate_reset = retry_after_of(headers), rate_reset_of(headers)
  if answer.body == nil then return end
  local code, why = decode(outcome, answer.body, request, client.max_body)
  if not code then return end
  failed(outcome, code, why or code == "too_large" and ("the answer has more than %d bytes"):format(client.max_body))
end

--- Returns the form body of a call with the given key.
---@param call { action: string, fields: table?, separator: string }
---@param key string
---@return string
function transport.form(call, key)
  local head = core.form { "key", key, "action", call.action }
  return #(call.fields or {}) > 0 and head .. "&" .. core.form(call.fields, call.separator) or head
end

--- Makes the client that the attempts of one panel share. Only a closure holds the key.
---@param own table the panel's options
---@return table
function transport.client(own)
  local key = own.key
  return {
    transport = own.transport, url = own.url, user_agent = own.user_agent, max_body = own.max_body,
    headers = by_name(own.user_agent, own.headers), form = function(call) return transport.form(call, key) end,
  }
end

local function is_delay(value)
  return value == nil or type(value) == "number" and value == value
end

local NO_ANSWER = "the transport must return an answer (with a `delay` in seconds, if any), or nil and a failure"

-- -> answer; nil, failure
local function answer_of(client, request, timeout)
  local ok, answer, failure = guard.call(ask, client, request, timeout)
  if not ok then return nil, { code = "transport", message = "the transport threw: " .. tostring(answer) } end
  local said = answer or failure
  if type(said) == "table" and is_delay(said.delay) then return answer, failure end
  return nil, { code = "transport", message = NO_ANSWER }
end

local function finish(outcome, answer, failure, request, client)
  local ok, thrown = guard.call(read_answer, outcome, answer or failure, request, client)
  if not ok then
    failed(outcome, "transport", "the transport's answer threw: " .. tostring(thrown))
  elseif not answer and outcome.code == "" then
    local code, message = meaning_of(failure)
    failed(outcome, code, message, failure.sent)
  end
end

--- Makes one attempt.
---@param loop table the event loop
---@param client table see transport.client
---@param request smmpanel.Call
---@param transfers table<table, true> contains the attempt while it is in flight
---@return table outcome like the engine's
function transport.run(loop, client, request, transfers)
  local attempt, begun = setmetatable({}, Attempt), core.now()
  local timeout = math.max(0.001, request.deadline - begun)
  local answer, failure = answer_of(client, request, timeout)
  local delay = (answer or failure).delay or 0
  local late = delay >= timeout
  transfers[attempt] = true
  local waited = delay <= 0 or sleep(loop, attempt, math.min(delay, timeout))
  transfers[attempt] = nil
  local outcome = new_outcome(core.now() - begun)
  if not waited then return failed(outcome, "cancelled", "the call was cancelled") end
  if late then
    return failed(outcome, "timeout", ("Operation timed out after %.0f milliseconds"):format(timeout * 1000))
  end
  finish(outcome, answer, failure, request, client)
  outcome.seconds = core.now() - begun
  return outcome
end

return transport
