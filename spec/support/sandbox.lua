-- A sandbox panel for a spec file, and the server's own counts.
local cjson = require "cjson"
local server = require "smmpanel.sandbox.server"
local smmpanel = require "smmpanel"
local system = require "spec.support.system"

local support = {}

-- The sandbox in this process has none: see spec/in_process_spec.lua.
support.has_network = true

-- Escapes twice: for the URL, and for the fault, in which a comma is a separator.
local function escaped(text)
  local function once(s) return (s:gsub("[^%w]", function(char) return ("%%%02X"):format(char:byte()) end)) end
  return once(once(text))
end

--- Returns the fault in which the panel answers with this text.
---@param text string
---@param on? string the actions, with commas; all if absent
---@return string
function support.answering(text, on) return "body:" .. escaped(text) .. (on and "&on=" .. on or "") end

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
    return cjson.decode(system.output(("curl -sS -X POST '%s/%s'"):format(sandbox.control, path)))
  end

  --- Returns the server's counts for the requests with a name.
  function sandbox.counts(name)
    return sandbox.ask("stats" .. (name and "?name=" .. name or ""))
  end

  --- Returns the number of requests with a name and an action.
  function sandbox.sent(name, action)
    local counts = sandbox.counts(name)
    return counts.actions and counts.actions[action] or 0
  end

  return sandbox
end

return support
