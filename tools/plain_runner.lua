--- Runs specs without busted, which needs modules in C, on systems that lack them. It has the functions that our specs
-- use, and luassert, which is plain Lua. Prints the failures and "N passed, N failed[, N skipped]".
--
--     lua tools/plain_runner.lua [--without=WORD]... spec/batch_spec.lua ...
--
-- --without: skip specs with that word in their name.
local assert = require "luassert"

local counts = { passed = 0, failed = 0, skipped = 0 }
local SKIPPED = {} -- what `pending` throws within a spec

local function new_block(parent, name)
  return { parent = parent, name = name, before = {}, after = {}, lazy = {}, closing = {} }
end

local block

local function full_name(name)
  local names, at = { name }, block
  while at and at.name do
    table.insert(names, 1, at.name)
    at = at.parent
  end
  return table.concat(names, " ")
end

local function report(name, message)
  counts.failed = counts.failed + 1
  print(("\nFailure -> %s\n%s"):format(full_name(name), tostring(message)))
end

local function guarded(name, f, ...)
  local ok, problem = xpcall(f, function(message)
    return message == SKIPPED and message or type(message) == "string" and debug.traceback(message, 2) or message
  end, ...)
  if ok then return true end
  if problem ~= SKIPPED then report(name, problem) end
  return false, problem == SKIPPED
end

-- From the outermost block inwards, or in reverse.
local function each(field, outwards)
  local list, at = {}, block
  while at do
    for i, f in ipairs(at[field]) do table.insert(list, outwards and #list + 1 or i, f) end
    at = at.parent
  end
  return list
end

local function run_lazy()
  local at, chain = block, {}
  while at do
    table.insert(chain, 1, at)
    at = at.parent
  end
  for _, one in ipairs(chain) do
    local set_up = one.lazy
    one.lazy = {}
    for _, f in ipairs(set_up) do f() end
  end
end

local unwanted = {}

local function is_unwanted(name)
  for _, word in ipairs(unwanted) do
    if full_name(name):find(word, 1, true) then return true end
  end
  return false
end

local api = {}
local finals

function api.it(name, f)
  if is_unwanted(name) then
    counts.skipped = counts.skipped + 1
    return print("skipped: " .. full_name(name))
  end
  finals = {}
  local snapshot = assert:snapshot()
  local ok, skipped = guarded(name, function()
    run_lazy()
    for _, before in ipairs(each "before") do before() end
    f()
  end)
  for _, final in ipairs(finals) do ok = guarded(name, final) and ok end
  for _, after in ipairs(each("after", true)) do ok = guarded(name, after) and ok end
  snapshot:revert()
  if ok then
    counts.passed = counts.passed + 1
  elseif skipped then
    counts.skipped = counts.skipped + 1
  end
end

function api.describe(name, f)
  local outer = block
  block = new_block(outer, name)
  local inner = block
  local run = guarded(name, f)
  for _, closing in ipairs(inner.closing) do guarded(name, closing) end
  block = outer
  return run
end

function api.pending(reason)
  print("skipped: " .. full_name(tostring(reason)))
  error(SKIPPED)
end

function api.finally(f) table.insert(finals, f) end
function api.before_each(f) table.insert(block.before, f) end
function api.after_each(f) table.insert(block.after, f) end
function api.setup(f) table.insert(block.lazy, f) end
function api.teardown(f) table.insert(block.closing, f) end
api.lazy_setup, api.lazy_teardown, api.insulate, api.expose = api.setup, api.teardown, api.describe, api.describe

for name, f in pairs(api) do _G[name] = f end
_G.assert = assert

local files = {}
for _, given in ipairs { ... } do
  local word = given:match "^%-%-without=(.+)"
  table.insert(word and unwanted or files, word or given)
end

for _, file in ipairs(files) do
  block = nil
  local before = counts.failed
  local passed = counts.passed
  api.describe(nil, function() (loadfile(file) or error(select(2, loadfile(file))))() end)
  print(("%-36s %d passed, %d failed"):format(file, counts.passed - passed, counts.failed - before))
end
print(("%d passed, %d failed%s"):format(counts.passed, counts.failed,
  counts.skipped > 0 and (", %d skipped"):format(counts.skipped) or ""))
os.exit(counts.failed == 0 and 0 or 1)
