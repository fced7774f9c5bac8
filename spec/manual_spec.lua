-- The manual (make doc): every public function and type is in it, and every link leads somewhere.
local system = require "spec.support.system"

local output, read = system.output, system.read

-- The tool is for Lua 5.4, whatever runs the specs.
describe("the manual", function()
  local dir, reference

  lazy_setup(function()
    dir = system.directory()
    local said = output(("make -s LUA=lua5.4 all 2>&1; lua5.4 tools/doc '%s' 2>&1; echo made $?"):format(dir))
    assert(said:find "made 0$" or said:find "made 0\n$", said)
    reference = read(dir .. "/html/reference.html")
  end)
  lazy_teardown(function() os.execute("rm -rf '" .. dir .. "'") end)

  it("has every function with a docstring of the public modules", function()
    local count = 0
    for _, path in ipairs(dofile "tools/doc_sources.lua") do
      local text = read(path)
      for owner, dot, name in text:gmatch "\nfunction ([%w_]+)([.:])(%w[%w_]*)%(" do
        local documented = text:find("%-%-%-?[^\n]*\nfunction " .. owner .. "[.:]" .. name .. "%(")
        if documented then
          assert.truthy(reference:find(dot .. name .. '"><code>', 1, true), path .. ": " .. name)
          count = count + 1
        end
      end
    end
    assert.is_true(count > 25, count)
  end)

  it("describes every type that it names, with all fields of an order", function()
    for name in reference:gmatch "smmpanel%.%u%w*" do
      assert.truthy(reference:find('id="' .. name .. '"', 1, true), name)
    end
    for name in ("Order RefOrder Event Status Statuses Options CallOptions Error Ledger Search Limiter Service " ..
      "WatchOptions"):gmatch "%w+" do
      assert.truthy(reference:find('id="smmpanel.' .. name .. '"', 1, true), name)
    end
    local order = reference:match '<h3 id="smmpanel.Order">(.-)<h3'
    for field in ("service link quantity runs interval comments usernames username hashtags min max posts " ..
      "delay"):gmatch "%w+" do
      assert.truthy(order:find("<code>" .. field .. "%??</code>"), field)
    end
  end)

  it("shows both ways to call functions that accept an id or a list", function()
    local status = reference:match '<h3 id="panel:status">(.-)<h3'
    assert.truthy(status:find("Also: ", 1, true))
    assert.truthy(status:find("smmpanel.Statuses", 1, true))
  end)

  it("keeps the continuation lines of a field or parameter with it", function()
    local options = reference:match 'id="smmpanel.CallOptions".-</table>'
    assert.matches("<td>lists only: receives each answer as it arrives[^<]*next id, or nil", options)
    local status = reference:match 'id="panel:status".-<h3'
    assert.matches("also a function that returns the next id</td>", status)
  end)

  it("has no internals", function()
    for _, name in ipairs { "smmpanel.call", "smmpanel.OnceCall", "smmpanel.Asking", "smmpanel.AddRun" } do
      assert.is_nil(reference:find('id="' .. name .. '"', 1, true), name)
    end
  end)

  it("has no dead links or anchors", function()
    local pages = {}
    for page in output("ls '" .. dir .. "/html'"):gmatch "[^\n]+%.html" do
      pages[page] = read(dir .. "/html/" .. page)
    end
    for page, html in pairs(pages) do
      for target, anchor in html:gmatch 'href="([^"#:]*)#?([^":]*)"' do
        local other = target == "" and html or pages[target]
        if target ~= "style.css" then assert.truthy(other, page .. " -> " .. target) end
        if anchor ~= "" then
          assert.truthy(other:find('id="' .. anchor .. '"', 1, true), page .. " -> " .. target .. "#" .. anchor)
        end
      end
      assert.truthy(html:find('name="viewport"', 1, true))
      assert.truthy(html:find("<footer>smmpanel [%d.]+, " .. os.date "!%Y"))
    end
    for page in ("index guide protocol command reference"):gmatch "%l+" do
      assert.truthy(pages[page .. ".html"], page)
    end
  end)
end)
