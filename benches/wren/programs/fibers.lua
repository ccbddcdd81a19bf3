-- Lua's coroutines nest less deep than 200 each within each other, so those that call each other are a ring.
local fibers = {}
local sum = 0
for i = 0, 19999 do
  fibers[i] = coroutine.create(function() sum = sum + i coroutine.yield() end)
end
for i = 0, 19999 do coroutine.resume(fibers[i]) end
local counter = coroutine.wrap(function() for i = 1, 100000 do coroutine.yield(i) end end)
for i = 1, 100000 do sum = sum + counter() end
print(sum)
