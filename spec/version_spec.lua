-- One version, in csrc/smmpanel.h; everything else says the same.
local smmpanel = require "smmpanel"
local system = require "spec.support.system"

local first_line, read = system.first_line, system.read

local VERSION = read "csrc/smmpanel.h":match '#define SMMPANEL_VERSION "([^"]+)"'

describe("the one version is the same in", function()
  it("the core and the module", function()
    assert.is_truthy(VERSION:find "^%d+%.%d+%.%d+$")
    assert.equal(VERSION, require "smmpanel.core".version)
    assert.equal(VERSION, smmpanel.version)
    assert.equal("smmpanel " .. VERSION, smmpanel._VERSION)
  end)
  it("the rockspec, by its name and inside", function()
    local rock = read("rockspec/smmpanel-" .. VERSION .. "-1.rockspec")
    assert.equal(VERSION .. "-1", rock:match 'version = "([^"]+)"')
    assert.equal("v" .. VERSION, rock:match 'tag = "([^"]+)"')
  end)
  it("no other versioned rockspec", function()
    assert.equal("rockspec/smmpanel-" .. VERSION .. "-1.rockspec",
      first_line "ls rockspec/smmpanel-[0-9]*.rockspec | tail -n 1")
  end)
  it("the newest entry of the changelog", function()
    assert.equal(VERSION, read "CHANGELOG.md":match "\n## (%S+)")
  end)
  it("the manual page", function()
    if not pcall(require, "argparse") then return pending "the command line's libraries are not here" end
    local page = require "smmpanel.cli.man"()
    assert.equal("smmpanel " .. VERSION, page:match '\n%.TH SMMPANEL 1 "[^"]*" "([^"]*)"')
  end)
end)
