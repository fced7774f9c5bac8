local catalog = require "smmpanel.catalog"
local changes = require "smmpanel.cli.views.changes"
local decimal = require "smmpanel.util.decimal"
local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local private = require "smmpanel.cli.input.private"
local progress = require "smmpanel.cli.views.progress"
local records = require "smmpanel.cli.views.records"
local shared = require "smmpanel.cli.options"

local MAX_AGE = 900

local function put(args, shape, list)
  local sink = formats.sink(args, shape, io.stdout)
  for _, record in ipairs(list) do sink:row(record) end
  sink:close()
end

-- ---- which services -------------------------------------------------------------------------

local function joined(...)
  local words = {}
  for _, list in ipairs { ... } do
    for _, word in ipairs(list) do words[#words + 1] = word end
  end
  return #words > 0 and table.concat(words, " ") or nil
end

-- Returns a filter from the options and `more`.
local function filter(args, more)
  more.text, more.type = joined(args.text, args.search and { args.search } or {}), args.type
  more.category, more.min_rate, more.max_rate = args.category, args.min_rate, args.max_rate
  more.quantity, more.refill, more.cancel, more.dripfeed = args.quantity, args.refill, args.cancel, args.drip_feed
  return more
end

-- ---- --cost ---------------------------------------------------------------------------------

local function cost(context, args, services)
  local id, quantity, runs = (table.unpack or unpack)(args.cost)
  for _, count in ipairs { quantity, runs } do
    if not count:find "^[0-9]+$" then fail.usage("'%s' is not a whole number", count) end
  end
  local text, problem = services:cost(id, quantity, runs)
  if not text then fail.usage("%s", problem) end
  local service = services:find(id)
  context:remark("%s of service %s, %s, at %s", runs and runs .. " × " .. quantity or quantity, id,
    formats.text(service.name), formats.text(service.rate))
  context:print("%s", text)
end

-- ---- --diff ---------------------------------------------------------------------------------

local function older_catalog(context, args)
  local path, problem = args.against, nil
  if not path then path, problem = context:cache_path ".last.json" end
  if not path then fail.usage("%s", problem) end
  local older
  older, problem = catalog.load(path, context:settings().max_body)
  if args.against and not older then fail.usage("%s", problem) end
  return older, path
end

local function keep(services, path)
  local ok, problem = private.target(path)
  if ok then ok, problem = services:save(ok) end
  if not ok then fail.with(fail.SOME, "the services could not be saved: %s", problem) end
end

-- Returns the changes of services that match the filters before or after the change.
local function chosen(args, list, services, older)
  local fits, kept = {}, {}
  for _, each in ipairs { services, older } do
    for _, service in ipairs(each:search(filter(args, {}))) do fits[formats.text(service.service)] = true end
  end
  for _, change in ipairs(list) do
    local room = not args.limit or #kept < args.limit
    if room and fits[formats.text(change.service)] then kept[#kept + 1] = change end
  end
  return kept
end

local function diff(context, args, services)
  local older, path = older_catalog(context, args)
  if older then
    local list = chosen(args, changes.list(services:diff(older)), services, older)
    put(args, changes.SHAPE, list)
    context:remark("%s since %s", changes.summary(list), os.date("%Y-%m-%d %H:%M", older.saved))
  else
    context:say("nothing to compare with yet: %s services are saved for the next time",
      progress.number(#services.list))
  end
  if not args.against then keep(services, path) end
end

-- ---- the list -------------------------------------------------------------------------------

local function search(context, args, services, found)
  put(args, records.services, found)
  local all = progress.number(#services.list)
  if #found == 0 then return context:remark("none of %s services matches", all) end
  context:remark("%s of %s services (R refill, C cancel)", progress.number(#found), all)
end

local function run(context, args)
  local fresh = args.fresh or args.diff or args.against ~= nil
  local services = context:catalog(fresh and 0 or args.max_age or MAX_AGE)
  local found = services:search(filter(args, { sort = args.sort, descending = args.reverse, limit = args.limit }))
  if args.save then keep(catalog(found), args.save) end
  if args.cost then return cost(context, args, services) end
  if args.diff or args.against then return diff(context, args, services) end
  return search(context, args, services, found)
end

local function price(text)
  if decimal.parse(text) then return text end
  return nil, ("'%s' is not a price"):format(text)
end

local function count(text)
  local n = text:find "^[0-9]+$" and tonumber(text)
  if n then return n end
  return nil, ("'%s' is not a whole number"):format(text)
end

return {
  name = "services", run = run,
  about = "List, search, price and compare the panel's services.",
  details = "The list is cached for 15 minutes; --fresh fetches it again.",
  arguments = {
    { name = "text", args = "*",
      about = "Words to search for in the id, name, category or type; all must occur, in any case." },
  },
  options = shared.with_formats {
    { flags = "-s --search", arg = "TEXT", about = "The same as the text arguments." },
    { flags = "-t --type", arg = "TYPE", about = "Only services of this type: Default, Package, Poll, ..." },
    { flags = "-c --category", arg = "TEXT", about = "Only categories whose names contain these words." },
    { flags = "--min-rate", arg = "PRICE", convert = price, about = "Only services at this price or more." },
    { flags = "--max-rate", arg = "PRICE", convert = price, about = "Only services at this price or less." },
    { flags = "-q --quantity", arg = "N", convert = count, about = "Only services that accept this quantity." },
    { flags = "--refill", about = "Only services with refill." },
    { flags = "--cancel", about = "Only services with cancellation." },
    { flags = "--drip-feed", about = "Only services with drip-feed." },
    { flags = "--sort", arg = "FIELD", about = "Sort by this field.",
      choices = { "service", "name", "category", "type", "rate", "min", "max" } },
    { flags = "-r --reverse", about = "Sort in reverse." },
    { flags = "-n --limit", arg = "N", convert = count, about = "Show at most N services." },
    { flags = "--cost", arg = { "ID", "QUANTITY", "RUNS" }, args = "2-3",
      about = "Show the exact price of this quantity (with RUNS: of a drip-feed)." },
    { flags = "--diff", about = "Show what is new, gone or changed since the last --diff." },
    { flags = "--against", arg = "FILE", about = "Show the changes since this file was saved." },
    { flags = "--save", arg = "FILE", about = "Save the services to a file, for --against." },
    { flags = "--fresh", about = "Fetch the list from the panel, not from the cache." },
    { flags = "--max-age", arg = "SECONDS", convert = count, about = "Maximum age of the cached list (default 900)." },
  },
  exclusive = { shared.FORMATS_EXCLUDE[1], { "--diff", "--against", "--cost" } },
  examples = {
    { "smmpanel services instagram likes --sort rate --limit 10", "the ten cheapest" },
    { "smmpanel services --type default --refill --max-rate 0.5 --csv >services.csv", "for a spreadsheet" },
    { "smmpanel services --cost 1 1500", "the price of 1,500 of service 1" },
    { "smmpanel services --diff", "the panel's changes since yesterday's --diff" },
  },
}
