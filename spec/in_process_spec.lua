-- The specs of the calls again, with the sandbox as a transport in this process: the same outcomes.
local BOTH = { "actions", "at_most_once", "many_ids" }

-- busted's names for a spec file are in its environment, not among the globals.
local environment = getfenv and getfenv(1) or _ENV

local function load_spec(name)
  local path = "spec/" .. name .. "_spec.lua"
  if not setfenv then return assert(loadfile(path, "t", environment)) end
  return setfenv(assert(loadfile(path)), environment)
end

local function with_sandbox_in_process(define)
  local name = "spec.support.sandbox"
  local over_network = require(name)
  package.loaded[name] = require "spec.support.sandbox_in_process"
  local ok, thrown = pcall(define)
  package.loaded[name] = over_network
  if not ok then error(thrown, 0) end
end

describe("in this process:", function()
  for _, name in ipairs(BOTH) do
    with_sandbox_in_process(load_spec(name))
  end
end)
