-- The sandbox's panel without its server, with a clock of the spec.
local assert = require "luassert"
local form = require "smmpanel.sandbox.form"
local panel = require "smmpanel.sandbox.panel"

local KEYS = { main = "M", second = "S", empty = "E", inactive = "I" }

--- Returns a panel: `at.now` is its time, `at.ask` sends a request as main, `at.ask_as` as the account with this key.
--- The texts after the fields are shapes: "name" or "name:argument".
---@param options? table of the panel
local function new_panel(options)
  local at = { now = 1000000 }
  local given = { keys = KEYS, now = function() return at.now end }
  for name, value in pairs(options or {}) do given[name] = value end
  at.panel = panel.new(given)
  function at.ask_as(key, fields, ...)
    local asked = {}
    for i, text in ipairs { ... } do
      local name, arg = text:match "^([^:]+):?(.*)$"
      asked[i] = { name = name, arg = arg ~= "" and arg or nil }
    end
    local status, headers, body = at.panel:handle(form.parse("key=" .. key .. "&" .. fields), asked)
    assert.equal(200, status)
    assert.equal("application/json", headers["Content-Type"])
    return body
  end
  function at.ask(fields, ...) return at.ask_as("M", fields, ...) end
  function at.add(fields, ...) return at.ask("action=add&" .. fields, ...):match '"order":"?([%w_]+)' end
  function at.status(id) return at.ask("action=status&order=" .. id) end
  function at.balance() return at.ask("action=balance"):match '"balance":"([%d.]+)"' end
  return at
end

return new_panel
