--- A catalogue in a file: JSON, read by the same typed decoder as the panel's responses.
-- @module smmpanel.catalog.file

local file = {}

local core = require "smmpanel.core"
local decimal = require "smmpanel.util.decimal"
local guard = require "smmpanel.util.guard"
local json = require "smmpanel.util.json"
local schemas = require "smmpanel.api.schemas"

local FORMAT = 1
local PIECE = 65536 -- bytes read at a time
local PIECES = 4096 -- strings written at a time

-- Returns whether the list has money as numbers or as text. The file stores which.
local function decimals_of(list)
  for _, service in ipairs(list) do
    if type(service.rate) == "string" and decimal.parse(service.rate) then return "string" end
    if type(service.rate) == "number" then return "number" end
  end
  return "string"
end

-- A unique temporary name in the same directory, so that the rename is atomic. It contains the process id, so that a
-- later save can remove the file of a process that was killed.
local function beside(path)
  return ("%s.%d.%013.0f.new"):format(path, core.pid(), core.random() * 1e13)
end

local function write_all(handle, head, list)
  local out = { head }
  for i, service in ipairs(list) do
    out[#out + 1] = i > 1 and ",\n" or "\n"
    json.append(out, service)
    if #out > PIECES then
      assert(handle:write(table.concat(out)))
      out = {}
    end
  end
  out[#out + 1] = "\n]}\n"
  assert(handle:write(table.concat(out)))
end

-- Throws what fails. What is written is readable by this user only: prices belong to the account.
local function write_new(new, list, owner)
  assert(core.append(new, ""))
  local handle = assert(io.open(new, "r+b"))
  local head = ('{"smmpanel":%d,"decimals":"%s","saved":%.0f,"owner":%s,"services":['):format(FORMAT,
    decimals_of(list), os.time(), json.encode(owner or ""))
  local ok, thrown = pcall(write_all, handle, head, list)
  local closed, why = handle:close() -- a full disk may be reported only here
  if not ok then error(thrown, 0) end
  assert(closed, why)
end

--- Writes a list of services atomically: on failure the file keeps its old content.
---@param path string
---@param list smmpanel.Service[]
---@param owner? string hash of the panel and the account
---@return true?
---@return string? problem
function file.save(path, list, owner)
  core.remove_leftovers(path)
  local new = beside(path)
  local ok, problem = pcall(write_new, new, list, owner) -- Ctrl-C may end it anywhere
  local is_interrupt = not ok and guard.is_interrupt(problem)
  if ok then ok, problem = os.rename(new, path) end
  if ok then return true end
  os.remove(new)
  if is_interrupt then error(problem, 0) end
  return nil, tostring(problem)
end

local function decode(handle, how, saved_as)
  local decoder = core.decoder(schemas.services, how.decimals or saved_as, how.max_body)
  local ok, said, verdict = true, nil, nil
  local piece = handle:read(PIECE)
  while ok and piece do
    ok, said, verdict = decoder:feed(piece)
    piece = handle:read(PIECE)
  end
  if ok then ok, said, verdict = decoder:finish() end
  if not ok then return nil, verdict == "too_large" and said or "damaged: " .. said end
  return said, "damaged: the list of services, or the time when it was saved, is missing or invalid"
end

local SAVED_MAX = 1e11 -- seconds since 1970: the year 5138

-- Returns whether a file's content is what `save` writes. Someone may have sent the file.
local function is_catalogue(value)
  if type(value) ~= "table" or type(value.services) ~= "table" then return false end
  if type(value.saved) ~= "number" or not (value.saved >= 0 and value.saved <= SAVED_MAX) then return false end
  local count = 0
  for i, service in pairs(value.services) do
    if type(i) ~= "number" or type(service) ~= "table" or service.service == nil then return false end
    count = count + 1
  end
  return count == #value.services
end

local function read(handle, path, how)
  local saved_as = (handle:read(60) or ""):match('^{"smmpanel":1,"decimals":"(%a+)"')
  if not saved_as then return nil, path .. ": not a catalogue that was saved here" end
  -- Money stored as numbers cannot be read as text: "0.90" has become 0.9.
  if how.decimals == "string" and saved_as == "number" then
    return nil, path .. ": saved with rates as numbers"
  end
  handle:seek("set")
  local value, problem = decode(handle, how, saved_as)
  if value == nil or not is_catalogue(value) then return nil, ("%s: %s"):format(path, problem) end
  return value.services, { saved = value.saved, owner = value.owner }
end

--- Reads a file written by `save`.
---@param path string
---@param how { decimals: ("number"|"string")?, max_body: integer? } as in `smmpanel.new` (as it was saved, 64 MiB)
---@return smmpanel.Service[]?
---@return { saved: number, owner: string }|string about the file, or the problem
function file.load(path, how)
  local handle, problem = io.open(path, "rb")
  if not handle then return nil, problem end
  local list, about = read(handle, path, how)
  handle:close()
  return list, about
end

return file
