-- docs/terminal.svg shows what a person sees: the session that it was drawn from brings the same texts again.
local cli = require "spec.support.cli"
local process = require "spec.support.process"

-- Without places and colours, for another tmux may count an emoji's cells in another way.
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
