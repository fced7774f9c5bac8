-- The pure parts of the command line: widths, tables, CSV, Lua literals, bars, frames.
local csv = require "smmpanel.cli.input.csv"
local changes = require "smmpanel.cli.views.changes"
local formats = require "smmpanel.cli.views.formats"
local layout = require "smmpanel.cli.views.table"
local literal = require "smmpanel.cli.views.lua_literal".encode
local process = require "spec.support.process"
local progress = require "smmpanel.cli.views.progress"
local system = require "spec.support.system"
local watched = require "smmpanel.cli.views.watched"
local width = require "smmpanel.cli.views.width"

local function plain(_, text) return text end
local function marked(style, text) return style and ("<" .. style .. ":" .. text .. ">") or text end

describe("the width of a text", function()
  it("is that of what is drawn, not of its bytes or characters", function()
    local cells = { [""] = 0, ["abc"] = 3, ["é"] = 1, ["e\204\129"] = 1, ["日本語"] = 6, ["한국어"] = 6,
      ["ｆｕｌｌ"] = 8, ["👍"] = 2, ["👍🏽"] = 2, ["❤️"] = 2, ["👨‍👩‍👧‍👦"] = 2, ["🇹🇷"] = 2,
      ["🇹🇷🇩🇪"] = 4, ["مرحبا"] = 5, ["שָׁלוֹם"] = 4, ["กำ"] = 2, ["नमस्ते"] = 4, ["–"] = 1,
      ["Takipçi"] = 7, ["\227\128\128"] = 2 }
    for text, expected in pairs(cells) do assert.equal(expected, (width.of(text)), text) end
  end)

  it("reports texts about which terminals disagree", function()
    local texts = { ["abc"] = false, ["日本"] = false, ["❤️"] = true, ["👍🏽"] = true, ["e\204\129"] = true }
    for text, doubtful in pairs(texts) do
      assert.equal(doubtful, (select(2, width.of(text))), text)
    end
  end)

  it("is respected when a text is cut, and no character is split", function()
    assert.equal("abc", width.cut("abc", 3, "…"))
    assert.equal("ab…", width.cut("abcd", 3, "…"))
    assert.equal("日…", width.cut("日本語", 4, "…"))
    assert.equal("日…", width.cut("日本語", 3, "…"))
    assert.equal("👨‍👩‍👧‍👦…", width.cut("👨‍👩‍👧‍👦👍", 3, "…"))
    assert.equal("…", width.cut("日本語", 1, "…"))
    assert.equal("", width.cut("日本語", 0, "…"))
    for most = 0, 30 do
      assert.is_true(width.of(width.cut("Instagram 📸 Followers – Türk 日本 🇹🇷 مرحبا", most, "…")) <= most)
    end
  end)
end)

describe("a panel's text on a terminal", function()
  it("is harmless", function()
    assert.equal("a [31mred", width.clean "a\27[31mred")
    assert.equal("a b c", width.clean "a\r\nb\tc")
    assert.equal("x y", width.clean "x\194\155y") -- the one-byte CSI, as UTF-8 has it
    assert.equal("abc", width.clean "a\226\128\174b\226\129\166c") -- marks that turn the direction
    assert.equal("a\239\191\189b", width.clean "a\255b")
    assert.equal("\239\191\189", width.clean "\240\159")
    assert.equal("\239\191\189x", width.clean "\128x")
    assert.equal("Türk 📸 日本", width.clean "Türk 📸 日本")
  end)
end)

