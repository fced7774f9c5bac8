--- The description of an order's fields in `add --help` and the manual page.
-- @module smmpanel.cli.views.order_help

local catalog = require "smmpanel.catalog"

local function joined(names) return table.concat(names, ", ") end

local function types()
  local pairs_ = {}
  for i, each in ipairs(catalog.TYPES) do
    local optional = #each.optional > 0 and ("; optional: " .. joined(each.optional)) or ""
    pairs_[i] = { each.name, joined(each.required) .. optional }
  end
  return pairs_
end

local FIELDS = {
  { "quantity, min, max", "pieces: per run of a drip-feed, per post of a subscription" },
  { "runs, interval", "drip-feed, with any type: number of runs, minutes between runs" },
  { "delay", "minutes" },
  { "posts, old_posts, expiry", "number of new and old posts of a subscription; its last day, as 31/12/2026" },
  { "comments, usernames, ...", "lists: repeat the field, or name=@file with one item per line" },
  { "username", "without @" },
  { "country", "a code such as TR; device: 1 desktop, 2 Android, 3 iOS, 4 mixed, 5 mobile" },
  { "type_of_traffic", "1 from Google (google_keyword), 2 from a site (referring_url), 3 blank" },
}

local COLUMNS = {
  { "ref", "your own name for the order, which is placed once even if you send the file again" },
  { "service", "the service's id" },
  { "...", "the fields above; an empty cell sends no field; a list cell has one item per line" },
}

--- Lists of pairs, each with a title.
---@type { title: string, pairs: string[][] }[]
return {
  { title = "Fields by the service's type, besides service:", pairs = types() },
  { title = "Units:", pairs = FIELDS },
  { title = "Columns of a CSV file (--from):", pairs = COLUMNS },
}
