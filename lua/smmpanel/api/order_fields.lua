--- Checks the order of `panel:add` and converts it to the fields of the form. Pure.
-- @module smmpanel.api.order_fields

local order = {}

local fields = require "smmpanel.api.form_fields"
local ids = require "smmpanel.api.ids"
local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

local WHERE = "panel:add"

---@class smmpanel.Order any further field is sent unchanged
---@field service smmpanel.Id
---@field type? string the service's type, in any spelling; not sent, used to check the required fields
---@field link? string
---@field quantity? integer
---@field runs? integer drip-feed: the total is quantity * runs
---@field interval? integer minutes
---@field keywords? string|string[]
---@field comments? string|string[]
---@field usernames? string|string[]
---@field hashtags? string|string[]
---@field groups? string|string[]
---@field hashtag? string
---@field username? string
---@field media? string
---@field answer_number? integer
---@field min? integer
---@field max? integer
---@field delay? integer minutes
---@field posts? integer
---@field old_posts? integer
---@field expiry? string d/m/Y
---@field country? string
---@field device? integer 1 to 5
---@field type_of_traffic? integer 1 to 3
---@field google_keyword? string
---@field referring_url? string

-- PROTOCOL "add": the required fields of each type.
local REQUIRED = {
  ["Default"] = { "link", "quantity" },
  ["Package"] = { "link" },
  ["SEO"] = { "link", "quantity", "keywords" },
  ["Custom Comments"] = { "link", "comments" },
  ["Custom Comments Package"] = { "link", "comments" },
  ["Mentions"] = { "link", "quantity", "usernames" },
  ["Mentions with Hashtags"] = { "link", "quantity", "usernames", "hashtags" },
  ["Mentions Custom List"] = { "link", "usernames" },
  ["Mentions Hashtag"] = { "link", "quantity", "hashtag" },
  ["Mentions User Followers"] = { "link", "quantity", "username" },
  ["Mentions Media Likers"] = { "link", "quantity", "media" },
  ["Comment Likes"] = { "link", "quantity", "username" },
  ["Comment Replies"] = { "link", "username", "comments" },
  ["Poll"] = { "link", "quantity", "answer_number" },
  ["Invites from Groups"] = { "link", "quantity", "groups" },
  ["Subscriptions"] = { "username", "min", "max", "delay" },
  ["Web Traffic"] = { "link", "quantity", "country", "device", "type_of_traffic" },
}

local type_named = {} -- squeezed name -> documented name
for name in pairs(REQUIRED) do type_named[text.squeeze(name)] = name end

-- The fields that an order may have in addition to those that its type requires. Drip-feed is possible with any type.
local OPTIONAL = {
  ["Custom Comments"] = { "quantity" }, ["Subscriptions"] = { "posts", "old_posts", "expiry" },
  ["Web Traffic"] = { "google_keyword", "referring_url" },
}
local DRIP_FEED = { "runs", "interval" }

---@class smmpanel.OrderType
---@field name string as documented
---@field required string[]
---@field optional string[] without runs and interval, which are possible with any type