describe("a table", function()
  local columns = { { title = "ID", right = true }, { title = "NAME", shrinks = 1 },
    { title = "RATE", right = true } }

  local function lines(rows, how)
    how = how or {}
    how.paint, how.mark = how.paint or plain, "…"
    return layout.lines(columns, rows, how)
  end

  it("has aligned columns in every script", function()
    local made = lines { { "1", "Followers", "0.9" }, { "22", "日本語のサービス", "12.5" },
      { "3", "🇹🇷 Türk", "8" }, { "4", "e\204\129", "1" } }
    assert.same({
      "ID  NAME              RATE",
      " 1  Followers          0.9",
      "22  日本語のサービス  12.5",
      " 3  🇹🇷 Türk              8",
      " 4  e\204\129                    1",
    }, made)
  end)

  it("fits, by cutting what may be cut", function()
    for most = 22, 60 do
      for _, text in ipairs(lines({ { "1", ("Followers 日本 "):rep(4), "0.00071655" } }, { width = most })) do
        assert.is_true(width.of(text) <= most, text)
      end
    end
    assert.same({ "ID  NAME          RATE", " 1  Follow…  0.0007165" },
      lines({ { "1", "Followers of all", "0.0007165" } }, { width = 22 }))
  end)

  it("leaves out columns if cutting is not enough: half a number would be another number", function()
    for most = 5, 21 do
      local made = lines({ { "1", "Followers of all", "0.00071655" } }, { width = most })
      assert.is_nil(made[2]:find("0.", 1, true), made[2])
      assert.is_true(width.of(made[2]) <= most, made[2])
    end
    assert.same({ "ID  NAME", " 1  Followers …" }, lines({ { "1", "Followers of all", "0.00071655" } }, { width = 15 }))
  end)

  it("leaves out a column that has no room", function()
    local with_more = { columns[1], { title = "MORE", from = 30 }, columns[3] }
    local function made(most)
      return layout.lines(with_more, { { "1", "x", "2" } }, { width = most, paint = plain, mark = "…" })[2]
    end
    assert.equal(" 1     2", made(29))
    assert.equal(" 1  x        2", made(30))
  end)

  it("stops right-to-left texts from reversing their neighbours", function()
    local made = lines { { "1", "مرحبا", "0.9" } }
    assert.equal(" 1  مرحبا\226\128\142   0.9", made[2])
  end)

  it("places the next cell where terminals may disagree about a width", function()
    local made = lines({ { "1", "❤️ b", "0.9" }, { "2", "日本", "1" } }, { place = true })
    assert.equal(" 1  ❤️ b\27[9G   0.9", made[2])
    assert.equal(" 2  日本     1", made[3])
  end)

  it("colours cells without moving them", function()
    local made = lines({ { "1", { text = "abc", style = "good" }, "0.9" } }, { paint = marked })
    assert.equal(" 1  <good:abc>    0.9", made[2])
  end)

  it("shows a hostile text as one harmless line", function()
    assert.equal(" 1  a [2J b   0.9", lines({ { "1", "a\27[2J\nb", "0.9" } })[2])
  end)
end)

describe("a colour", function()
  -- A real terminal, because nothing is coloured elsewhere. Lua 5.4.4 frees the stack that it uses when it concatenates
  -- objects and the stack has to grow; lua-term's colours are such objects.
  it("is written at any depth of the stack", function()
    local path = system.write(os.tmpname(), [[
      local paint = require "smmpanel.cli.views.terminal".painter(io.stdout)
      local function at(depth)
        if depth == 0 then return paint("good", "x") end
        local text = at(depth - 1)
        return text
      end
      for depth = 0, 400 do assert(coroutine.wrap(at)(depth) == "\27[32mx\27[0m") end
      print "painted"]])
    local line = "env -u NO_COLOR TERM=xterm LUA_PATH='%s' LUA_CPATH='%s' script -qec '%s %s' /dev/null </dev/null"
    local out = system.output(line:format(package.path, package.cpath, process.lua(), path))
    os.remove(path)
    assert.equal("painted\r\n", out)
  end)
end)

