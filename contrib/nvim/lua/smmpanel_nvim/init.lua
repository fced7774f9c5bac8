--- The commands of the Neovim plugin. Each runs in a coroutine, so the editor is never blocked.
-- @module smmpanel_nvim

local plugin = {}

local settings, panel = {}, nil
local orders = {} -- requested ids, for completion, the latest first
local services -- the panel's list, once fetched
local fetched_at = 0

local SERVICES_SECONDS = 600

--- Sets the options of `smmpanel.new`. Without it the plugin takes the url from $SMMPANEL_URL and the key from
-- $SMMPANEL_KEY.
---@param options smmpanel.Options key may be a function that returns the key, called at the first command
function plugin.setup(options)
  settings, panel, services = options or {}, nil, nil
end

local function value_of(setting, variable)
  if type(setting) == "function" then setting = setting() end
  return setting or vim.env[variable]
end

--- Loads the installed module, or the one of the repository that contains this plugin.
---@return table smmpanel
function plugin.load()
  local found, module = pcall(require, "smmpanel")
  if found then return module end
  local root = debug.getinfo(1, "S").source:match "^@(.*)[/\\]contrib[/\\]nvim[/\\]"
  local is_missing = tostring(module):find "^module 'smmpanel' not found"
  if not root or not is_missing then error(module, 0) end
  package.path = package.path .. (";%s/lua/?.lua;%s/lua/?/init.lua"):format(root, root)
  package.cpath = package.cpath .. (";%s/build/5.1/?.so"):format(root)
  return require "smmpanel"
end

--- The panel that the commands use.
---@return smmpanel.Panel
function plugin.panel()
  if panel then return panel end
  local options = {}
  for name, value in pairs(settings) do options[name] = value end
  options.url, options.key = value_of(settings.url, "SMMPANEL_URL"), value_of(settings.key, "SMMPANEL_KEY")
  if not options.url or not options.key then
    error("smmpanel: set url and key: require(\"smmpanel_nvim\").setup { url = ..., key = ... }, or " ..
      "SMMPANEL_URL and SMMPANEL_KEY in the environment", 0)
  end
  panel = plugin.load().new(options)
  return panel
end

local function report(thrown) vim.notify(tostring(thrown), vim.log.levels.ERROR) end

local function go(f)
  coroutine.wrap(function()
    local ok, thrown = pcall(f)
    if not ok then report(thrown) end
  end)()
end

-- Converts a text of the panel to one line of a buffer.
local function line_of(value)
  return (tostring(value):gsub("%c+", " "))
end

local function show(name, lines)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buffer, ("smmpanel://%d/%s"):format(buffer, name))
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  for option, value in pairs { bufhidden = "wipe", modifiable = false, filetype = "smmpanel" } do
    vim.api.nvim_buf_set_option(buffer, option, value)
  end
  vim.cmd(("botright sbuffer %d"):format(buffer))
end

--- :SmmBalance
function plugin.balance()
  go(function()
    local record, err = plugin.panel():balance()
    if not record then return report(err) end
    vim.notify(("Balance: %s %s"):format(record.balance, record.currency or ""))
  end)
end

local function remember(ids)
  for i = #ids, 1, -1 do
    for at, known in ipairs(orders) do
      if known == ids[i] then table.remove(orders, at) break end
    end
    table.insert(orders, 1, ids[i])
  end
end

local function status_line(entry)
  local record = entry.error and { status = line_of(entry.error) } or entry
  return ("%-12s %-24s %10s %12s %s"):format(line_of(entry.order), line_of(record.status or "?"),
    line_of(record.remains or ""), line_of(record.charge or ""), line_of(record.currency or ""))
end

--- :SmmStatus, for the given ids or the one under the cursor.
---@param ids string[]
function plugin.status(ids)
  if #ids == 0 then ids = { vim.fn.expand "<cword>" } end
  go(function()
    local entries, err = plugin.panel():status(ids, { list = true })
    if err and #entries == 0 then return report(err) end
    remember(ids)
    local lines = { ("%-12s %-24s %10s %12s"):format("order", "status", "remains", "charge") }
    for _, entry in ipairs(entries) do lines[#lines + 1] = status_line(entry) end
    show("orders " .. table.concat(ids, " "), lines)
    if err then report(err) end
  end)
end

local function now() return (vim.uv or vim.loop).now() / 1000 end

-- Returns the services, cached for a few minutes.
local function list_of_services()
  if services and now() - fetched_at < SERVICES_SECONDS then return services end
  local list, err = plugin.panel():services()
  if not list then return nil, err end
  services, fetched_at = list, now()
  return list
end

local function has_words(service, words)
  local text = (line_of(service.name or "") .. " " .. line_of(service.category or "")):lower()
  for _, word in ipairs(words) do
    if not text:find(word:lower(), 1, true) then return false end
  end
  return true
end

local function service_line(service)
  return ("%-8s %12s %9s %11s  %s"):format(line_of(service.service), line_of(service.rate or ""),
    line_of(service.min or ""), line_of(service.max or ""), line_of(service.name or ""))
end

--- :SmmServices, with all the words in their name or category.
---@param words string[]
function plugin.services(words)
  go(function()
    local list, err = list_of_services()
    if not list then return report(err) end
    local lines = { ("%-8s %12s %9s %11s  %s"):format("service", "rate", "min", "max", "name") }
    for _, service in ipairs(list) do
      if has_words(service, words) then lines[#lines + 1] = service_line(service) end
    end
    show("services " .. table.concat(words, " "), lines)
  end)
end

local function words_of_services()
  local words, seen = {}, {}
  for _, service in ipairs(services or {}) do
    for word in line_of(service.category or ""):gmatch "%w%w%w+" do
      if not seen[word] then seen[word], words[#words + 1] = true, word end
    end
  end
  table.sort(words)
  return words
end

--- Returns the completions: ids requested before, words of the cached categories.
---@param command "status"|"services"
---@param lead string
---@return string[]
function plugin.complete(command, lead)
  local words, fitting = command == "status" and orders or words_of_services(), {}
  for _, word in ipairs(words) do
    if word:sub(1, #lead):lower() == lead:lower() then fitting[#fitting + 1] = word end
  end
  return fitting
end

return plugin
