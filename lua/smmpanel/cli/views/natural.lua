--- Natural sort order: shop-2 before shop-10. Pure.
-- @module smmpanel.cli.views.natural

-- Returns digits as text that sorts like the number.
local function padded(digits)
  digits = digits:gsub("^0+(%d)", "%1")
  return ("%03d%s"):format(math.min(#digits, 999), digits)
end

local function key_of(text)
  return (text:gsub("%d+", padded))
end

--- Sorts a list by one text per item.
---@param list any[] sorted in place
---@param text_of fun(item: any): string
---@return any[] list
return function(list, text_of)
  local keys = {}
  for _, item in ipairs(list) do keys[item] = key_of(text_of(item)) end
  table.sort(list, function(a, b)
    if keys[a] ~= keys[b] then return keys[a] < keys[b] end
    return text_of(a) < text_of(b)
  end)
  return list
end
