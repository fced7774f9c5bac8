--- The checks of `smmpanel doctor`. Each check returns what it found, or nil and what to do.
-- @module smmpanel.cli.doctor

local doctor = {}

local core = require "smmpanel.core"
local explain = require "smmpanel.cli.explain"
local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local guard = require "smmpanel.util.guard"
local money = require "smmpanel.cli.views.money"
local private = require "smmpanel.cli.input.private"
local profiles = require "smmpanel.cli.input.profiles"
local progress = require "smmpanel.cli.views.progress"
local smmpanel = require "smmpanel"
local text = require "smmpanel.util.text"

local NO_SUCH_ORDER = "999999999999999"
local CLOCK_MOST = 120 -- seconds

---@class smmpanel.cli.Examination what the checks share
---@field context smmpanel.cli.Context
---@field seen? table the last exchange
---@field timings? smmpanel.Timings

local function failed(err)
  fail.if_interrupted(err)
  return nil, explain.text(err)
end

-- ---- checks -------------------------------------------------------------------------------------

local function versions()
  local luasql, driver = guard.call(require, "luasql.sqlite3")
  local found = luasql and tostring(driver._VERSION or "LuaSQL"):gsub(" %(.*", "")
  return ("smmpanel %s, %s, %s"):format(smmpanel.version, rawget(_G, "jit") and _G.jit.version or _VERSION,
    found or "no LuaSQL: refs need it (lua-sql-sqlite3)")
end

local function configuration(self)
  local options = self.context:settings()
  local path = profiles.config_path()
  local from = self.context.profile and ("the profile '%s' of %s"):format(self.context.profile, path)
    or "the environment"
  return ("%s, %s"):format(profiles.address(options.url), from)
end

local function permissions(self)
  local open = {}
  for _, directory in ipairs { profiles.config_directory(), profiles.cache_directory(), profiles.state_directory() } do
    if private.is_open(directory) then open[#open + 1] = directory end
  end
  if self.context.profile and private.is_open(profiles.config_path()) then open[#open + 1] = profiles.config_path() end
  if open[1] then return nil, "other users can read " .. table.concat(open, ", ") .. ": chmod go= them" end
  return "no other user can read the configuration, the ledgers and the catalogues"
end

local function proxy(self)
  local url = self.context:settings().url
  local names = url:find "^[Hh][Tt][Tt][Pp]:" and { "http_proxy", "all_proxy", "ALL_PROXY" }
    or { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }
  if self.context:settings().proxy then return "set in the profile" end
  for _, name in ipairs(names) do
    local value = os.getenv(name)
    if value and value ~= "" then
      return ("%s=%s%s"):format(name, text.without_user(value), os.getenv "no_proxy" and ", no_proxy="
        .. os.getenv "no_proxy" or "")
    end
  end
  return "none"
end

local LOCAL = { localhost = true, ["127.0.0.1"] = true, ["[::1]"] = true }

local function connection(self)
  local record, err = self.context:panel():balance()
  fail.if_interrupted(err)
  self.balance, self.refusal = record, err
  local t = self.timings
  if err and (err.kind == "network" or err.kind == "timeout") then return failed(err) end
  if not t then return "answered in this process" end
  if t.tls == 0 and not LOCAL[(self.context:settings().url:match "^%a+://([^/:?#]*)" or "")] then
    return nil, "no TLS: the key is sent unencrypted; use the panel's https:// address"
  end
  return ("DNS %.0f ms, connection %.0f ms, %s, answer %.0f ms"):format(t.dns * 1000, (t.connect - t.dns) * 1000,
    t.tls > 0 and ("TLS %.0f ms"):format((t.tls - t.connect) * 1000) or "no TLS, on this machine",
    t.total * 1000)
end

-- After the first request, which opens it.
local function libcurl()
  local found = core.libcurl()
  if not found then return "not loaded: no request was made" end
  if found.asynchronous_names then return found.version .. (found.http2 and "" or ", without HTTP/2") end
  return nil, found.version .. " has a synchronous resolver: one slow name server holds up all calls. Install a "
    .. "libcurl that was built with a threaded resolver or c-ares"
end

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11,
  Dec = 12 }

--- Converts an HTTP date to Unix time. Pure.
---@param date string? "Thu, 26 Nov 2026 07:23:07 GMT"
---@return integer?
function doctor.unix_time(date)
  local day, name, year, h, m, s = (date or ""):match "^%a+, (%d+) (%a+) (%d+) (%d+):(%d+):(%d+) GMT$"
  local month = MONTHS[name]
  if not month then return nil end
  local y = month <= 2 and year - 1 or year + 0
  local era_days = 365 * y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400)
  local days = era_days + math.floor((153 * (month + (month > 2 and -3 or 9)) + 2) / 5) + day - 1 - 719468
  return days * 86400 + h * 3600 + m * 60 + s
end

local function clock(self)
  local theirs = doctor.unix_time(self.seen and self.seen.date)
  if not theirs then return "unknown: the panel sends no date" end
  local off = math.abs(os.time() - theirs)
  if off <= CLOCK_MOST then return "agrees with the panel's" end
  return nil, ("%s off the panel's: set this machine's clock (timedatectl)"):format(progress.duration(off))
end

local function key(self)
  local err = self.refusal
  if not err then return "accepted" end
  return failed(err)
end

local function balance(self)
  if not self.balance then return nil, "unknown: the panel did not report it" end
  return money.text(formats.text(self.balance.balance), self.balance.currency)
end

local function catalogue(self)
  local list, err = self.context:panel():services()
  if not list then return failed(err) end
  if #list == 0 then return nil, "the panel offers no services to this account" end
  local services, are_priced = smmpanel.catalog(list), true
  for _, service in ipairs(list) do
    are_priced = are_priced and services:cost(service.service, 1) ~= nil
  end
  return ("%s services%s"):format(progress.number(#list), are_priced and "" or ", not all with a price")
end

local function unknown_id(self)
  local _, err = self.context:panel():status(NO_SUCH_ORDER)
  if not err then return nil, "the panel reports a status for order " .. NO_SUCH_ORDER .. ", which cannot exist" end
  if err.code == "bad_order" then return ("'%s'"):format(err.message) end
  fail.if_interrupted(err)
  return nil, ("an unknown order is answered with '%s' (%s): watch cannot detect a wrong id"):format(err.message,
    err.code)
end

local function ledger(self)
  local list, err = self.context:panel():pending()
  if not list then return failed(err) end
  if #list == 0 then return "opens; nothing is pending" end
  return nil, ("%d orders with an unknown outcome: smmpanel pending"):format(#list)
end

doctor.CHECKS = {
  { "versions", versions }, { "configuration", configuration }, { "permissions", permissions }, { "proxy", proxy },
  { "connection", connection }, { "libcurl", libcurl }, { "clock", clock }, { "key", key },
  { "balance", balance }, { "catalogue", catalogue }, { "unknown id", unknown_id }, { "ledger", ledger },
}

--- Prepares what the checks share, and records the panel's exchanges.
---@param context smmpanel.cli.Context
---@return smmpanel.cli.Examination
function doctor.new(context)
  local self = { context = context }
  context:panel {
    ledger = context:ledger(),
    record = function(line) self.seen = line end,
    on_event = function(event)
      if event.type == "attempt" and event.timings then self.timings = event.timings end
    end,
  }
  return self
end

return doctor
