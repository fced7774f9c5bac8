local core = require "smmpanel.core"
local explain = require "smmpanel.cli.explain"
local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local ids = require "smmpanel.cli.input.ids"
local json = require "smmpanel.util.json"
local live = require "smmpanel.cli.views.live"
local records = require "smmpanel.cli.views.records"
local shared = require "smmpanel.cli.options"
local smmpanel = require "smmpanel"
local terminal = require "smmpanel.cli.views.terminal"
local watched = require "smmpanel.cli.views.watched"

local INTERVAL = 60

-- Draws once per second until the watch ends.
local function draw_while(state)
  local area, paint = live.new(io.stdout), terminal.painter(io.stdout)
  local columns, rows = terminal.size()
  while not state.over do
    local before_columns, before_rows = columns, rows
    columns, rows = terminal.size()
    if columns ~= before_columns or rows ~= before_rows then area:restart() end
    area:draw(watched.frame(state, { columns = columns, rows = rows, paint = paint, now = core.now(),
      mark = terminal.is_utf8() and "…" or ">" }))
    smmpanel.sleep(1)
  end
  state.wipe = function() area:draw {} end
end

-- ---- elsewhere ------------------------------------------------------------------------------

local function plain_line(id, record, previous)
  local now = record.error or formats.text(record.status)
  local before = previous and (previous.error or formats.text(previous.status))
  local change = before and before ~= now and before .. " -> " .. now or now
  local remains = record.remains and "  remains " .. formats.text(record.remains) or ""
  return ("%s  %s  %s%s"):format(os.date "%Y-%m-%dT%H:%M:%S", id, change, remains)
end

local function report_change(context, args, id, record, previous)
  if args.json then
    context:write(json.encode(records.with_id(records.status, id, record)))
  else
    context:print("%s", plain_line(id, record, previous))
  end
  terminal.flush(io.stdout)
end

-- ---- the command ----------------------------------------------------------------------------

local function final_table(state)
  local sink = formats.sink({}, records.status, io.stdout)
  for _, id in ipairs(state.wanted) do
    local record = state.last[id] or { status = "?" }
    sink:row(records.with_id(records.status, id, record))
  end
  sink:close()
end

local function watch(context, args, state, panel)
  local on_terminal = state.draws
  local _, err = panel:watch(state.wanted, {
    interval = args.interval, timeout = args.timeout,
    on_change = function(id, record, previous)
      watched.take(state, id, record)
      if not on_terminal then report_change(context, args, id, record, previous) end
    end,
  })
  state.over = true
  return err
end

-- Each attempt sets the time of the next poll. The reason why polls fail is shown below the table. Without a table it
-- goes to stderr, once until the reason changes.
local function observer(context, state, interval)
  return function(event)
    if event.type == "attempt" then
      state.next_poll = core.now() + interval
      if not event.err then state.problem = nil end
    elseif event.type == "poll_failed" and event.err.code ~= "cancelled" then -- not by Ctrl-C
      local is_other = not state.problem or state.code ~= event.err.code
      state.problem, state.code = explain.text(event.err), event.err.code
      if is_other and not state.draws then context:say("smmpanel: a poll failed: %s", state.problem) end
    end
  end
end

local function run(context, args)
  local state, interval = watched.new(ids.gather(context, "order")), args.interval or INTERVAL
  state.draws = terminal.obeys(io.stdout) and not args.json
  local panel = context:panel { on_event = observer(context, state, interval) }
  context.on_interrupt = function()
    if state.draws then context:write "" end
    return watched.summary(state)
  end
  local err
  if state.draws then
    smmpanel.all { function() err = watch(context, args, state, panel) end, function() draw_while(state) end }
    state.wipe()
    final_table(state)
  else
    err = watch(context, args, state, panel)
  end
  if err then fail.client(err) end
  context:remark("%s", watched.summary(state))
  return state.well == #state.wanted and 0 or fail.SOME
end

local function seconds(text)
  local n = tonumber(text)
  if n and n > 0 then return n end
  return nil, ("'%s' is not a number of seconds above 0"):format(text)
end

local positional, from = ids.arguments "order"

return {
  name = "watch", run = run,
  about = "Watch orders until all are final.",
  details = "On a terminal, a table is updated in place. Elsewhere, each change is printed on a line. The exit code is "
    .. "0 if all orders were completed, and 1 if an order is canceled, partial, failed, or unknown to the panel.",
  arguments = positional,
  options = shared.with_panel {
    from[1], from[2], from[3], from[4],
    { flags = "-i --interval", arg = "SECONDS", convert = seconds, about = "Time between two polls (default 60)." },
    { flags = "--timeout", arg = "SECONDS", convert = seconds, about = "Stop after this time." },
    { flags = "--json", about = "Write each change as a JSON object on its own line." },
  },
  examples = {
    { "smmpanel watch 23501 23502", "until both are done" },
    { "smmpanel watch --from ids.txt --interval 300 >>changes.log", "a log of what changes" },
  },
}
