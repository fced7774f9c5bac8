--- What can go wrong in operation: the one place that makes error tables, names their codes and keeps
-- the key out of them. Pure.
-- @module smmpanel.errors

local errors = {}

local text = require "smmpanel.util.text"

---@class smmpanel.Error
---@field kind "panel"|"http"|"response"|"network"|"timeout"|"cancelled"|"ledger"|"cache"|"refused"
---@field code string for `panel` the class of the panel's text, else a stable word
---@field message string the panel's own words, or what happened
---@field action string
---@field http_status? integer absent where no answer came
---@field retry_after? number seconds, where the panel asked for a pause
---@field attempts integer how often it was tried; 0 where nothing was tried
---@field uncertain? true a write may have been carried out
---@field server? smmpanel.Server what is known of the server that answered
---@field answer? table the record, where a write's answer was cut after a whole document; by the ids as sent for lists

---@class smmpanel.Server what helps to find the fault; nothing in it is secret
---@field title? string of the web page that came instead of an answer
---@field page? string what that is: cloudflare, maintenance, blocked, overloaded, not_found, suspended, login, web_page
---@field cf_ray? string Cloudflare's number of the request
---@field retry_after? number seconds

local Error = { __name = "smmpanel.Error" }

--- On one line: action, message, kind, code, and what else a log should show.
function Error:__tostring()
  local notes = { self.kind, self.code }
  if self.http_status then notes[#notes + 1] = "HTTP " .. self.http_status end
  if self.retry_after then notes[#notes + 1] = ("retry after %g s"):format(self.retry_after) end
  if (self.attempts or 0) > 1 then notes[#notes + 1] = self.attempts .. " attempts" end
  if self.uncertain then notes[#notes + 1] = "uncertain: it may have been carried out" end
  local said = text.one_line(self.message, 500)
  return ("smmpanel: %s: %s (%s)"):format(self.action, said, table.concat(notes, ", "))
end

--- `"failed: " .. err` is the error on one line.
function Error.__concat(a, b)
  return tostring(a) .. tostring(b)
end

--- Makes an error.
---@param fields table see smmpanel.Error
---@return smmpanel.Error
function errors.new(fields)
  return setmetatable(fields, Error)
end

--- Whether a value is one of our errors.
---@param value any
---@return boolean
function errors.is(value)
  return getmetatable(value) == Error
end

--- Whether the panel refused the key or the account: never to be tried again by itself, for some
-- panels count these towards a block.
---@param err smmpanel.Error
---@return boolean
function errors.is_authentication(err)
  local status = err.http_status
  return err.code == "invalid_key" or err.code == "account" or status == 401 or status == 403
end

local KINDS = {
  timeout = "timeout", cancelled = "cancelled",
  too_large = "response", encoding = "response", memory = "response",
}

--- The kind of a failed transfer.
---@param code string the engine's: resolve, connect, tls, reset, cut, timeout, …
---@return string
function errors.kind_of(code)
  return KINDS[code] or "network"
end

local HTTP_CODES = { [401] = "forbidden", [403] = "forbidden", [404] = "not_found", [429] = "rate_limited" }

--- The stable word for a status without a usable body.
---@param status integer
---@return string
function errors.http_code(status)
  if HTTP_CODES[status] then return HTTP_CODES[status] end
  if status >= 300 and status < 400 then return "redirect" end
  return status >= 500 and "server_error" or "status"
end

return errors
