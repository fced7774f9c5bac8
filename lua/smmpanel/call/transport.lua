--- An attempt with the option `transport`: a function in this process answers in place of the network. Its answer is
-- decoded and interpreted like one from the network.
--
--     transport(request) -> answer, or nil and a failure
--       request = { url, method = "POST", headers, body, action, timeout = seconds left }
--       answer  = { status, headers?, body, delay? }
--       failure = { code, message, sent, delay?, status?, headers?, body? }
--
-- `body` is a string, or a function that returns the next piece and nil at the end. `delay` is in seconds; the client
-- waits with the event loop's sleep. `code` is one of the network's codes (resolve, connect, tls, reset, cut, timeout,
-- encoding, protocol). Set `sent` to false only if nothing can have reached the panel. A transport that throws, or
-- returns something else, fails with the code "transport": the request may have been sent, so a write is uncertain.
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

local function retry_after_of(headers)
  local value = headers["retry-after"]
  local seconds = value and (tonumber(value) or http_date.seconds_until(value, os.time()))
  return seconds and seconds > 0 and math.ceil(seconds) or nil
end

-- X-RateLimit-Reset: unix seconds, or seconds to wait.
local function rate_reset_of(headers)
  local value = tonumber(headers["x-ratelimit-reset"] or headers["ratelimit-reset"])
  if value and value > 1e9 then value = value - os.time() end
  return value and value > 0 and value or nil
end

local function pieces_of(body)
  if type(body) == "function" then return body end
  local given = false
  return function()
    if given then return nil end
    given = true
    return body
  end
end

-- For the wire log: the unchanged body, up to a limit.
local function keep(outcome, piece, most)
  outcome.body = ((outcome.body or "") .. piece):sub(1, most)
end

-- Feeds the body to a decoder. Sets json, json_error, value, bytes and excerpt of the outcome. -> "too_large", message
local function decode(outcome, body, request, most)
  local decoder = core.decoder(request.schema, request.decimals, most)
  local kept, ok, why, verdict = "", true, nil, nil
  for piece in pieces_of(body) do
    outcome.bytes = outcome.bytes + #piece
    if outcome.bytes > most then return "too_large" end
    if #kept < EXCERPT then kept = (kept .. piece):sub(1, EXCERPT) end
    if request.keep_body then keep(outcome, piece, request.keep_body) end
    if ok then ok, why, verdict = decoder:feed(piece) end
  end
  outcome.excerpt = kept
  if ok then ok, why, verdict = decoder:finish() end
  if ok then
    outcome.json, outcome.value = why == nil and "null" or "whole", why
  else
    outcome.json, outcome.json_error = verdict, verdict ~= "empty" and why or nil
  end
  if verdict == "too_large" then return verdict, why end
end

local function ask(client, request, timeout)
  local headers = { ["Content-Type"] = "application/x-www-form-urlencoded", ["User-Agent"] = client.user_agent }
  for _, line in ipairs(request.headers or client.headers or {}) do
    local name, value = line:match("^([^:]*): ?(.*)$")
    headers[name] = value
  end
  return client.transport {
    url = client.url, method = "POST", headers = headers, action = request.action, timeout = timeout,
    body = client.form(request),
  }
end

local function new_outcome(seconds)
  return { code = "", text = "", http_status = 0, http_version = 0, bytes = 0, seconds = seconds or 0, sent = true,
    json = "empty", excerpt = "" }
end

local function failed(outcome, code, message, sent)
  outcome.code, outcome.text, outcome.sent = code, message or code, sent ~= false
  return outcome
end

local function read_answer(outcome, answer, request, client)
  outcome.http_status, outcome.http_version = answer.status or 0, 1.1
  local headers = headers_of(answer)
  outcome.headers, outcome.cf_ray = headers, headers["cf-ray"]
  outcome.retry_after, outcome.rate_reset = retry_after_of(headers), rate_reset_of(headers)
  if answer.body == nil then return end
  local code, why = decode(outcome, answer.body, request, client.max_body)
  if code then failed(outcome, code, why or ("the answer has more than %d bytes"):format(client.max_body)) end
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
    headers = own.headers, form = function(call) return transport.form(call, key) end,
  }
end

local NO_ANSWER = "the transport must return an answer (with a `delay` in seconds, if any), or nil and a failure"

-- -> answer; nil, failure
local function answer_of(client, request, timeout)
  local ok, answer, failure = guard.call(ask, client, request, timeout)
  if not ok then return nil, { code = "transport", message = "the transport threw: " .. tostring(answer) } end
  local said = answer or failure
  if type(said) == "table" and (said.delay == nil or type(said.delay) == "number") then return answer, failure end
  return nil, { code = "transport", message = NO_ANSWER }
end

local function finish(outcome, answer, failure, request, client)
  local ok, thrown = guard.call(read_answer, outcome, answer or failure, request, client)
  if not ok then return failed(outcome, "transport", "the transport's answer threw: " .. tostring(thrown)) end
  if not answer and outcome.code == "" then failed(outcome, failure.code, failure.message, failure.sent) end
  return outcome
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
  local waited = sleep(loop, attempt, math.min(delay, timeout))
  transfers[attempt] = nil
  local outcome = new_outcome(core.now() - begun)
  if not waited then return failed(outcome, "cancelled", "the call was cancelled") end
  if late then
    return failed(outcome, "timeout", ("Operation timed out after %.0f milliseconds"):format(timeout * 1000))
  end
  return finish(outcome, answer, failure, request, client)
end

return transport
