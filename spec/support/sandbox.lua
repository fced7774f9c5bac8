-- A sandbox panel for a spec file, and the server's own counts.
local cjson = require "cjson"
local server = require "smmpanel.sandbox.server"
local smmpanel = require "smmpanel"

local support = {}

-- The sandbox in this process has none: see spec/in_process_spec.lua.
support.has_network = true

--- Starts one; `stop` it in teardown.
---@param options? table of the sandbox
function support.start(options)
  local sandbox = assert(server.start(options))

  --- Returns a panel on it, with faults and options.
  function sandbox.panel(fault, more)
    local given = { url = sandbox.url_with(fault or "", more and more.name), key = sandbox.key }
    for name, value in pairs(more or {}) do
      if name ~= "name" then given[name] = value end
    end
    return smmpanel.new(given)
  end

  --- Calls a control; returns its answer as a table.
  function sandbox.ask(path)
    local pipe = assert(io.popen(("curl -sS -X POST '%s/%s'"):format(sandbox.control, path)))
    local text = pipe:read "*a"
    pipe:close()
    return cjson.decode(text)
  end

  --- Returns the server's counts for the requests with a name.
  function sandbox.counts(name)
    return sandbox.ask("stats" .. (name and "?name=" .. name or ""))
  end

  return sandbox
end

return support
