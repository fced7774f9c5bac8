-- Reads the output of a terminal and fails on any byte that could control it, and on internal errors.
--
--     lua fuzz/terminal_bytes.lua FILE
local file = assert(io.open(arg[1], "rb"))
local typed = file:read "*a"
file:close()

-- The sequences of the command line itself: colours, wrapping, erasing, moving.
local OWN = { "^\27%[[%d;]*m()", "^\27%[%?7[lh]()", "^\27%[K()", "^\27%[J()", "^\27%[2J()", "^\27%[H()", "^\27%[%d+A()",
  "^\27%[%d+G()" }

local function own_end(at)
  for _, pattern in ipairs(OWN) do
    local stop = typed:match(pattern, at)
    if stop then return stop end
  end
end

local bad, run = 0, "before the first run"

local function complain(what, at)
  bad = bad + 1
  if bad <= 20 then print(("%s: %s: %q"):format(run, what, typed:sub(math.max(1, at - 40), at + 40))) end
end

-- Every ESC must begin one of these sequences.
local from = 1
while true do
  local at = typed:find("\27", from, true)
  if not at then break end
  local stop = own_end(at)
  if not stop then complain("escape sequence", at) end
  from = stop or at + 1
end

for line in typed:gmatch "[^\n]+" do run = line:match "^(RUN .-)\r?$" or run
  if line:find "internal error" or line:find "traceback" then complain(line:sub(1, 400), 1) end
end

for at, what in typed:gmatch "()([%z\1-\7\8\11\12\14-\26\28-\31\127])" do complain("control " .. what:byte(), at) end
for at in typed:gmatch "()\194[\128-\159]" do complain("C1 control", at) end
for at in typed:gmatch "()\226\128[\143\168-\174]" do complain("direction", at) end
for at in typed:gmatch "()\226\129[\166-\169]" do complain("direction", at) end

os.exit(bad == 0 and 0 or 1)
