--- Errors of operation: makes all error tables, defines their codes and keeps the key out of them. Pure.
-- @module smmpanel.errors

local errors = {}

local text = require "smmpanel.util.text"

---@class smmpanel.Error
---@field kind "panel"|"http"|"response"|"network"|"timeout"|"cancelled"|"ledger"|"cache"|"refused"
---@field code string a stable word; for kind `panel` the class of the panel's text
---@field message string the panel's text, or a description of what happened
---@field action string the API action
---@field http_status? integer absent if no response arrived
---@field retry_after? number seconds, if the panel asked for a pause
---@field attempts integer the number of attempts; 0 if none was made
---@field uncertain? true a write may have been carried out
---@field server? smmpanel.Server details about the server that responded
---@field answer? table the record, if a write's response was truncated after a whole document; lists: by id as sent

---@class smmpanel.Server details for finding the cause; contains no secret
---@field title? string title of the web page that came instead of an API response
---@field page? string its class: cloudflare, maintenance, blocked, overloaded, not_found, suspended, login, web_page
---@field cf_ray? string Cloudflare's id of the request
---@field retry_after? number seconds

local Error = { __name = "smmpanel.Error" }

--- Formats the error on one line, for logs: action, message, kind, code, and further details.
function Error:__tostring()
  local notes = { self.kind, self.code }
  if self.http_status then notes[#notes + 1] = "HTTP " .. self.http_status end
  if self.retry_after then notes[#notes + 1] = ("retry after %g s"):format(self.retry_after) end
  if (self.attempts or 0) > 1 then notes[#notes + 1] = self.attempts .. " attempts" end
  if self.uncertain then notes[#notes + 1] = "uncertain: it may have been carried out" end
  local said = text.one_line(self.message, 500)
  return ("smmpanel: %s: %s (%s)"):format(self.action, said, table.concat(notes, ", "))
end

--- Lets `"failed: " .. err` format the error on one line.
function Error.__concat(a, b)
  return tostring(a) .. tostring(b)
end

--- Makes an error.
---@param fields table see smmpanel.Error
---@return smmpanel.Error
function errors.new(fields)
  return setmetatable(fields, Error)
end

--- Returns whether a value is an error made here.
---@param value any
---@return boolean
function errors.is(value)
  return getmetatable(value) == Error
end

--- Returns whether the panel refused the key or the account. Such a request is never retried automatically, because
-- some panels block clients after several of them.
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

--- Returns the kind of a failed transfer.
---@param code string the engine's code: resolve, connect, tls, reset, cut, timeout, …
---@return string
function errors.kind_of(code)
  return KINDS[code] or "network"
end

local HTTP_CODES = { [401] = "forbidden", [403] = "forbidden", [404] = "not_found", [429] = "rate_limited" }

--- Returns the code for an HTTP status without a usable body.
---@param status integer
---@return string
function errors.http_code(status)
  if HTTP_CODES[status] then return HTTP_CODES[status] end
  if status >= 300 and status < 400 then return "redirect" end
  return status >= 500 and "server_error" or "status"
end

return errors
