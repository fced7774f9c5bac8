--- The sandbox's services: the two of the panels' documentation, one of every other type, a few whose orders do not
-- complete, and any number of generated ones.
-- @module smmpanel.sandbox.panel.catalog

local json = require "smmpanel.sandbox.panel.php_json"

local catalog = {}

-- The letters in the last column: r refill, c cancel, d drip-feed, u one open order per link.
-- A word after them is the final state of the service's orders, if that is not "Completed".
local written = {
  { 1, "Followers", "Default", "First Category", "0.90", 50, 10000, "rcd" },
  { 2, "Comments", "Custom Comments", "Second Category", "8", 10, 1500, "c" },
  { 3, "Instagram Starter Pack 📦 [Followers + Likes]", "Package", "Instagram 📦 Packages", "12.5", 1, 1, "" },
  { 4, "Google Website Rank 🔎 [Keywords]", "SEO", "SEO & Backlinks", "4.75", 10, 5000, "c" },
  { 5, "YouTube Comment Pack 💬 [10 Comments]", "Custom Comments Package", "YouTube ▶ Comments", "2.2",
    1, 1, "" },
  { 6, "Instagram Mentions 📣 [Users and Tags]", "Mentions with Hashtags", "Instagram 📸 Mentions", "1.9",
    20, 20000, "c" },
  { 7, "Instagram Mentions 📣 [Users]", "Mentions", "Instagram 📸 Mentions", "1.85", 20, 20000, "" },
  { 8, "Instagram Mentions 📣 [Your List]", "Mentions Custom List", "Instagram 📸 Mentions", "6.6",
    1, 1000, "" },
  { 9, "Instagram Mentions 📣 [From a Hashtag]", "Mentions Hashtag", "Instagram 📸 Mentions", "1.7",
    20, 20000, "" },
  { 10, "Instagram Mentions 📣 [Followers of a User]", "Mentions User Followers", "Instagram 📸 Mentions",
    "1.75", 20, 20000, "" },
  { 11, "Instagram Mentions 📣 [Likers of a Post]", "Mentions Media Likers", "Instagram 📸 Mentions", "1.65",
    20, 20000, "" },
  { 12, "YouTube Comment Likes 👍 [One Comment]", "Comment Likes", "YouTube ▶ Comments", "0.5", 10, 5000,
    "c" },
  { 13, "YouTube Comment Replies 💬", "Comment Replies", "YouTube ▶ Comments", "11", 1, 500, "" },
  { 14, "Telegram Poll Votes 📊", "Poll", "Telegram ✈ Votes", "0.35", 10, 100000, "c" },
  { 15, "Facebook Group Invites 👥", "Invites from Groups", "Facebook 👍 Groups", "3.3", 100, 10000, "" },
  { 16, "Instagram Auto Likes ❤️ [New Posts]", "Subscriptions", "Instagram 📸 Auto", "0.25", 20, 5000, "" },
  { 17, "Website Traffic 🌍 [Worldwide]", "Web Traffic", "Website 🌍 Traffic", "0.11", 500, 1000000, "cd" },
  { 18, "TikTok Views ⚡ [Instant – No Refill]", "Default", "TikTok 🎵 Views", "0.00071655", 100, 1000000000,
    "cd" },
  { 19, "Twitter Retweets 🐦 [Drops, Refunded in Part]", "Default", "Twitter 🐦 Retweets", "1.44219", 10,
    20000, "rc", "Partial" },
  { 20, "Spotify Plays 🎧 [Source Offline]", "Default", "Spotify 🎧 Plays", "0.66", 1000, 1000000, "c",
    "Canceled" },
  { 21, "Instagram Followers 🔥 [One Order a Link ♻ 30 Days]", "Default", "Instagram 📸 Followers", "1.2",
    50, 50000, "rcu" },
}

local function service(row)
  local allows = row[8]
  return {
    id = row[1], name = row[2], type = row[3], category = row[4], rate = row[5], min = row[6],
    max = row[7], refill = allows:find("r") ~= nil, cancel = allows:find("c") ~= nil,
    dripfeed = allows:find("d") ~= nil, once = allows:find("u") ~= nil, ends = row[9],
  }
end

local words = {
  place = { "Instagram 📸", "YouTube ▶", "TikTok 🎵", "Telegram ✈", "Facebook 👍", "Twitter 🐦", "Spotify 🎧" },
  thing = { "Followers", "Likes ❤️", "Views", "Comments", "Shares", "Saves", "Takipçi – Türk" },
  note = { "🔥 Real & Active Users", "⚡ Instant Start | 50K/Day", "⭐ High Quality | No Drop", "Ultra Fast 🚀",
           "🇹🇷 Gerçek Kullanıcı | Günde 10K", "Bot Accounts / Cheapest" },
  term = { "[30 Days Refill ♻️]", "[Lifetime Guaranteed]", "[No Refill]", "[365 Days ♻️]", "[Max 500K]" },
}

-- The generated services must be the same on every machine, and Lua's random numbers are not.
local function generator(seed)
  local state = seed
  return function(n)
    state = (state * 16807) % 2147483647
    return state % n + 1
  end
end

local function generated(id, random)
  local place = words.place[random(#words.place)]
  local thing = words.thing[random(#words.thing)]
  local min = random(20) * 10
  return {
    id = id, type = "Default", category = place .. " " .. thing .. " [" .. random(12) .. "]",
    name = ("%s %s %s %s"):format(place, thing, words.note[random(#words.note)],
                                  words.term[random(#words.term)]),
    rate = ("%d.%05d"):format(random(30) - 1, random(99999)), min = min, max = min * random(5000) + 1000,
    refill = random(2) == 1, cancel = random(2) == 1, dripfeed = random(2) == 1, once = false,
  }
end

--- The services of a panel, in the order it lists them.
---@param count? integer how many; at least the 21 that are written here
---@return table[] services
function catalog.new(count)
  local services, random = {}, generator(42)
  for i, row in ipairs(written) do
    services[i] = service(row)
  end
  for id = #written + 1, count or 0 do
    services[id] = generated(id, random)
  end
  return services
end

--- A service as the documentation shows it.
---@param s table
---@return table object
function catalog.record(s)
  return json.object("service", s.id, "name", s.name, "type", s.type, "category", s.category,
    "rate", s.rate, "min", ("%d"):format(s.min), "max", ("%d"):format(s.max),
    "refill", s.refill, "cancel", s.cancel)
end

return catalog
