--- Finds the panel's URL and key: in a key file, the environment, or a profile of the user's configuration. The key is
-- never on the command line, which every user of the machine can read.
-- @module smmpanel.cli.input.profiles

local profiles = {}

local lfs = require "lfs"
local private = require "smmpanel.cli.input.private"
local guard = require "smmpanel.util.guard"
local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

local function directory(variable, home_path)
  local named = os.getenv(variable)
  if named and named:find "^/" then return named .. "/smmpanel" end
  local home = os.getenv "HOME"
  return home and home ~= "" and home .. "/" .. home_path .. "/smmpanel" or nil
end

--- The user's directories, by the XDG base directory specification; nil if there is no home directory.
function profiles.config_directory() return directory("XDG_CONFIG_HOME", ".config") end
function profiles.cache_directory() return directory("XDG_CACHE_HOME", ".cache") end
function profiles.state_directory() return directory("XDG_STATE_HOME", ".local/state") end

--- Returns the path of the configuration, or nil if there is no home directory.
---@return string?
function profiles.config_path()
  local own = profiles.config_directory()
  return own and own .. "/config.lua"
end

-- ---- reading the files ---------------------------------------------------------------------

local BYTES_MAX = 2 ^ 20 -- of a configuration or a key file

local function read_all(path)
  local file, problem = io.open(path, "rb")
  if not file then return nil, problem end
  local content
  content, problem = file:read(BYTES_MAX + 1)
  file:close()
  if content and #content > BYTES_MAX then return nil, path .. ": it is longer than 1 MB" end
  return content or not problem and "" or nil, problem and path .. ": " .. problem
end

-- Runs the file in an empty environment, and only as text: a compiled chunk could escape from it.
local function run(source, path)
  local globals = {}
  local chunk, problem
  if source:sub(1, 1) == "\27" then return nil, path .. ": compiled Lua is not allowed" end
  if setfenv then
    chunk, problem = loadstring(source, "@" .. path) -- luacheck: ignore
    if chunk then setfenv(chunk, globals) end -- luacheck: ignore
  else
    chunk, problem = load(source, "@" .. path, "t", globals)
  end
  local ok = chunk ~= nil
  if ok then ok, problem = guard.call(chunk) end
  if ok then return globals end
  -- The rest of the message quotes the file, and the quoted part may be a key.
  local line = tostring(problem):match ":(%d+):"
  return nil, ("%s: line %s is not valid Lua"):format(path, line or "?")
end

--- Reads the configuration: each table is a profile, and `default` names one of them.
---@param path string
---@return table? config
---@return string? problem
function profiles.read(path)
  local wrong = private.problem(path)
  if wrong then return nil, wrong end
  local source, problem = read_all(path)
  if not source then return nil, problem end
  return run(source, path)
end

--- Reads a key file: the key is its first line that is not empty.
---@param path string
---@return string?
---@return string? problem
function profiles.read_key(path)
  local wrong = private.problem(path)
  if wrong then return nil, wrong end
  local content, problem = read_all(path)
  if not content then return nil, problem end
  local key = content:match "[^\r\n]+"
  key = key and text.trim(key)
  if not key or key == "" then return nil, path .. ": the file has no key" end
  return key
end

-- ---- choosing --------------------------------------------------------------------------------

local function profile_names(config)
  local names = {}
  for name, value in pairs(config) do
    if type(value) == "table" then names[name] = true end
  end
  return names
end

local function only_name(names)
  local name = next(names)
  return name and next(names, name) == nil and name or nil
end

local EMPTY = [[%s has no profile. A profile is a table:

  main = { url = "https://panel.example/api/v2", key = "..." }]]

local function named_profile(wanted, path)
  if not path then return nil, "no home directory for the configuration: set HOME" end
  if not lfs.attributes(path) then
    return nil, ("there is no profile '%s': %s does not exist"):format(tostring(wanted), path)
  end
  local config, problem = profiles.read(path)
  if not config then return nil, problem end
  local names = profile_names(config)
  if not next(names) then return nil, EMPTY:format(path) end
  local name = wanted or config.default or only_name(names)
  if name == nil then
    return nil, ("%s: several profiles and no default: choose with --panel (%s), or write default = \"%s\""):format(
      path, argerror.names(names), (next(names)))
  elseif not names[name] then
    return nil, ("%s: %s; %s"):format(path, wanted and ("no profile '%s'"):format(wanted)
      or ("default = %s names no profile"):format(argerror.describe(name)), argerror.hint(name, names))
  end
  return config[name], name
