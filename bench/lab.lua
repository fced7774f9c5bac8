-- Runs programs in turn for several rounds, and collects the figures of each round.
local lab = {}

local QUICK = os.getenv "QUICK" == "1"

--- The number of rounds: fewer with QUICK=1.
function lab.rounds(full, quick) return QUICK and quick or full end

lab.quick = QUICK

function lab.median(list)
  local sorted = { table.unpack(list) }
  table.sort(sorted)
  local middle = #sorted // 2
  if #sorted % 2 == 1 then return sorted[middle + 1] end
  return (sorted[middle] + sorted[middle + 1]) / 2
end

local function quoted(value)
  return "'" .. tostring(value):gsub("'", "'\\''") .. "'"
end

--- Returns a shell command with an environment.
function lab.command(program, env)
  local parts = { "env" }
  for name, value in pairs(env or {}) do parts[#parts + 1] = name .. "=" .. quoted(value) end
  parts[#parts + 1] = program
  return table.concat(parts, " ")
end

--- Runs a command once. Returns the names and numbers that it printed, and its total cost: cpu, wall (seconds), memory
-- (bytes).
function lab.run(program, env)
  local pipe = assert(io.popen("build/bench/measure " .. lab.command(program, env)))
  local said = {}
  for line in pipe:lines() do
    local cpu, wall, peak = line:match "^@ (%S+) (%S+) (%S+)$"
    if cpu then
      said.cpu, said.wall, said.memory = tonumber(cpu), tonumber(wall), tonumber(peak) * 1024
    else
      local name, value = line:match "^(%S+)%s+(%S+)"
      if name then said[name] = tonumber(value) end
    end
  end
  if not pipe:close() then error("it failed: " .. lab.command(program, env)) end
  return said
end

--- Runs each in turn, `rounds` times over.
---@param contestants { [1]: string, [2]: fun(): table }[] a name, and a function that runs it once
---@return table<string, table[]> the figures by name, a table per round
function lab.alternate(contestants, rounds)
  local said = {}
  for _, contestant in ipairs(contestants) do said[contestant[1]] = {} end
  for round = 1, rounds do
    for i = 1, #contestants do
      -- each round begins with a different one, so that none always follows the same
      local contestant = contestants[(i + round - 2) % #contestants + 1]
      table.insert(said[contestant[1]], contestant[2]())
    end
  end
  return said
end

local function medians(said, figure)
  local values = {}
  for i, one in ipairs(said) do values[i] = one[figure] end
  return values[1] and lab.median(values)
end

-- Returns the median of the rounds' ratios: a drift between rounds affects both.
local function ratio(ours, theirs, figure)
  local values = {}
  for i, one in ipairs(ours) do values[i] = one[figure] / theirs[i][figure] end
  return lab.median(values)
end

--- Returns a row of the results for one figure of `alternate`.
---@param row { name: string, unit: string, figure: string, scale: number?, reach: string, more: boolean? }
function lab.row(row, said)
  local result = { name = row.name, unit = row.unit, reach = row.reach, peers = {}, ratios = {},
                   better = row.more and "more" or "less" }
  local scale = row.scale or 1
  for name, rounds in pairs(said) do
    local value = medians(rounds, row.figure)
    if value and name == "ours" then
      result.ours = value * scale
    elseif value then
      if name == "limit" then result.limit = value * scale else result.peers[name] = value * scale end
      result.ratios[name] = ratio(said.ours, rounds, row.figure)
    end
  end
  return result
end

return lab
