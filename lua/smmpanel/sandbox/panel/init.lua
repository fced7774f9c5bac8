--- A whole panel, without network and without a clock of its own: what it answers to a request's
-- fields, at a time that is passed in.
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
---@field any_key? boolean every other key is the main account's
---@field services? integer how many services are listed
---@field balance? string of the accounts main and second (`100.84292`)
---@field currency? string (`USD`)

--- A panel as it is on its first day.
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

--- The account of a name, for whoever runs the panel.
---@param name string
---@return table?
function Panel:account(name)
  for _, account in pairs(self.accounts) do
    if account.name == name then
      return account
    end
  end
end

--- Brings the panel up to its clock: orders of drip-feeds and subscriptions, refunds.
function Panel:catch_up()
  local now = self.now()
  for _, parent in ipairs(self.parents) do
    series.feed(self, parent, now)
  end
  for order in pairs(self.due) do
    book.settle(self, order)
  end
end

--- What the panel says to a request, before it is put into words (see `shapes`).
---@param fields table<string, string>
---@param wishes? table what a shape asks of the panel itself
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

--- The answer to a request, in text. A catalogue is put into words once for each way of saying it.
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

--- The answer to a request as HTTP has it.
---@param fields table<string, string>
---@param asked? { name: string, arg: string? }[]
---@return integer status
---@return table<string, string> headers
---@return string body
function Panel:handle(fields, asked)
  return 200, { ["Content-Type"] = "application/json" }, self:body(fields, asked)
end

return panel
