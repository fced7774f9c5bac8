-- Writes the results as JSON, as a table in Markdown with a section for each system, as a picture, and as sentences in
-- the README.
local report = {}

local function sorted(t)
  local names = {}
  for name in pairs(t) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function json(value)
  if type(value) == "string" then return '"' .. value:gsub('[%c"\\]', " ") .. '"' end
  if type(value) == "number" then return ("%.6g"):format(value) end
  local parts = {}
  for _, name in ipairs(sorted(value)) do parts[#parts + 1] = json(name) .. ": " .. json(value[name]) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  file:close()
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function number(value)
  if not value then return "" end
  if value >= 100 then return ("%.0f"):format(value) end
  return ("%.3g"):format(value)
end

local function first_line(command)
  local pipe = io.popen(command)
  local line = pipe:read "*l"
  pipe:close()
  return line or ""
end

-- The versions of the measured programs, from the system.
local PACKAGES = { "lua5.4", "luajit2", "libcurl4", "lua-cjson", "lua-socket", "lua-sec", "lua-luv",
  "lua-dkjson", "libsimdjson-dev", "nginx", "libnginx-mod-http-lua", "php-cli", "python3", "python3-requests",
  "python3-aiohttp", "nodejs" }

local function machine()
  local versions = {}
  for _, name in ipairs(PACKAGES) do
    local version = first_line("dpkg-query -W -f '${Version}' " .. name .. " 2>/dev/null")
    if version ~= "" then versions[#versions + 1] = name .. " " .. version end
  end
  return table.concat({
    "- " .. first_line "sed -n 's/^model name.*: //p' /proc/cpuinfo" .. ", "
      .. first_line "nproc" .. " processors, "
      .. first_line "sed -n 's/^MemTotal: *//p' /proc/meminfo" .. " of memory, " .. first_line "uname -sr",
    "- " .. table.concat(versions, ", ") .. (report.also and ", " .. report.also or ""),
    "- " .. os.date "!%Y-%m-%d %H:%M UTC" .. ", load at the start " .. (report.load or ""),
  }, "\n")
end

local function theirs(row)
  local parts = {}
  for _, name in ipairs(sorted(row.peers)) do
    parts[#parts + 1] = ("%s %s (%.2f)"):format(name, number(row.peers[name]), row.ratios[name])
  end
  return table.concat(parts, ", ")
end

local HEAD = [[
# What was measured

`make bench` wrote this file: a section for each system on which it ran. `QUICK=1 make bench` is the short form. All
programs ran in turn on one machine. Each figure is the median of its rounds. The number in brackets is the median
of the rounds' ratios, our figure divided by the other. The limit is a C program on libcurl that discards the body.

]]

local function section(rows, system, rounds)
  local lines = {
    "## " .. system, "", machine() .. rounds, "",
    "| row | unit | ours | peers (ours / peer) | limit | to reach |", "|---|---|---|---|---|---|",
  }
  for _, row in ipairs(rows) do
    local limit = row.limit and ("%s (%.2f)"):format(number(row.limit), row.ratios.limit) or ""
    lines[#lines + 1] = ("| %s | %s | %s | %s | %s | %s |"):format(row.name, row.unit .. (row.better == "more"
      and ", more is better" or ""), number(row.ours), theirs(row), limit, row.reach)
  end
  return table.concat(lines, "\n") .. "\n\n"
end

-- Returns the sections with rows of a file, by title.
local function sections_of(text)
  local found, title = {}, nil
  for line in text:gmatch "[^\n]*\n" do
    title = line:match "^## (.*)\n" or title
    if title then found[title] = (found[title] or "") .. line end
  end
  for name, body in pairs(found) do
    if not body:find("| row | unit |", 1, true) then found[name] = nil end
  end
  return found
end

-- Replaces the section of this system. Those of other systems stay.
local function markdown(before, rows, rounds)
  local system = first_line ". /etc/os-release; echo $PRETTY_NAME"
  local sections = sections_of(before)
  sections[system] = section(rows, system, rounds)
  local parts = { HEAD }
  for _, name in ipairs(sorted(sections)) do parts[#parts + 1] = sections[name] end
  return table.concat(parts)
end

-- ---- the picture: for each row that has peers, bars of what each takes ----------------------------

local WIDTH, LABEL, BAR, LINE, CHAR = 860, 250, 460, 18, 34

local function bars(row)
  local list = { { "smmpanel", row.ours, "#2a7de1" } }
  for _, name in ipairs(sorted(row.peers)) do list[#list + 1] = { name, row.peers[name], "#9aa5b1" } end
  if row.limit then list[#list + 1] = { "limit (C, libcurl)", row.limit, "#d5dbe1" } end
  return list
end

local function escape(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function picture(rows)
  local out, y = {}, 10
  local function add(format, ...) out[#out + 1] = format:format(...) end
  for _, row in ipairs(rows) do
    if row.picture then
      local list, most = bars(row), 0
      for _, bar in ipairs(list) do most = math.max(most, bar[2]) end
      y = y + CHAR - 8
      add('<text x="10" y="%d" font-weight="bold">%s, %s (%s is better)</text>', y, escape(row.name),
        escape(row.unit), row.better)
      for _, bar in ipairs(list) do
        local width = math.max(1, BAR * bar[2] / most)
        y = y + LINE
        add('<text x="%d" y="%d" text-anchor="end">%s</text>', LABEL - 8, y, escape(bar[1]))
        add('<rect x="%d" y="%d" width="%.1f" height="12" fill="%s"/>', LABEL, y - 10,
          width, bar[3])
        add('<text x="%.1f" y="%d">%s</text>', LABEL + width + 6, y, number(bar[2]))
      end
    end
  end
  return ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" '
    .. 'font-size="12">\n' .. '<rect width="100%%" height="100%%" fill="white"/>\n%s\n</svg>\n'
    ):format(WIDTH, y + 16, table.concat(out, "\n"))
end

-- ---- the README ------------------------------------------------------------------------------------

local BEGIN, END = "<!-- figures: written by make bench -->\n", "<!-- end of figures -->"

local function readme(sentences)
  local text = read "README.md"
  local from, to = text:find(BEGIN, 1, true), text:find(END, 1, true)
  if not from or not to then return end
  write("README.md", text:sub(1, from - 1) .. BEGIN .. sentences .. "\n" .. text:sub(to))
end

--- Writes all results.
---@param rows table[]
---@param sentences string for the README
---@param short string a description of the number of rounds
function report.write(rows, sentences, short)
  local lines = {}
  for _, row in ipairs(rows) do
    lines[#lines + 1] = json { name = row.name, unit = row.unit, ours = row.ours, peers = row.peers,
      limit = row.limit, ratios = row.ratios, better = row.better, reach = row.reach }
  end
  write("bench/results.json", "[\n" .. table.concat(lines, ",\n") .. "\n]\n")
  write("bench/RESULTS.md", markdown(read "bench/RESULTS.md", rows, short) .. read "bench/NOTES.md")
  write("bench/results.svg", picture(rows))
  readme(sentences)
end

function report.print(row)
  local limit = row.limit and ("; limit %s (%.2f)"):format(number(row.limit), row.ratios.limit) or ""
  print(("%-62s ours %s %s; %s%s"):format(row.name, number(row.ours), row.unit, theirs(row), limit))
end

return report
