--- A web page instead of an answer: its title and its probable kind. Pure.
-- @module smmpanel.api.page

local page = {}

local text = require "smmpanel.util.text"

-- kind, parts of the title or the beginning in lower case. The first match decides.
local KINDS = {
  { "cloudflare", "just a moment", "attention required! | cloudflare", "cloudflare", "checking your browser",
    "cf-error", "challenge-platform" },
  { "maintenance", "maintenance", "be right back", "coming soon", "bakım", "manutenção", "mantenimiento", "обслуживан",
    "bảo trì", "under construction" },
  { "blocked", "access denied", "forbidden", "captcha", "are you human", "ddos", "blocked", "request rejected" },
  { "overloaded", "bad gateway", "gateway time", "service unavailable", "too many requests", "internal server error",
    "server error", "database error", "fatal error", "exception", "origin is" },
  { "not_found", "not found", "404", "page does not exist" },
  { "suspended", "suspended", "account has been", "parked", "domain", "expired" },
  { "login", "login", "log in", "sign in", "giriş", "iniciar sesión", "entrar", "вход", "đăng nhập" },
}

--- The meaning of each kind of page, for messages.
page.MEANINGS = {
  cloudflare = "Cloudflare stopped the request",
  maintenance = "the panel is under maintenance",
  blocked = "the server refuses this client",
  overloaded = "the panel's server failed",
  not_found = "there is nothing at this address: is the url complete?",
  suspended = "the panel's site is suspended",
  login = "this is a login page: does the url end in /api/v2?",
  web_page = "this is a web page: does the url end in /api/v2?",
}

local ENTITIES = { amp = "&", lt = "<", gt = ">", quot = '"', nbsp = " ", ["#039"] = "'", ["#39"] = "'" }

local function title_of(html)
  local title = html:match("<[tT][iI][tT][lL][eE][^>]*>(.-)<") or html:match("<[tT][iI][tT][lL][eE][^>]*>([^<]*)$")
    or html:match("<[hH]1[^>]*>(.-)<")
  if not title then return nil end
  title = text.one_line(title:gsub("&(#?[0-9a-zA-Z]+);", ENTITIES), 120)
  return title ~= "" and title or nil
end

local function kind_of(lower)
  for _, row in ipairs(KINDS) do
    for i = 2, #row do
      if lower:find(row[i], 1, true) then return row[1] end
    end
  end
end

--- Returns the title and the kind of a page.
---@param excerpt string the beginning of the body
---@return { title: string?, page: string }? nil if it is not HTML
function page.read(excerpt)
  local lower = text.lower(excerpt)
  if not (lower:find("<!doctype html", 1, true) or lower:find("<html", 1, true) or lower:find("<title", 1, true)
    or lower:find("<body", 1, true)) then
    return nil
  end
  local title = title_of(excerpt)
  return { title = title, page = kind_of(text.lower(title or "")) or kind_of(lower:sub(1, 200)) or "web_page" }
end

return page
