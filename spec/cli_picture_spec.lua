-- docs/terminal.svg shows a real session: running that session again gives the same texts.
local cli = require "spec.support.cli"
local process = require "spec.support.process"

-- Without positions and colours, because another tmux may count the cells of an emoji differently.
local function texts(svg)
  return (svg:gsub("<style>.-</style>", ""):gsub("<[^>]*>", ""):gsub("%s+", " "))
end

describe("the picture in the README", function()
  it("is what a terminal shows", function()
    local pipe = io.popen(process.lua() .. " tools/picture")
    local fresh = pipe:read "*a"
    pipe:close()
    assert.equal(texts(fresh), texts(cli.read_file "docs/terminal.svg"))
    assert.truthy(cli.read_file "README.md":find("](docs/terminal.svg)", 1, true))
  end)
end)
