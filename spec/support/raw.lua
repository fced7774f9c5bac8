-- Servers that answer with exactly the given bytes. A script is a list: a string is sent,
-- { times, s } is sent repeatedly, { drip = s, pause = t } byte by byte, a number is a pause in seconds, "\0reset",
-- "\0half" (only our half is closed) and "\0wait" (nothing more comes) do what they say. The end closes the connection.
local process = require "spec.support.process"

local raw = { RESET = "\0reset", HALF = "\0half", WAIT = "\0wait" }

local function hex(s)
  return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function step(what)
  if what == raw.RESET then return "r" end
  if what == raw.HALF then return "h" end
  if what == raw.WAIT then return "w" end
  if type(what) == "number" then return ("p%.3f"):format(what) end
  if type(what) == "string" then return "s" .. hex(what) end
  if what.drip then return ("d%.3f:%s"):format(what.pause, hex(what.drip)) end
  return ("x%d:%s"):format(what[1], hex(what[2]))
end

--- Returns a script as text.
function raw.script(steps)
  local parts = {}
  for i, what in ipairs(steps) do parts[i] = step(what) end
  return table.concat(parts, ",")
end

--- Returns a complete answer with a body.
function raw.answer(body, headers, status)
  return ("HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n"):format(status or "200 OK", #body, headers or "") .. body
end

--- Starts one. `tls`: { certificate =, key =, alpn =, script = }.
function raw.start(tls)
  local command = process.lua() .. " spec/support/raw_server.lua"
  if tls then
    command = ("%s '%s' '%s' '%s' '%s'"):format(command, tls.certificate, tls.key, tls.alpn or "",
      tls.script and raw.script(tls.script) or "")
  end
  local server = process.start(command)
  server.port = tonumber(server.line)
  function server.url(steps)
    return ("%s://%s:%d/-%s"):format(tls and "https" or "http", tls and "localhost" or "127.0.0.1", server.port,
      raw.script(steps or {}))
  end
  return server
end

return raw
