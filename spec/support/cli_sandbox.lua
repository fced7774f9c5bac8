-- A sandbox, and a home directory in which the command line uses it, for the specs of a block. The functions are called
-- where the block is defined, and return what its specs use.
local busted = require "busted"
local cli = require "spec.support.cli"
local sandboxes = require "spec.support.sandbox"

local cli_sandbox = {}

local function define(options, before, after)
  local sandbox = {}
  local home = cli.home(sandbox)
  busted.setup(function() setmetatable(sandbox, { __index = sandboxes.start(options) }) end)
  before(function() home:make() end)
  after(function() home:remove() end)
  busted.teardown(function() sandbox.stop() end)
  return sandbox, home, function(...) return home:expect(...) end
end

--- Starts a sandbox, and makes one home for all specs.
---@param options? table of the sandbox
---@return table sandbox
---@return table home
---@return fun(line: string, code: integer?, options: table?): string, string run `home:expect`
function cli_sandbox.one_home(options) return define(options, busted.setup, busted.teardown) end

--- The same with a new home for each spec.
function cli_sandbox.new_homes(options) return define(options, busted.before_each, busted.after_each) end

return cli_sandbox