--- The documented types of services, Default first.
---@type smmpanel.OrderType[]
order.types = {}
for name, required in pairs(REQUIRED) do
  order.types[#order.types + 1] = { name = name, required = required, optional = OPTIONAL[name] or {} }
end
table.sort(order.types, function(a, b)
  if a.name == "Default" or b.name == "Default" then return a.name == "Default" and b.name ~= "Default" end
  return a.name < b.name
end)

--- The documented fields of an order, in the order in which they are sent. Other fields follow, sorted by name.
order.NAMES = {
  "service", "link", "quantity", "runs", "interval", "keywords", "comments", "usernames", "hashtags",
  "hashtag", "username", "media", "answer_number", "groups", "min", "max", "delay", "posts", "old_posts",
  "expiry", "country", "device", "type_of_traffic", "google_keyword", "referring_url",
}

local function service(where, _, value)
  return ids.text(where .. ": service", value)
end

local whole, line, list, word = fields.whole, fields.line, fields.list, fields.word

local READ = {
  service = service, link = line, quantity = whole, runs = whole, interval = whole, keywords = list,
  comments = list, usernames = list, hashtags = list, hashtag = line, username = line, media = line,
  answer_number = whole, groups = list, min = whole, max = whole, delay = whole, posts = whole,
  old_posts = whole, expiry = line, country = word, device = whole, type_of_traffic = whole,
  google_keyword = line, referring_url = line,
}

local function within(given, name, most)
  local n = tonumber(given[name])
  if n < 1 or n > most then fields.wrong(WHERE, name, ("from 1 to %d"):format(most), n) end
  return n
end

local function check_traffic(given)
  within(given, "device", 5)
  local kind = within(given, "type_of_traffic", 3)
  local needed = kind == 1 and "google_keyword" or kind == 2 and "referring_url" or nil
  if needed and given[needed] == nil then
    argerror.throw_field(WHERE, needed, "missing", "an order of type 'Web Traffic' with type_of_traffic = %d needs %s",
      kind, needed)
  end
end

--- Returns the documented name of a service's type, and the required fields of its orders.
---@param name any the type as a panel spells it: "Custom Comments", "custom_comments"
---@return string? documented nil if the type is not documented
---@return string[]? required
function order.required(name)
  local documented = type(name) == "string" and type_named[text.squeeze(name)] or nil
  return documented, REQUIRED[documented]
end

--- The documented names, including `type`. Panels may have other fields.
order.documented = { type = true }
for _, name in ipairs(order.NAMES) do order.documented[name] = true end

local function check_required(documented, given)
  for _, field in ipairs(REQUIRED[documented]) do
    if given[field] == nil then
      argerror.throw_field(WHERE, field, "missing", "an order of type '%s' needs %s (required: %s)", documented, field,
        table.concat(REQUIRED[documented], ", "))
    end
  end
  if documented == "Web Traffic" then check_traffic(given) end
end

-- Returns the field of a type that differs from a name by one letter, or nil.
local function meant(name, documented)
  for _, names in ipairs { REQUIRED[documented], OPTIONAL[documented] or {}, DRIP_FEED, { "service" } } do
    for _, field in ipairs(names) do
      if math.abs(#name - #field) <= 1 and argerror.distance(name, field) == 1 then return field end
    end
  end
end

-- A misspelt name would be sent as a field that the panel ignores: with `runss` there would be no drip-feed.
local function check_names(documented, given)
  for name in pairs(given) do
    local field = not order.documented[name] and meant(text.lower(name), documented)
    if field then
      argerror.throw_field(WHERE, name, "unknown", "unknown field '%s': did you mean '%s'?", name, field)
    end
  end
end

-- The fields of an undocumented type cannot be checked: it comes from the catalogue, and the panel knows it.
local function check_type(name, given)
  if name ~= nil and type(name) ~= "string" then
    argerror.throw_field(WHERE, "type", "invalid", "type must be the service's type, a string, got %s",
      argerror.describe(name))
  end
  local documented = order.required(name)
  check_names(documented or "Default", given)
  if documented then check_required(documented, given) end
end

local function read_field(name, value)
  return (READ[name] or fields.any)(WHERE, fields.name(WHERE, name), value)
end

--- Returns all problems of an order's fields, of each field and then of their combination; an empty list if `fields`
-- would not throw.
---@param given smmpanel.Order
---@return smmpanel.ArgumentError[]
function order.problems(given)
  local problems, read, names = {}, {}, {}
  local function try(f, ...)
    local ok, result = pcall(f, ...)
    if ok then return result end
    problems[#problems + 1] = argerror.details(result) or error(result, 0)
  end
  for name in pairs(given) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    if name ~= "type" then read[name] = try(read_field, name, given[name]) end
  end
  if not problems[1] then try(check_type, given.type, read) end
  return problems
end

--- Returns the form's fields of an order, without key and action. Throws if the order is wrong.
---@param given smmpanel.Order
---@return table flat list of names and values, in the order they are sent
function order.fields(given)
  if type(given) ~= "table" then
    argerror.throw(WHERE, "needs a table with the order's fields, such as { service = 1, link = ..., quantity = ... }, "
      .. "got %s",
      argerror.describe(given))
  end
  if given.ref ~= nil then
    argerror.throw(WHERE, "ref is not an order field: pass it beside the order: panel:add(order, { ref = %s }), or "
      .. "{ ref = ..., order = ... } in panel:add_all", argerror.describe(given.ref))
  end
  local read = {}
  for name, value in pairs(given) do
    if name ~= "type" then
      read[name] = read_field(name, value)
    end
  end
  if read.service == nil then argerror.throw_field(WHERE, "service", "missing", "the order has no service") end
  check_type(given.type, read)
  return fields.flat(read, order.NAMES)
end

return order