end

local HELP = [[no panel is set up. Either

  export SMMPANEL_URL=https://panel.example/api/v2
  read -rs SMMPANEL_KEY && export SMMPANEL_KEY

or write a profile into %s, which only you may be able to read:

  main = { url = "https://panel.example/api/v2", key = "..." }

To try things out without a panel: smmpanel sandbox]]

local function from_environment()
  local url, key = os.getenv "SMMPANEL_URL", os.getenv "SMMPANEL_KEY"
  return { url = url ~= "" and url or nil, key = key ~= "" and key or nil }
end

-- Returns the profile from --panel, or the environment, or else the default profile.
local function base_of(args, path)
  local environment = from_environment()
  if not args.panel and environment.url then return environment end
  if not args.panel and not (path and lfs.attributes(path)) then
    if environment.key then return nil, "SMMPANEL_KEY is set, but SMMPANEL_URL is not" end
    return nil, HELP:format(path or "~/.config/smmpanel/config.lua")
  end
  local profile, name = named_profile(args.panel, path)
  if not profile then return nil, name end
  local copy = {}
  for option, value in pairs(profile) do copy[option] = value end
  return copy, name
end

local function with_key(options, args, name)
  local path = args.key_file or options.key_file
  options.key_file = nil
  if path then
    local key, problem = profiles.read_key(path)
    if not key then return nil, problem end
    options.key = key
  end
  for _, field in ipairs { "url", "key" } do
    if options[field] ~= nil and type(options[field]) ~= "string" then
      return nil, ("the %s of the profile '%s' must be a string, got a %s"):format(field, tostring(name),
        type(options[field]))
    end
  end
  if options.url and options.key then return options end
  local missing = options.url and "key" or "url"
  if name then return nil, ("the profile '%s' has no %s"):format(name, missing) end
  return nil, "SMMPANEL_URL is set, but there is no key: set SMMPANEL_KEY, or give --key-file"
end

--- Returns the options of smmpanel.new from the user's settings.
---@param args { panel: string?, key_file: string? }
---@return table? options
---@return string? name of the profile, or the problem
function profiles.choose(args)
  local options, name = base_of(args, profiles.config_path())
  if not options then return nil, name end
  local problem
  options, problem = with_key(options, args, name)
  if not options then return nil, problem end
  return options, name
end

local USUAL_PORTS = { http = ":80", https = ":443" }

--- Returns a panel's name for files: its address without user, password and query, and without the default port. One
-- panel must have one name, because each name has its own ledger.
---@param url string
---@return string
function profiles.place(url)
  url = text.lower(url)
  local scheme, place = url:match "^(%a+)://", url:gsub("^%a+://", ""):gsub("^[^/]*@", ""):gsub("[?#].*$", "")
  local host, path = place:gsub("/+$", ""):match "^([^/]*)(.*)$"
  local port = USUAL_PORTS[scheme]
  if port and host:sub(-#port) == port then host = host:sub(1, -#port - 1) end
  return ((host .. path):gsub("[^%w.-]+", "_"))
end

--- Returns a panel's address for people, without user, password and query.
---@param url string
---@return string
function profiles.address(url)
  return (url:gsub("//[^/]*@", "//"):gsub("[?#].*$", ""))
end

-- Distinguishes accounts in the names of files. 24 bits of a hash do not reveal the key.
local function tag(s)
  local hash = 5381
  for i = 1, #s do hash = (hash * 33 + s:byte(i)) % 16777216 end
  return ("%06x"):format(hash)
end

--- Returns the name for files of an account at a panel: prices differ between accounts.
---@param options { url: string, key: string, account: string? }
---@return string
function profiles.account_name(options)
  return profiles.place(options.url) .. "-" .. tag(options.account or options.key)
end

return profiles