describe("CSV", function()
  it("is written as in RFC 4180", function()
    assert.equal('a,"b,c","say ""hi""","two\nlines",\r\n', csv.row { "a", "b,c", 'say "hi"', "two\nlines", "" })
    assert.equal('""\r\n', csv.row { "" })
    assert.equal('" a"\r\n', csv.row { " a" })
  end)

  it("reads back unchanged", function()
    local seed = 7
    local function random(n)
      seed = (seed * 16807) % 2147483647
      return seed % n + 1
    end
    local pieces = { "a", "é", ",", '"', "\n", "\r\n", " ", ";", "日本", "", "0", "'" }
    for _ = 1, 300 do
      local rows, text = {}, "head,er\r\n"
      for i = 1, random(4) do
        rows[i] = {}
        for j = 1, random(4) do
          local value = ""
          for _ = 1, random(6) do value = value .. pieces[random(#pieces)] end
          rows[i][j] = value .. "." -- an empty line is not a row
        end
        text = text .. csv.row(rows[i])
      end
      local read = assert(csv.read(text))
      for i, row in ipairs(rows) do
        read[i + 1].line = nil
        assert.same(row, read[i + 1])
      end
    end
  end)

  it("is read with any line end, a byte order mark, semicolons, and without a last line end", function()
    for _, text in ipairs { "a,b\n1,2", "a,b\r\n1,2\r\n", "a,b\r1,2\r", "\239\187\191a,b\n1,2\n\n",
      "a;b\n1;2\n", "a\tb\n1\t2\n", ",\na,b\n1,2\n,,,\n" } do
      local rows = assert(csv.read(text))
      local first = rows[1].line
      assert.same({ { line = first, "a", "b" }, { line = first + 1, "1", "2" } }, rows)
    end
    assert.same({}, csv.read "")
    assert.same({ { line = 1, "a", "" } }, csv.read "a,")
  end)

  it("reports where it is broken", function()
    assert.equal("line 3: a quote is not closed", select(2, csv.read 'a,b\n1,2\n3,"4\n5,6\n'))
    assert.equal("line 2: text after a closing quote", select(2, csv.read 'a,b\n"1"x,2\n'))
    assert.matches("^line 2: a quote inside an unquoted field", select(2, csv.read 'a,b\n1"1,2\n'))
    assert.equal("line 4: text after a closing quote", select(2, csv.read 'a\n"1\n2\n3"x\n'))
  end)

  it("returns records by the names in its first row", function()
    local records, names = csv.records 'ref, link ,comments\nr1,l,"a\nb"\nr2,,\n'
    assert.same({ "ref", "link", "comments" }, names)
    assert.same({ { line = 2, values = { ref = "r1", link = "l", comments = "a\nb" } },
      { line = 4, values = { ref = "r2" } } }, records)
    assert.matches("^it is empty", select(2, csv.records ""))
    assert.equal("line 2: 1 fields, but 2 columns have a name", select(3, csv.records "a,b\n1\n")[1])
    assert.equal("line 1: two columns are named 'a'", select(2, csv.records "a,a\n1,2\n"))
    assert.equal("line 1: column 2 has no name", select(2, csv.records "a,,b\n1,2,3\n"))
    assert.equal("line 2: 2 fields, but 1 columns have a name", select(3, csv.records "a,\n1,2\n")[1])
    assert.same({ { line = 2, values = { a = "1" } } }, (csv.records "a,,\n1,,\n,,\n\n"))
  end)
end)

describe("a Lua literal", function()
  it("reads back as the same value", function()
    local value = { "x", 2, { a = 1, ["b c"] = true, ["end"] = false }, text = 'a"b\\\n\r\0001\127é', float = 0.1,
      [10] = "hole", big = 9007199254740991 }
    local read = assert((loadstring or load)("return " .. literal(value)))()
    assert.same(value, read)
    assert.equal("{}", literal {})
    assert.equal('{ "a", nil_ = 1 }', literal { "a", nil_ = 1 })
  end)
end)

describe("a bar", function()
  it("shows the progress, the rate and the remaining time", function()
    assert.equal("status  ████████████░░░░░░░░░░░░░░░░░░  4,200/10,000  1,400/s  5 s left",
      progress.line("status", 4200, 10000, 3, 80, true))
    assert.equal("status  ##############################  10,000/10,000  1,000/s",
      progress.line("status", 10000, 10000, 10, 80, false))
    assert.equal("status  ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0/10,000",
      progress.line("status", 0, 10000, 0, 80, true))
  end)

  it("never takes more than a line", function()
    for columns = 10, 120 do
      local line = progress.line("refill-status", 123456, 1000000, 60, columns, true)
      assert.is_true(width.of(line) < columns, line)
    end
  end)

  it("formats numbers and durations for people", function()
    assert.equal("1,234,567", progress.number(1234567))
    assert.equal("999", progress.number(999))
    assert.equal("59 s", progress.duration(58.2))
    assert.equal("1 min 00 s", progress.duration(59.5))
    assert.equal("2 h 05 min", progress.duration(7500))
  end)
end)

describe("the changes of a catalogue", function()
  local function rows(difference)
    return changes.list { new = difference.new or {}, gone = difference.gone or {},
      changed = difference.changed or {} }
  end

  it("have a row per change, with the relative change of a price", function()
    local list = rows {
      new = { { service = 1, name = "N", rate = "1" } },
      gone = { { service = 2, name = "G", rate = "2" } },
      changed = { { service = { service = 3, name = "C" }, changes = {
        { field = "rate", before = "0.90", after = "0.95" }, { field = "min", before = 10, after = 20 },
      } } },
    }
    assert.equal(4, #list)
    assert.same({ { text = "~ changed", style = "open" }, "3", "C", "rate", "0.90",
      { text = "0.95 (+5.6 %)", style = "bad" } }, changes.SHAPE.cells(list[3]))
    assert.same({ text = "20" }, changes.SHAPE.cells(list[4])[6])
    assert.equal("1 new, 1 gone, 1 changed", changes.summary(list))
    assert.equal("nothing has changed", changes.summary {})
  end)
end)

describe("the frame of watched orders", function()
  local function frame(state, rows)
    return table.concat(watched.frame(state, { columns = 60, rows = rows or 24, now = 0, mark = "…",
      paint = plain }), "\n")
  end

  it("shows open orders, and finished ones below them", function()
    local state = watched.new { "1", "2", "3" }
    watched.take(state, "1", { status = "Completed", remains = 0, charge = "0.9", currency = "USD" })
    watched.take(state, "2", { status = "In progress", remains = 12 })
    state.next_poll = 42
    assert.equal([[
2 open, 1 done  next poll in 42 s

ORDER  STATUS        CHARGE  START  REMAINS
2      In progress                       12
3      ...
done
1      Completed    0.9 USD               0]], (frame(state):gsub(" +\n", "\n"):gsub(" +$", "")))
    assert.equal("1 of 3 orders done, 1 completed", watched.summary(state))
  end)

  it("never has more lines than the terminal", function()
    local ids = {}
    for i = 1, 300 do ids[i] = tostring(i) end
    local state = watched.new(ids)
    for done = 0, 300, 25 do
      for i = 1, done do watched.take(state, ids[i], { status = "Canceled" }) end
      for rows = 10, 60, 10 do
        local _, count = frame(state, rows):gsub("\n", "\n")
        assert.is_true(count + 2 <= rows, ("%d lines of %d at %d done"):format(count + 1, rows, done))
      end
    end
    assert.matches("and 281 more", frame(watched.new(ids), 26))
    assert.equal("300 of 300 orders done, 0 completed", watched.summary(state))
  end)

  it("counts an order once, and an unknown one as finished", function()
    local state = watched.new { "1", "2" }
    for _ = 1, 2 do watched.take(state, "1", { status = "Completed" }) end
    watched.take(state, "2", { error = "Incorrect order ID", code = "bad_order" })
    assert.equal("2 of 2 orders done, 1 completed", watched.summary(state))
  end)
end)

describe("long lists", function()
  it("are read up to 250,000 rows, and the limit is named in the error", function()
    local line = "1,https://example.com/p,100\n"
    local records = assert(csv.records("service,link,quantity\n" .. line:rep(200000)))
    assert.equal(200000, #records)
    records = nil -- luacheck: ignore 311
    local rows, problem = csv.read(line:rep(250001))
    assert.is_nil(rows)
    assert.equal("it has more than 250000 rows: split it into several files", problem)
  end)

  local function memory()
    for _ = 1, 2 do collectgarbage() end -- what other specs left may need a finalizer first
    return collectgarbage "count"
  end

  it("are written as they arrive, except a table", function()
    local null = assert(io.open("/dev/null", "w"))
    for _, format in ipairs { "csv", "json", "lua" } do
      local sink = formats.sink({ [format] = true }, { fields = { "service", "name" } }, null)
      local before = memory()
      for i = 1, 20000 do sink:row { service = i, name = "Instagram Followers " .. i } end
      assert.is_true(memory() - before < 1000, format) -- kB; held in memory they are over 4,000
      sink:close()
    end
    null:close()
  end)
end)
