-- A tour of the whole API: every action, for one id and for several, and an error of each kind. Run it with `make
-- demo`. It starts a sandbox panel, an HTTP server on this machine that simulates delivery, and stops it at the end.
-- It ignores SMMPANEL_URL and SMMPANEL_KEY on purpose, because it places orders.
local smmpanel = require "smmpanel"
local sandbox = require "smmpanel.sandbox.server"

local bold, dim, plain = "", "", ""
if os.getenv "TERM" ~= "dumb" and not os.getenv "NO_COLOR" and os.execute "test -t 1" then
  bold, dim, plain = "\27[1m", "\27[2m", "\27[0m"
end

-- Formats { a = 1, b = "x" } as one line with sorted keys; long lines are cut.
local function literal(value, depth)
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) ~= "table" or getmetatable(value) then return tostring(value) end
  if depth == 0 then return "{…}" end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(keys) do
    local name = type(key) == "string" and key:match "^[%a_][%w_]*$" or "[" .. literal(key, 0) .. "]"
    parts[#parts + 1] = name .. " = " .. literal(value[key], depth - 1)
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function chapter(title) print("\n" .. bold .. "── " .. title .. " " .. ("─"):rep(64 - #title) .. plain) end
local function say(text) print(dim .. "   " .. text .. plain) end

-- Prints a call as source, and its results.
local function show(call, value, err)
  print("> " .. call)
  if value ~= nil then print("  " .. literal(value, 2)) end
  if err then print("  nil, " .. tostring(err)) end
  return value, err
end

local function count(list)
  local n = 0
  for _ in pairs(list) do n = n + 1 end
  return n
end

local function tour(server)
  local panel = smmpanel.new { url = server.url, key = server.key }

  chapter "Balance"
  show("panel:balance()", panel:balance())

  chapter "Catalogue"
  local services = assert(panel:services())
  print("> panel:services()")
  print(("  a list of %d services; the first: %s"):format(#services, literal(services[1], 1)))
  local by_type = {}
  for _, service in ipairs(services) do by_type[service.type] = by_type[service.type] or service end

  chapter "Orders, of several types"
  local default = by_type.Default
  local made = assert(show("panel:add { service = …, link = …, quantity = 1000 }", panel:add {
    service = default.service, link = "https://example.com/p/1", quantity = default.min,
  }))
  say "Name the service's type and what it requires is checked before anything is sent:"
  show("panel:add { type = \"Custom Comments\", comments = { \"Nice!\", … }, … }", panel:add {
    service = by_type["Custom Comments"].service, type = "Custom Comments", link = "https://example.com/p/2",
    comments = { "Nice!", "Great shot", "Where is this?", "Love it", "So good",
      "Wow", "Beautiful", "More please", "First!", "Superb" },
  })
  show("panel:add { type = \"Poll\", answer_number = 2, … }", panel:add {
    service = by_type.Poll.service, type = "Poll", link = "https://example.com/p/3",
    quantity = by_type.Poll.min, answer_number = 2,
  })
  show("panel:add { type = \"Subscriptions\", username = …, … }", panel:add {
    service = by_type.Subscriptions.service, type = "Subscriptions", username = "someone",
    min = by_type.Subscriptions.min, max = by_type.Subscriptions.min, posts = 5, delay = 30,
  })
  say "A wrong argument throws, and nothing was sent:"
  print("  " .. tostring(select(2, pcall(panel.add, panel, { service = 1, link = "x", quantity = {} }))))

  chapter "Status of one order"
  local one = assert(show("panel:status(" .. literal(made.order, 1) .. ")", panel:status(made.order)))
  say(("smmpanel.state(%q) is %q, is_final: %s"):format(one.status, smmpanel.state(one.status),
    tostring(smmpanel.is_final(one.status))))

  chapter "Status of 1,000 orders at once"
  local ids = {}
  for i = 1, 1000 do ids[i] = i <= 4 and made.order + i - 1 or 900000 + i end
  local done_of = {}
  local many, batch_err = panel:status(ids, { on_progress = function(done, total)
    done_of[#done_of + 1] = done .. "/" .. total
  end })
  print "> panel:status(ids, { on_progress = … })"
  print("  progress: " .. table.concat(done_of, " "))
  local errors = {}
  for _, record in pairs(many) do
    if record.error then errors[record.error] = (errors[record.error] or 0) + 1 end
  end
  print(("  %d entries, one for each id; errors among them: %s"):format(count(many), literal(errors, 1)))
  assert(batch_err == nil, batch_err)

  chapter "Refill and cancel"
  local week = smmpanel.new { url = server.control .. "/advance?seconds=604800", key = "none" }
  assert(week:call "advance")
  say "(a week passes on the sandbox's clock)"
  show("panel:status(" .. literal(made.order, 1) .. ")", panel:status(made.order))
  local refill = show("panel:refill(" .. literal(made.order, 1) .. ")", panel:refill(made.order))
  show("panel:refill { " .. literal(made.order, 1) .. ", 999999 }", (panel:refill { made.order, 999999 }))
  if refill then
    show("panel:refill_status(" .. literal(refill.refill, 1) .. ")", panel:refill_status(refill.refill))
  end
  local cancellable = assert(panel:add {
    service = default.service, link = "https://example.com/p/4", quantity = default.min,
  })
  show("panel:cancel(" .. literal(cancellable.order, 1) .. ")", panel:cancel(cancellable.order))
  show("panel:cancel { …, 999999 }", (panel:cancel { cancellable.order, 999999 }))

  chapter "What can go wrong"
  say "kind = \"panel\": it said no, in its own words; err.code is a stable word for it"
  show("panel:add { quantity = 1, … }", panel:add {
    service = default.service, link = "https://example.com/p/5", quantity = 1,
  })
  local function with_fault(fault, options)
    local settings = { url = server.url .. "?fault=" .. fault, key = server.key, retries = 0 }
    for name, value in pairs(options or {}) do settings[name] = value end
    return smmpanel.new(settings)
  end
  say "kind = \"panel\", the key is wrong: never tried again"
  show("panel:balance()", smmpanel.new { url = server.url, key = "not-the-key" }:balance())
  say "kind = \"http\": a status without a usable body"
  show("panel:balance()", with_fault("502-html"):balance())
  say "kind = \"response\": not JSON"
  show("panel:balance()", with_fault("html"):balance())
  say "kind = \"network\": no server there"
  show("panel:balance()", smmpanel.new { url = "http://127.0.0.1:1/", key = "k", timeout = 2, retries = 0 }:balance())
  say "kind = \"timeout\": the deadline holds for the whole call, retries and all"
  show("panel:balance()", with_fault("latency:2", { timeout = 0.3 }):balance())
  say "An add whose answer is lost is not sent again, and says that the order may exist:"
  local _, lost = show("panel:add { … }", with_fault("lost"):add {
    service = default.service, link = "https://example.com/p/6", quantity = default.min,
  })
  print("  err.uncertain = " .. tostring(lost.uncertain))

  panel:close()
  print "\nThat was all of it. The README has the details."
end

print "Starting a sandbox panel on this machine …"
local server = assert(sandbox.start())
print("It answers at " .. server.url)
local ok, message = xpcall(tour, debug.traceback, server)
server.stop()
if not ok then
  if message:find("interrupted", 1, true) then message = "interrupted; the sandbox is stopped" end
  io.stderr:write(message, "\n")
  os.exit(1)
end
