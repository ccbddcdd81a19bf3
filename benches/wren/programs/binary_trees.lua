local Tree = {}
Tree.__index = Tree
function Tree.new(depth)
  local self = setmetatable({}, Tree)
  if depth > 0 then
    self._left = Tree.new(depth - 1)
    self._right = Tree.new(depth - 1)
  end
  return self
end
function Tree:count()
  if self._left == nil then return 1 end
  return 1 + self._left:count() + self._right:count()
end
local kept = Tree.new(12)
local total = 0
local depth = 4
while depth <= 12 do
  local rounds = 1 << (12 - depth + 2)
  for i = 1, rounds do total = total + Tree.new(depth):count() end
  depth = depth + 4
end
print(total + kept:count())
