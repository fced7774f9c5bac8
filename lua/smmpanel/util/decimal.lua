--- Exact decimals for money: sums, products and thousandths with any number of digits. Neither doubles nor 64-bit
-- integers can hold all amounts of panels. Values are never negative and immutable.
-- @module smmpanel.util.decimal

local decimal = {}

-- A value is a list of limbs of six digits, the lowest first; the first `fraction` limbs are after the decimal point. A
-- product of two limbs, and a sum of thousands of products, is exact in a double.
local BASE, WIDTH = 1000000, 6
local DIGITS_MAX = 400 -- of a number's text with its exponent written out; a double's largest has 309

---@class smmpanel.Decimal
local Decimal = {}
Decimal.__index = Decimal

local function made(limbs, fraction)
  while #limbs > 1 and #limbs > fraction and limbs[#limbs] == 0 do
    limbs[#limbs] = nil
  end
  limbs.fraction = fraction
  return setmetatable(limbs, Decimal)
end

-- Digits on both sides of the point -> value
local function from_digits(whole, behind)
  local fraction = math.ceil(#behind / WIDTH)
  local digits = whole .. behind .. ("0"):rep(fraction * WIDTH - #behind)
  local limbs = {}
  for last = #digits, 1, -WIDTH do
    limbs[#limbs + 1] = tonumber(digits:sub(math.max(1, last - WIDTH + 1), last))
  end
  return made(limbs, fraction)
end

-- Moves the point by this many places: `1.1`, -5 -> `0`, `000011`.
local function shifted(whole, behind, places)
  if places > 0 then
    behind = behind .. ("0"):rep(places - #behind)
    return whole .. behind:sub(1, places), behind:sub(places + 1)
  end
  whole = ("0"):rep(1 - places - #whole) .. whole
  return whole:sub(1, #whole + places), whole:sub(#whole + places + 1) .. behind
end

local function parse_text(text)
  local mantissa, exponent = text:match("^([0-9.]+)[eE]([+-]?[0-9]+)$")
  local whole, behind = (mantissa or text):match("^([0-9]*)%.?([0-9]*)$")
  exponent = tonumber(exponent or 0)
  if not whole or whole .. behind == "" then return nil end
  if #whole + #behind + math.abs(exponent) > DIGITS_MAX then return nil end
  return from_digits(shifted(whole, behind, exponent))
end

-- Whether the text is groups of three digits separated by `mark`; the first group may be shorter.
local function are_groups(text, mark)
  local first, rest = text:match("^([1-9][0-9]*)(.*)$")
  if not first or #first > 3 then return false end
  return rest:gsub("%" .. mark .. "[0-9][0-9][0-9]", "") == "" and rest ~= ""
end

-- Converts `1,234.50`, `1.234,50`, `5.000.000`, `2,5` to plain decimals if they are unambiguous, like csrc/grouped.c.
local function plain(text)
  local whole, mark, behind = text:match("^(.*)([.,])([0-9]+)$")
  if not whole or text:find("[^0-9.,]") then return nil end
  local other = mark == "," and "." or ","
  if are_groups(whole, other) then return whole:gsub("[.,]", "") .. "." .. behind end
  local single = not whole:find("[.,]")
  if single then return mark == "," and whole ~= "" and not are_groups(text, ",") and whole .. "." .. behind or nil end
  return are_groups(text, mark) and (text:gsub("[.,]", "")) or nil
end

--- Returns the shortest text of a number, with 15 to 17 digits, that converts back to the same number.
---@param n number
---@return string
function decimal.shortest(n)
  if math.type and math.type(n) == "integer" then return ("%d"):format(n) end
  local text
  for digits = 15, 17 do
    text = ("%." .. digits .. "g"):format(n)
    if tonumber(text) == n then break end
  end
  return (text:gsub("[^0-9a-z+-]+", ".")) -- a locale may write the point as a comma, or as several bytes
end

--- Parses `0.27819`, `1.1e-5`, an unambiguous text with digit groups (`1,234.50`), or a number (by its shortest text).
---@param value any
---@return smmpanel.Decimal? value nil if it is negative, not finite, not a number, or too long
function decimal.parse(value)
  if type(value) == "number" then value = decimal.shortest(value) end
  if type(value) ~= "string" then return nil end
  return parse_text(value) or parse_text(plain(value) or "")
end

--- Returns the double nearest to a price's text, for sorting; ignores the locale.
---@param value any a text or a number
---@return number? nil if it is not a number
function decimal.approximate(value)
  if type(value) == "number" then return value end
  if type(value) ~= "string" or not value:find("^[0-9.]") then return nil end
  return tonumber(value) or tonumber((value:gsub("%.", ("%.1f"):format(0.5):sub(2, -2))))
end

decimal.zero = from_digits("0", "")
local THOUSANDTH = from_digits("0", "001")

-- The same value with more limbs after the decimal point.
local function widened(a, fraction)
  if a.fraction == fraction then return a end
  local limbs, more = {}, fraction - a.fraction
  for i = 1, more do limbs[i] = 0 end
  for i = 1, #a do limbs[more + i] = a[i] end
  return made(limbs, fraction)
end

local function aligned(a, b)
  local fraction = math.max(a.fraction, b.fraction)
  return widened(a, fraction), widened(b, fraction), fraction
end

function Decimal.__add(a, b)
  local fraction
  a, b, fraction = aligned(a, b)
  local sum, carry = {}, 0
  for i = 1, math.max(#a, #b) do
    local limb = (a[i] or 0) + (b[i] or 0) + carry
    carry = limb >= BASE and 1 or 0
    sum[i] = limb - carry * BASE
  end
  sum[#sum + 1] = carry
  return made(sum, fraction)
end

-- -1, 0 or 1
local function compare(a, b)
  a, b = aligned(a, b)
  for i = math.max(#a, #b), 1, -1 do
    local x, y = a[i] or 0, b[i] or 0
    if x ~= y then return x < y and -1 or 1 end
  end
  return 0
end

function Decimal.__lt(a, b) return compare(a, b) < 0 end
function Decimal.__le(a, b) return compare(a, b) <= 0 end
function Decimal.__eq(a, b) return compare(a, b) == 0 end

--- Returns the difference; throws if it would be negative.
function Decimal.__sub(a, b)
  if a < b then
    error(("%s - %s would be negative"):format(decimal.text(a), decimal.text(b)), 2)
  end
  local fraction
  a, b, fraction = aligned(a, b)
  local difference, borrow = {}, 0
  for i = 1, #a do
    local limb = a[i] - (b[i] or 0) - borrow
    borrow = limb < 0 and 1 or 0
    difference[i] = limb + borrow * BASE
  end
  return made(difference, fraction)
end

-- Carries limbs that have grown beyond the base.
local function carried(limbs)
  local carry, i = 0, 0
  while i < #limbs or carry > 0 do
    i = i + 1
    local limb = (limbs[i] or 0) + carry
    carry = math.floor(limb / BASE)
    limbs[i] = limb - carry * BASE
  end
  return limbs
end

function Decimal.__mul(a, b)
  local product = {}
  for i = 1, #a + #b do product[i] = 0 end
  for i = 1, #a do
    for j = 1, #b do product[i + j - 1] = product[i + j - 1] + a[i] * b[j] end
  end
  return made(carried(product), a.fraction + b.fraction)
end

Decimal.__tostring = function(value) return decimal.text(value) end

--- Returns the amount times a count. Throws if the count is not an exact whole number from 0 up.
---@param amount smmpanel.Decimal
---@param count integer
---@return smmpanel.Decimal
function decimal.times(amount, count)
  if type(count) ~= "number" or count % 1 ~= 0 or count < 0 or count > 2 ^ 53 then
    error(("%s is not a whole number from 0 to 2^53"):format(tostring(count)), 2)
  end
  return amount * from_digits(("%.0f"):format(count), "")
end

--- Returns the cost of `count` pieces at a price per 1,000.
---@param rate smmpanel.Decimal
---@param count integer
---@return smmpanel.Decimal
function decimal.per_thousand(rate, count)
  return decimal.times(rate, count) * THOUSANDTH
end

--- Returns the value as text, without trailing zeros: `0.27819`, `8`.
---@param value smmpanel.Decimal
---@return string
function decimal.text(value)
  local pieces = {}
  for i = #value, 1, -1 do pieces[#pieces + 1] = ("%06.0f"):format(value[i]) end
  local digits = table.concat(pieces)
  local point = #digits - value.fraction * WIDTH
  local whole = digits:sub(1, point):gsub("^0+", "")
  local behind = digits:sub(point + 1):gsub("0+$", "")
  return (whole == "" and "0" or whole) .. (behind == "" and "" or "." .. behind)
end

return decimal
