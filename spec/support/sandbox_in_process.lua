-- The same functions as spec.support.sandbox, with the sandbox as a transport in this process.
local form = require "smmpanel.sandbox.form"
local smmpanel = require "smmpanel"

local support = {}

-- Tests of what only a network has (sockets, TLS, connections) are left out.
support.has_network = false

local function controls(inner)
  return {
    stats = function(query) return inner:stats(query.name) end,
    orders = function(query) return inner:orders(query.link) end,
    advance = function(query) inner:advance(query.seconds) end,
    balance = function(query) inner:set_balance(query.balance, query.account) end,
    faults = function(query) inner:set_faults(query.fault, query.on) end,
    reset = function() inner:reset() end,
  }
end

function support.start(options)
  local settings = { key = "the-key-of-the-spec" }
  for name, value in pairs(options or {}) do settings[name] = value end
  local inner = smmpanel.sandbox(settings)
  local commands = controls(inner)
  local sandbox = { url = inner.url, key = inner.key, keys = inner.keys, stop = function() end, transport = inner }

  function sandbox.url_with(fault, name) return inner:url_with(fault, name) end

  function sandbox.panel(fault, more)
    local given = { url = inner:url_with(fault or "", more and more.name), key = inner.key, transport = inner }
    for name, value in pairs(more or {}) do
      if name ~= "name" then given[name] = value end
    end
    return smmpanel.new(given)
  end

  function sandbox.ask(path)
    local name, query = path:match "^(%a+)%??(.*)$"
    return commands[name](form.parse(query))
  end

  function sandbox.counts(name)
    return inner:stats(name)
  end

  return sandbox
end

return support
