-- docs/terminal.svg shows a real session: running that session again gives the same texts.
local process = require "spec.support.process"
local system = require "spec.support.system"

-- Without positions and colours, because another tmux may count the cells of an emoji differently.
local function texts(svg)
  return (svg:gsub("<style>.-</style>", ""):gsub("<[^>]*>", ""):gsub("%s+", " "))
end

describe("the picture in the README", function()
  it("is what a terminal shows", function()
    local fresh = system.output(process.lua() .. " tools/picture")
    assert.equal(texts(fresh), texts(system.read "docs/terminal.svg"))
    assert.truthy(system.read "README.md":find("](docs/terminal.svg)", 1, true))
  end)
end)
