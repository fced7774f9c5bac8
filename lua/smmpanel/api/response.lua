--- Converts the engine's outcome of an attempt to a record or an error. Pure. The body takes precedence over the HTTP
-- status.
-- @module smmpanel.api.response

local lazy = require "smmpanel.util.lazy"

local response = {}

local answers = require "smmpanel.api.answers"
local errors = require "smmpanel.errors"
local classify = lazy "smmpanel.api.classify"
local page = lazy "smmpanel.api.page"
local states = lazy "smmpanel.api.states"
local text = require "smmpanel.util.text"
local words = lazy "smmpanel.api.words"

local function succeeded(status) return status >= 200 and status < 300 end

-- Failures of a body that is not a document.
local NO_DOCUMENT = {
  empty = { code = "empty", text = "the answer is empty" },
  null = { code = "null", text = "the answer is null: the panel may not know this action" },
}

local function unreadable(outcome)
  local known = NO_DOCUMENT[outcome.json]
  if known then return { kind = "response", code = known.code, text = known.text } end
  local found = page.read(outcome.excerpt or "")
  if found then
    local titled = found.title and " titled '" .. found.title .. "'" or ""
    return { kind = "response", code = "not_json", page = found,
      text = ("the answer is a web page%s, not JSON: %s"):format(titled, page.MEANINGS[found.page]) }
  end
  local excerpt = text.one_line(outcome.excerpt or "", 120)
  return { kind = "response", code = "not_json",
    text = ("the answer is not JSON (%s): %s"):format(outcome.json_error or "unknown", excerpt) }
end

local function http_text(outcome, said)
  local status = outcome.http_status
  if status >= 300 and status < 400 then
    return ("HTTP %d, a redirect: it is not followed, because the key is in the body; "
      .. "is the url complete, or the panel under maintenance?"):format(status)
  end
  return ("HTTP %d%s: %s"):format(status, status == 404 and " (is the url complete?)" or "", said)
end

-- The standard's texts for a status, which come from the server: "Service Unavailable" is not about a panel's service.
local REASONS = { ["internal server error"] = true, ["server error"] = true, ["bad gateway"] = true,
  ["service unavailable"] = true, ["service temporarily unavailable"] = true, ["gateway timeout"] = true,
  ["gateway time-out"] = true }

local function is_reason(said)
  return REASONS[(text.lower(text.trim(said)):gsub("%.$", ""))] or false
end

-- Makes the failure of an answer with an HTTP error: the panel's text if there is one, else the status. Under a 5xx
-- status, a bare message or a standard text comes from the server, not from the panel, and is not a refusal.
local function under_http_error(call, outcome, failure)
  local failing = outcome.http_status >= 500
  if failure.kind == "panel" and not (failing and (failure.bare or is_reason(failure.text))) then return failure end
  local said = outcome.json == "whole" and answers.words(call.action, outcome.value, call.codes)
  if said and not failing then return said end
  return { kind = "http", code = errors.http_code(outcome.http_status), page = failure.page,
    text = http_text(outcome, said and said.text or failure.text) }
end

-- Returns whether the answer can be used. Under an HTTP error, an empty answer or one to an unknown action cannot.
local function usable(call, outcome)
  return not call.raw and not (type(outcome.value) == "table" and next(outcome.value) == nil)
end

local UNUSABLE = { kind = "response", code = "shape", text = "the answer has nothing that was requested" }

local function read(call, outcome)
  local record, failure, whole
  if outcome.json == "whole" then
    record, failure, whole = answers.read(call.action, call.asked, outcome.value, call)
  else
    failure = unreadable(outcome)
  end
  if succeeded(outcome.http_status) then return record, failure end
  failure = failure or whole
  if not failure and usable(call, outcome) then return record, nil end
  return nil, under_http_error(call, outcome, failure or UNUSABLE)
end

-- With these statuses the panel rejected the request before it looked at the order.
local NOT_CARRIED_OUT = { [401] = true, [403] = true, [404] = true, [405] = true, [413] = true, [414] = true,
  [415] = true, [429] = true, [431] = true, [501] = true }

-- Returns whether a write may have been carried out although there is no record. A refusal in the panel's words, or for
-- the rate, is reliable; the text of a failing server proves nothing.
local function in_doubt(call, outcome, failure)
  if not call.write then return nil end
  if failure.uncertain then return true end
  local status = outcome.http_status
  if status == 429 or NOT_CARRIED_OUT[status] and outcome.json ~= "whole" then return nil end
  if failure.kind ~= "panel" or status >= 500 then return true end
end

local function code_of(outcome, failure)
  return failure.code == "unknown" and outcome.http_status == 429 and "rate_limited" or failure.code
end

local function status_of(outcome)
  return outcome.http_status ~= 0 and outcome.http_status or nil
end

local function redact_entries(entries, redact)
  for _, entry in pairs(entries) do
    if type(entry.error) == "string" then entry.error = redact(entry.error) end
  end
end

-- Returns the seconds until the panel accepts another request: Retry-After, or the reset of its rate limit.
local function pause_of(outcome)
  return outcome.retry_after or outcome.http_status == 429 and outcome.rate_reset or nil
end

-- Returns details about the server, if they say more than the error does.
local function server_of(outcome, failure, redact)
  local found = failure and failure.page
  if not found and not outcome.cf_ray then return nil end
  return { title = found and found.title and redact(found.title), page = found and found.page,
    cf_ray = outcome.cf_ray, retry_after = pause_of(outcome) }
end

-- Returns the record of a write whose answer was truncated after a complete document. Only objects and lists have an
-- end of their own.
local function kept_record(call, outcome, redact)
  if not call.write or outcome.json ~= "whole" or type(outcome.value) ~= "table" then return nil end
  local record = read(call, outcome)
  if record and type(call.asked) == "table" then redact_entries(record, redact) end
  return record
end

-- Makes the error of an attempt without a complete answer.
local function lost(call, outcome, redact)
  return errors.new {
    kind = errors.kind_of(outcome.code), code = outcome.code, action = call.action,
    message = redact(outcome.text or outcome.code), http_status = status_of(outcome),
    retry_after = pause_of(outcome), server = server_of(outcome, nil, redact),
    uncertain = call.write and outcome.sent ~= false or nil,
    answer = kept_record(call, outcome, redact),
  }
end

--- Loads the modules that the answer to a write may need. Loading can fail, so it is done before the write is sent.
function response.prepare()
  lazy.load(classify, page, states)
  words.load()
end

--- Returns the record of an attempt, or its error.
---@param call { action: string, asked: nil|string|string[], write: boolean, raw: boolean?, codes: function? }
---@param outcome table the engine's outcome
---@param redact fun(s: string): string hides the key
---@return any? record
---@return smmpanel.Error?
function response.of(call, outcome, redact)
  if outcome.code ~= "" then return nil, lost(call, outcome, redact) end
  local record, failure = read(call, outcome)
  if not failure then
    if type(call.asked) == "table" then redact_entries(record, redact) end
    return record
  end
  return nil, errors.new {
    kind = failure.kind, code = code_of(outcome, failure), action = call.action,
    message = redact(failure.text), http_status = status_of(outcome), retry_after = pause_of(outcome),
    uncertain = in_doubt(call, outcome, failure), answer = failure.answer,
    server = server_of(outcome, failure, redact),
  }
end

return response
