--- The fields that a new order needs, by the type of its service, and the panel's error texts for wrong orders.
-- @module smmpanel.sandbox.panel.checks

local checks = {}

local function lines(text)
  local list = {}
  for raw in text:gmatch("[^\r\n]+") do
    local line = raw:match("^%s*(.-)%s*$")
    if line ~= "" then
      list[#list + 1] = line
    end
  end
  return list
end

-- type = { the required fields; `count`: the field that gives the quantity }
local types = {
  ["Default"] = { "link", count = "quantity" },
  ["Package"] = { "link" },
  ["SEO"] = { "link", "keywords", count = "quantity" },
  ["Custom Comments"] = { "link", "comments", count = "comments" },
  ["Custom Comments Package"] = { "link", "comments" },
  ["Mentions"] = { "link", "usernames", count = "quantity" },
  ["Mentions with Hashtags"] = { "link", "usernames", "hashtags", count = "quantity" },
  ["Mentions Custom List"] = { "link", "usernames", count = "usernames" },
  ["Mentions Hashtag"] = { "link", "hashtag", count = "quantity" },
  ["Mentions User Followers"] = { "link", "username", count = "quantity" },
  ["Mentions Media Likers"] = { "link", "media", count = "quantity" },
  ["Comment Likes"] = { "link", "username", count = "quantity" },
  ["Comment Replies"] = { "link", "username", "comments", count = "comments" },
  ["Poll"] = { "link", "answer_number", count = "quantity" },
  ["Invites from Groups"] = { "link", "groups", count = "quantity" },
  ["Subscriptions"] = { "username", "min", "max", "delay" },
  ["Web Traffic"] = { "link", "country", "device", "type_of_traffic", count = "quantity" },
}

local whole = { answer_number = { 1, 1000 }, device = { 1, 5 }, type_of_traffic = { 1, 3 },
                posts = { 0, 100000 }, old_posts = { 0, 1000 }, runs = { 1, 1000 },
                interval = { 1, 14400 } }

local delays = { 0, 5, 10, 15, 20, 30, 40, 50, 60, 90, 120, 150, 180, 210, 240, 270, 300, 360, 420,
                 480, 540, 600 }

--- Reads a whole number of at most nine digits.
---@param text string?
---@return integer?
function checks.integer(text)
  local digits = (text or ""):match("^%s*(%d+)%s*$")
  return digits and #digits <= 9 and tonumber(digits) or nil
end

local function present(fields, name)
  return #lines(fields[name] or "") > 0
end

local function missing(name)
  if name == "link" then
    return "Bad link"
  end
  return "Required parameter is missing: " .. name
end

local function check_range(fields, name)
  local n, range = checks.integer(fields[name]), whole[name]
  if range and fields[name] and not (n and n >= range[1] and n <= range[2]) then
    return "Incorrect " .. name:gsub("_", " ")
  end
end

local function check_fields(service, fields)
  for _, name in ipairs(types[service.type]) do
    if not present(fields, name) then
      return missing(name)
    end
  end
  for name in pairs(whole) do
    local problem = check_range(fields, name)
    if problem then
      return problem
    end
  end
end

local function check_traffic(fields)
  local needed = ({ ["1"] = "google_keyword", ["2"] = "referring_url" })[fields.type_of_traffic]
  if needed and not present(fields, needed) then
    return missing(needed)
  end
end

local function check_quantity(service, quantity)
  if quantity < service.min then
    return ("Quantity less than minimal %d"):format(service.min)
  elseif quantity > service.max then
    return ("Quantity more than maximal %d"):format(service.max)
  end
end

-- Returns the days since 1970, by Howard Hinnant's algorithm: os.time would use the local time zone.
local function day_number(year, month, day)
  if month <= 2 then
    year = year - 1
  end
  local era = math.floor(year / 400)
  local of_era = year - era * 400
  local of_year = math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return era * 146097 + of_era * 365 + math.floor(of_era / 4) - math.floor(of_era / 100) + of_year - 719468
end

--- Returns the time at which a date written d/m/Y ends, or nil if it is not such a date.
---@param text string
---@return integer?
function checks.expiry(text)
  local day, month, year = text:match("^(%d%d?)/(%d%d?)/(%d%d%d%d)$")
  day, month, year = tonumber(day), tonumber(month), tonumber(year)
  if not day or day < 1 or day > 31 or month < 1 or month > 12 then
    return nil
  end
  return (day_number(year, month, day) + 1) * 86400
end

local function known_delay(delay)
  for _, each in ipairs(delays) do
    if each == delay then
      return true
    end
  end
end

local function check_subscription(service, fields)
  local min, max = checks.integer(fields.min), checks.integer(fields.max)
  if not min or not max or min > max then
    return "Incorrect quantity: min and max must be whole numbers, min the smaller"
  elseif not known_delay(checks.integer(fields.delay)) then
    return "Incorrect delay"
  elseif fields.expiry and fields.expiry ~= "" and not checks.expiry(fields.expiry) then
    return "Incorrect expiry"
  end
  return check_quantity(service, min) or check_quantity(service, max)
end

local function check_dripfeed(service, fields)
  if not fields.runs and not fields.interval then
    return nil
  elseif not service.dripfeed then
    return "This service does not support drip-feed"
  elseif not fields.runs then
    return missing("runs")
  elseif not fields.interval then
    return missing("interval")
  end
end

local function quantity_of(service, fields)
  local from = types[service.type].count
  if not from then
    return 1
  elseif from == "quantity" then
    return checks.integer(fields.quantity)
  end
  return #lines(fields[from])
end

local function quantity_problem(fields)
  if not present(fields, "quantity") then
    return "Quantity is required"
  end
  return "Quantity must be a whole number"
end

--- Checks a new order.
---@param service table
---@param fields table<string, string>
---@return integer? quantity of one run; 0 for a subscription
---@return string? problem the panel's error text
function checks.order(service, fields)
  local problem = check_fields(service, fields) or check_dripfeed(service, fields)
  if not problem and service.type == "Subscriptions" then
    problem = check_subscription(service, fields)
    return not problem and 0 or nil, problem
  elseif not problem and service.type == "Web Traffic" then
    problem = check_traffic(fields)
  end
  if problem then
    return nil, problem
  end
  local quantity = quantity_of(service, fields)
  problem = not quantity and quantity_problem(fields) or quantity and check_quantity(service, quantity)
  return not problem and quantity or nil, problem
end

--- Returns whether the panel has a rule for a type.
---@param type string
---@return boolean
function checks.knows(type)
  return types[type] ~= nil
end

return checks
