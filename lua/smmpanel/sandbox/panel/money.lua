--- Exact decimals. An amount is a whole number of 10^-11 units: a price per 1,000 has up to eight decimals, and is
-- divided by 1,000. It is stored in limbs of six digits, because neither a double nor 64 bits suffice. Amounts are
-- immutable and never negative.
-- @module smmpanel.sandbox.panel.money

local money = {}

local BASE, WIDTH = 1000000, 6
local DECIMALS = 11

local Amount = {}
Amount.__index = Amount

local function trimmed(limbs)
  while #limbs > 1 and limbs[#limbs] == 0 do
    limbs[#limbs] = nil
  end
  return setmetatable(limbs, Amount)
end

-- Converts digits to limbs, the lowest limb first.
local function from_digits(digits)
  local limbs = {}
  for last = #digits, 1, -WIDTH do
    limbs[#limbs + 1] = tonumber(digits:sub(math.max(1, last - WIDTH + 1), last))
  end
  return trimmed(limbs)
end

--- Reads `"0.27819"`, or an integer.
---@param text string|integer
---@return table? amount nil if it is not a plain decimal with at most eleven decimals
function money.parse(text)
  if type(text) == "number" then
    text = ("%.0f"):format(text)
  end
  local whole, decimals = text:match("^(%d+)%.?(%d*)$")
  if not whole or #decimals > DECIMALS then
    return nil
  end
  return from_digits(whole .. decimals .. ("0"):rep(DECIMALS - #decimals))
end

money.zero = money.parse("0")

--- The sum of two amounts.
---@param a table
---@param b table
---@return table
function Amount.__add(a, b)
  local sum, carry = {}, 0
  for i = 1, math.max(#a, #b) do
    local limb = (a[i] or 0) + (b[i] or 0) + carry
    carry = limb >= BASE and 1 or 0
    sum[i] = limb - carry * BASE
  end
  sum[#sum + 1] = carry
  return trimmed(sum)
end

--- Whether `a` is less than `b`.
---@param a table
---@param b table
---@return boolean
function Amount.__lt(a, b)
  if #a ~= #b then
    return #a < #b
  end
  for i = #a, 1, -1 do
    if a[i] ~= b[i] then
      return a[i] < b[i]
    end
  end
  return false
end

--- The difference of two amounts. Throws if it would be negative.
---@param a table
---@param b table
---@return table
function Amount.__sub(a, b)
  if a < b then
    error(("%s - %s would be negative"):format(money.text(a), money.text(b)), 2)
  end
  local difference, borrow = {}, 0
  for i = 1, #a do
    local limb = a[i] - (b[i] or 0) - borrow
    borrow = limb < 0 and 1 or 0
    difference[i] = limb + borrow * BASE
  end
  return trimmed(difference)
end

local function checked_count(n)
  if type(n) ~= "number" or n % 1 ~= 0 or n < 0 or n > 1e9 then
    error(("%s is not a count from 0 to 10^9"):format(tostring(n)), 3)
  end
  return n
end

--- Multiplies an amount by a count of at most 10^9: the product of a limb and the count must be exact in a double.
---@param amount table
---@param count integer
---@return table
function money.times(amount, count)
  checked_count(count)
  local product, carry = {}, 0
  for i = 1, #amount do
    local limb = amount[i] * count + carry
    carry = math.floor(limb / BASE)
    product[i] = limb - carry * BASE
  end
  while carry > 0 do
    product[#product + 1] = carry % BASE
    carry = math.floor(carry / BASE)
  end
  return trimmed(product)
end

local function digits_of(amount)
  local pieces = {}
  for i = #amount, 1, -1 do
    pieces[#pieces + 1] = ("%06.0f"):format(amount[i])
  end
  return table.concat(pieces)
end

--- Returns the cost of `count` pieces at a price per 1,000.
---@param rate table
---@param count integer
---@return table
function money.per_thousand(rate, count)
  local digits = digits_of(money.times(rate, count))
  if not digits:match("000$") then
    error("a price of more than eight decimals has no exact thousandth", 2)
  end
  return from_digits(digits:sub(1, -4))
end

--- Returns the amount as text without trailing zeros: `0.27819`, `8`.
---@param amount table
---@return string
function money.text(amount)
  local digits = ("0"):rep(DECIMALS) .. digits_of(amount)
  local whole = digits:sub(1, -DECIMALS - 1):gsub("^0+", "")
  local decimals = digits:sub(-DECIMALS):gsub("0+$", "")
  return (whole == "" and "0" or whole) .. (decimals == "" and "" or "." .. decimals)
end

return money
