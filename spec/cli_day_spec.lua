-- A shop's working day on the real command: 200 orders from a messy file, Ctrl-C, a panel that breaks half-way,
-- uncertain orders resolved, the state of all orders, three cancelled, a report. At the end the panel's books and ours
-- agree to the last digit.
local cli = require "spec.support.cli"
local cli_sandbox = require "spec.support.cli_sandbox"
local csv = require "smmpanel.cli.input.csv"
local decimal = require "smmpanel.util.decimal"
local system = require "spec.support.system"

local COUNT = 200

local function quantity_of(i) return 50 + i * 7 end

-- As a German spreadsheet saves it: a byte order mark, semicolons, capitals, quotes, empty rows.
local function messy_file()
  local rows = { "\239\187\191Ref;Service;Link;Quantity;;" }
  for i = 1, COUNT do
    local link = ("https://example.com/day/%d"):format(i)
    rows[#rows + 1] = i % 3 == 0 and ('"day-%d";"1";"%s";" %d ";;'):format(i, link, quantity_of(i))
      or ("day-%d;1;%s ;%d;;"):format(i, link, quantity_of(i))
    if i % 50 == 0 then rows[#rows + 1] = ";;;;;" end
  end
  return table.concat(rows, "\r\n") .. "\r\n"
end

describe("a day's work", function()
  local sandbox, home, run = cli_sandbox.one_home { balance = "500.123456789" }

  local function balance() return decimal.parse((run "smmpanel balance"):match "^[%d.]+") end

  local function made() return #sandbox.ask "orders" end

  -- Looks up pending orders at the panel by their link, as a person would.
  local function settle()
    local rows = { "ref,order" }
    for _, record in ipairs(assert(csv.records((run "smmpanel pending --csv")))) do
      local found = sandbox.ask("orders?link=" .. record.values.link)
      assert.is_true(#found <= 1)
      rows[#rows + 1] = record.values.ref .. "," .. (found[1] and ("%.0f"):format(found[1].order) or "not placed")
    end
    home:write("settled.csv", table.concat(rows, "\n"))
    if #rows > 1 then run "smmpanel resolve --yes --force --from ~/settled.csv" end
    return #rows - 1
  end

  it("ends with books that agree", function()
    home:write("orders.csv", messy_file())
    local before = balance()

    -- Ctrl-C half-way: every request that was sent has its answer, nothing is uncertain.
    run(([[%s add --from ~/orders.csv --yes >~/first 2>&1 & pid=$!; sleep 0.8; kill -INT $pid; wait $pid]]):format(
      cli.COMMAND), 130, { fault = "latency:0.1&on=add" })
    local first = made()
    assert.is_true(first > 0 and first < COUNT, first)

    -- The panel breaks and answers are lost. The run stops by itself and prints how to continue.
    local _, err = run("smmpanel add --from ~/orders.csv --yes", 5, { fault = "lost@20-60&on=add" })
    assert.matches("Stopped early: ", err)
    -- The run stops after three lost answers in a row. Eight requests are in flight: answers from before the fault may
    -- arrive between the first lost ones, and eight more orders are sent before the third is counted.
    local uncertain = settle()
    assert.is_true(uncertain >= 3 and uncertain <= 16, uncertain)
    assert.is_true(made() < COUNT)

    -- It works again.
    run "smmpanel add --from ~/orders.csv --yes --csv >~/report.csv"
    assert.equal(COUNT, made())
    local report = assert(csv.records(system.read(home.path .. "/report.csv")))
    assert.equal(COUNT, #report)
    assert.equal("", (run "smmpanel pending"))

    -- Our books: each ref has one order, for its own link, at its price.
    local ours, seen = decimal.zero, {}
    for i, record in ipairs(report) do
      assert.equal("placed", record.values.result)
      assert.is_nil(seen[record.values.order])
      seen[record.values.order] = true
      ours = ours + decimal.parse "0.0009" * decimal.parse(tostring(quantity_of(i)))
    end
    assert.equal(decimal.text(before - ours), decimal.text(balance()))

    -- The panel's books: what it reports as the cost of each order.
    run "smmpanel status --from ~/report.csv --csv >~/status.csv"
    local theirs = decimal.zero
    for _, record in ipairs(assert(csv.records(system.read(home.path .. "/status.csv")))) do
      theirs = theirs + decimal.parse(record.values.charge)
    end
    assert.equal(decimal.text(ours), decimal.text(theirs))

    -- Three orders are cancelled, and no others.
    home:write("three.csv", ("order\n%s\n%s\n%s\n"):format(report[1].values.order, report[100].values.order,
      report[200].values.order))
    local out = run "smmpanel cancel --from ~/three.csv --yes --csv"
    assert.equal(3, #assert(csv.records(out)))
    assert.equal(1, sandbox.counts().actions.cancel)
    assert.equal(COUNT, made())
  end)
end)
