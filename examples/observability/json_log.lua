-- One line of JSON for each call, on standard error, for a log collector.
--
--   SMMPANEL_URL=… SMMPANEL_KEY=… lua examples/observability/json_log.lua
local cjson = require "cjson"
local smmpanel = require "smmpanel"

local attempts = {} -- call -> the last attempt's event

local function log(event)
  if event.type == "attempt" then attempts[event.call] = event end
  if event.type ~= "end" then return end
  local last, err = attempts[event.call] or {}, event.err
  attempts[event.call] = nil
  io.stderr:write(cjson.encode {
    time = os.date "!%Y-%m-%dT%H:%M:%SZ", level = err and "error" or "info", msg = "smmpanel " .. event.action,
    ref = event.ref, ids = event.ids, seconds = event.seconds, attempts = event.attempts,
    http_status = last.http_status, bytes = last.bytes, error = err and err.code, detail = err and err.message,
    uncertain = err and err.uncertain,
  }, "\n")
end

local panel = smmpanel.new { url = os.getenv "SMMPANEL_URL", key = os.getenv "SMMPANEL_KEY", on_event = log }
panel:balance()
panel:status { 1, 2, 100 }
panel:status(9)
panel:close()
