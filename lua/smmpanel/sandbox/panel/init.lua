--- A complete panel without a network. It answers the fields of a request; the clock is passed in.
-- @module smmpanel.sandbox.panel

local accounts = require "smmpanel.sandbox.panel.accounts"
local actions = require "smmpanel.sandbox.panel.actions"
local book = require "smmpanel.sandbox.panel.book"
local catalog = require "smmpanel.sandbox.panel.catalog"
local series = require "smmpanel.sandbox.panel.series"
local shapes = require "smmpanel.sandbox.shapes"

local panel = {}

local Panel = {}
Panel.__index = Panel

local FIRST_ORDER = 23501

---@class sandbox.panel_options
---@field now fun(): number seconds; the panel's clock
---@field keys { main: string, second?: string, empty?: string, inactive?: string } the accounts' keys
---@field any_key? boolean every other key belongs to the main account
---@field services? integer the number of services
---@field balance? string of the accounts main and second (`100.84292`)
---@field currency? string (`USD`)

--- Returns a panel in its initial state.
---@param options sandbox.panel_options
---@return table panel
function panel.new(options)
  local self = setmetatable({
    now = options.now, currency = options.currency or "USD", services = catalog.new(options.services),
    accounts = accounts.new(options), by_id = {}, orders = {}, refills = {}, made = {}, due = {},
    parents = {}, links = {}, serial = FIRST_ORDER - 1, refill_serial = 0, rendered = {},
    wrong_keys = 0,
  }, Panel)
  for _, service in ipairs(self.services) do
    self.by_id[tostring(service.id)] = service
  end
  accounts.add_examples(self, self.accounts[options.keys.main])
  return self
end

--- Returns the account with a name.
---@param name string
---@return table?
function Panel:account(name)
  for _, account in pairs(self.accounts) do
    if account.name == name then
      return account
    end
  end
end

--- Does everything that is due by now: orders of drip-feeds and subscriptions, and refunds.
function Panel:catch_up()
  local now = self.now()
  for _, parent in ipairs(self.parents) do
    series.feed(self, parent, now)
  end
  for order in pairs(self.due) do
    book.settle(self, order)
  end
end

--- Returns the answer to a request as a table. `shapes` turns it into text.
---@param fields table<string, string>
---@param wishes? table what the shapes need from the panel itself
---@return table answer
function Panel:answer(fields, wishes)
  if not fields.key or not fields.action then
    return { error = "Incorrect request" }
  end
  local account, action = self.accounts[fields.key], actions[fields.action]
  if not account then
    self.wrong_keys = self.wrong_keys + 1
    return { error = "Invalid API key" }
  elseif account.name == "inactive" then
    return { error = "Your account is inactive" }
  elseif not action then
    return { error = "Incorrect request" }
  end
  self:catch_up()
  local answer = action(self, account, fields, wishes or {})
  answer.action = fields.action
  return answer
end

--- Returns the answer to a request as text. The text of the catalogue is cached for each set of shapes.
---@param fields table<string, string>
---@param asked? { name: string, arg: string? }[] the shapes (see `shapes`); none: as documented
---@return string body
function Panel:body(fields, asked)
  local answer = self:answer(fields, shapes.wishes(asked))
  if not answer.list then
    return shapes.encode(answer, asked)
  end
  local name = shapes.name(asked)
  self.rendered[name] = self.rendered[name] or shapes.encode(answer, asked)
  return self.rendered[name]
end

--- Returns the answer to a request as an HTTP response.
---@param fields table<string, string>
---@param asked? { name: string, arg: string? }[]
---@return integer status
---@return table<string, string> headers
---@return string body
function Panel:handle(fields, asked)
  return 200, { ["Content-Type"] = "application/json" }, self:body(fields, asked)
end

return panel
