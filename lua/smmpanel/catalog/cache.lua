--- A catalogue cached in a file, and fetched again when it is too old.
-- @module smmpanel.catalog.cache

local cache = {}

local errors = require "smmpanel.errors"
local file = require "smmpanel.catalog.file"

-- Returns the cached list if it is fresh. A file of another panel or account would give wrong prices; one dated in
-- the future would never expire.
local function fresh(how)
  local list, about = file.load(how.path, how)
  if not list or about.owner ~= how.owner or type(about.saved) ~= "number" then return nil end
  local age = os.time() - about.saved
  return age >= 0 and age < how.max_age and list or nil
end

--- Returns the services from the file if they are fresh; otherwise fetches them and writes the file.
---@param how { path: string, max_age: number, owner: string, decimals: "number"|"string", max_body: integer }
---@param fetch fun(): smmpanel.Service[]?, smmpanel.Error?
---@return smmpanel.Service[]?
---@return smmpanel.Error? err with a list: the list is valid, but the file could not be written
function cache.services(how, fetch)
  local still_good = fresh(how)
  if still_good then return still_good end
  local list, err = fetch()
  if not list then return nil, err end
  local ok, problem = file.save(how.path, list, how.owner)
  if ok then return list end
  return list, errors.new { kind = "cache", code = "write", action = "services", attempts = 0,
    message = "the services could not be saved: " .. problem }
end

return cache
