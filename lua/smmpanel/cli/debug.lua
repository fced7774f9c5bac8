--- --debug: the exchange with the panel on stderr, as `curl -v` shows it, without the key.
-- @module smmpanel.cli.debug

local debug_log = {}

local BODY_MOST = 2000 -- bytes printed of a body

local HEADERS = { "content_type", "location", "retry_after", "x_ratelimit_limit", "x_ratelimit_remaining",
  "x_ratelimit_reset", "cf_ray", "date" }

local function body_text(line)
  local body = line.body or line.body_base64 or ""
  local shown = body:sub(1, BODY_MOST):gsub("\n", "\n< ") -- no line of it may look like one of this program
  return #body <= BODY_MOST and shown or ("%s... (%d bytes)"):format(shown, #body)
end

--- Returns the text for an exchange. Pure.
---@param line table of the wire log
---@param place string the panel's address without user, password and query
---@return string
function debug_log.exchange(line, place)
  local parts = { ("> POST %s"):format(place), "> " .. line.request }
  if line.error then
    parts[#parts + 1] = ("* failed: %s: %s%s"):format(line.error.code, line.error.message,
      line.error.sent == false and " (nothing was sent)" or "")
  end
  if line.status and line.status > 0 then parts[#parts + 1] = ("< HTTP %d"):format(line.status) end
  for _, name in ipairs(HEADERS) do
    if line[name] then parts[#parts + 1] = ("< %s: %s"):format(name:gsub("_", "-"), line[name]) end
  end
  if line.status and line.status > 0 then parts[#parts + 1] = "< " .. body_text(line) end
  return table.concat(parts, "\n")
end

local function milliseconds(seconds) return ("%.0f ms"):format(seconds * 1000) end

--- Returns the text for an event, or nil. Pure.
---@param event smmpanel.Event
---@return string?
function debug_log.event(event)
  if event.type == "wait" then
    return ("* waiting %.1f s (%s)"):format(event.seconds or 0, event.reason or "?")
  elseif event.type == "attempt" and event.timings then
    local t = event.timings
    return ("* %s: DNS %s, connection %s, TLS %s, first byte %s, total %s, %s bytes%s"):format(event.action,
      milliseconds(t.dns), milliseconds(t.connect), milliseconds(t.tls), milliseconds(t.first_byte),
      milliseconds(t.total), event.bytes or 0, event.reused and ", reused connection" or "")
  end
end

return debug_log
