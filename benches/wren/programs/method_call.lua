local Switch = {}
Switch.__index = Switch
function Switch.new(on) return setmetatable({_on = on}, Switch) end
function Switch:on() return self._on end
function Switch:flip() self._on = not self._on return self end
local SlowSwitch = setmetatable({}, {__index = Switch})
SlowSwitch.__index = SlowSwitch
function SlowSwitch.new(on, every)
  local self = setmetatable({_on = on}, SlowSwitch)
  self._every = every
  self._count = 0
  return self
end
function SlowSwitch:flip()
  self._count = self._count + 1
  if self._count >= self._every then
    Switch.flip(self)
    self._count = 0
  end
  return self
end
local total = 0
local switch = Switch.new(true)
for i = 1, 100000 do
  if switch:flip():on() then total = total + 1 end
  if switch:flip():on() then total = total + 1 end
  if switch:flip():on() then total = total + 1 end
end
local slow = SlowSwitch.new(true, 3)
for i = 1, 100000 do
  if slow:flip():on() then total = total + 1 end
  if slow:flip():on() then total = total + 1 end
  if slow:flip():on() then total = total + 1 end
end
print(total)
