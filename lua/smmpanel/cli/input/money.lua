--- Amounts on the command line.
-- @module smmpanel.cli.input.money

local money = {}

local argerror = require "smmpanel.util.argerror"
local decimal = require "smmpanel.util.decimal"

--- For argparse: returns the amount as typed, or nil and the problem.
---@param text string
---@return string?
---@return string? problem
function money.amount(text)
  if decimal.parse(text) then return text end
  return nil, argerror.describe(text) .. " is not an amount"
end

---@type smmpanel.cli.Option
money.MAX_COST = { flags = "--max-cost", arg = "AMOUNT", convert = money.amount,
  about = "Spend at most this, in the account's currency; an order whose price is unknown is not sent." }

return money
