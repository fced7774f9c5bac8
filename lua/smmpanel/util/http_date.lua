--- Dates as HTTP writes them: "Sun, 06 Nov 1994 08:49:37 GMT". Pure.
-- @module smmpanel.util.http_date

local http_date = {}

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11,
  Dec = 12 }

-- Days from 1970-01-01, by the Gregorian calendar with years that begin in March.
local function days(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  local leaps = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return 365 * year + leaps + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

--- Parses a date: returns seconds since 1970, or nil if the text is not an HTTP date.
---@param text string
---@return integer?
function http_date.parse(text)
  local day, name, year, hour, minute, second = text:match "^%a+, (%d+) (%a+) (%d%d%d%d) (%d+):(%d+):(%d+) GMT$"
  local month = MONTHS[name]
  if not month then return nil end
  return days(tonumber(year), month, tonumber(day)) * 86400 + tonumber(hour) * 3600 + tonumber(minute) * 60
    + tonumber(second)
end

--- Returns the seconds from `now` until a date, or nil if the text is not an HTTP date.
---@param text string
---@param now number unix time
---@return number?
function http_date.seconds_until(text, now)
  local at = http_date.parse(text)
  return at and at - now
end

return http_date
