--- Amounts for people. Pure.
-- @module smmpanel.cli.views.money

local money = {}

local decimal = require "smmpanel.util.decimal"
local formats = require "smmpanel.cli.views.formats"
local text = require "smmpanel.util.text"

-- A panel's text must not push the other lines away, or look like one of them.
local AMOUNT_MAX, CURRENCY_MAX = 60, 12 -- bytes

--- Returns an amount with its currency, if there is one.
---@param amount string
---@param currency? any
---@return string
function money.text(amount, currency)
  amount = text.one_line(amount, AMOUNT_MAX)
  return currency and amount .. " " .. text.one_line(formats.text(currency), CURRENCY_MAX) or amount
end

--- Returns the balance after paying a price, or a text saying that it is too low. Returns nothing if either is not an
-- amount.
---@param balance any
---@param price any
---@param currency? any
---@return string
function money.afterwards(balance, price, currency)
  local has, costs = decimal.parse(balance), decimal.parse(price)
  if not costs then return "" end
  if not has then return type(balance) == "string" and balance:find "^%-[0-9.]+$" and ": not enough" or "" end
  if has < costs then return ": not enough" end
  return ", " .. money.text(decimal.text(has - costs), currency) .. " afterwards"
end

return money
