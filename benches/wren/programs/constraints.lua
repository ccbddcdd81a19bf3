local required, strong, normal, weakest = 0, 1, 2, 3
local function class(base)
  local c = {}
  c.__index = c
  if base then setmetatable(c, {__index = base}) end
  return c
end
local Cell = class()
function Cell.new(name, value)
  return setmetatable({_name = name, _value = value, _constraints = {}, _decider = nil, _strength = weakest,
    _mark = 0, _stays = true}, Cell)
end
function Cell:value() return self._value end
function Cell:set_value(v) self._value = v end
function Cell:constraints() return self._constraints end
function Cell:set_decider(v) self._decider = v end
function Cell:strength() return self._strength end
function Cell:mark() return self._mark end
function Cell:set_mark(v) self._mark = v end
function Cell:attach(c) self._constraints[#self._constraints + 1] = c end
local Constraint = class()
function Constraint:strength() return self._strength end
function Constraint:is_input() return false end
local Edit = class(Constraint)
function Edit.new(cell, strength)
  local self = setmetatable({_strength = strength, _cell = cell}, Edit)
  cell:attach(self)
  return self
end
function Edit:output() return self._cell end
function Edit:is_input() return true end
function Edit:known(mark) return true end
function Edit:choose(mark) return self:strength() < self._cell:strength() end
function Edit:execute() end
local Scale = class(Constraint)
function Scale.new(from, factor, offset, to)
  local self = setmetatable({_strength = required, _from = from, _factor = factor, _offset = offset, _to = to}, Scale)
  from:attach(self)
  to:attach(self)
  return self
end
function Scale:output() return self._to end
function Scale:known(mark) return self._from:mark() == mark end
function Scale:choose(mark) return self._to:mark() ~= mark end
function Scale:execute() self._to:set_value(self._from:value() * self._factor:value() + self._offset:value()) end
local Equal = class(Constraint)
function Equal.new(a, b)
  local self = setmetatable({_strength = required, _a = a, _b = b}, Equal)
  a:attach(self)
  b:attach(self)
  return self
end
function Equal:output() return self._b end
function Equal:known(mark) return self._a:mark() == mark end
function Equal:choose(mark) return self._b:mark() ~= mark end
function Equal:execute() self._b:set_value(self._a:value()) end
local Planner = class()
function Planner.new() return setmetatable({_mark = 0}, Planner) end
function Planner:new_mark() self._mark = self._mark + 1 return self._mark end
function Planner:plan(edit)
  local mark = self:new_mark()
  local plan = {}
  local todo = {edit}
  while #todo > 0 do
    local next = table.remove(todo)
    local out = next:output()
    if out:mark() ~= mark and next:known(mark) then
      plan[#plan + 1] = next
      out:set_mark(mark)
      out:set_decider(next)
      for _, constraint in ipairs(out:constraints()) do
        if constraint ~= next and not constraint:is_input() and constraint:choose(mark) then
          todo[#todo + 1] = constraint
        end
      end
    end
  end
  return plan
end
local planner = Planner.new()
local first = Cell.new("first", 0)
local cells = {first}
for i = 1, 400 do
  local next = Cell.new("cell", i)
  Equal.new(cells[#cells], next)
  cells[#cells + 1] = next
end
local factor = Cell.new("factor", 10)
local offset = Cell.new("offset", 1000)
local ends = {}
for i = 0, 399 do
  local e = Cell.new("end", i)
  Scale.new(cells[i + 1], factor, offset, e)
  ends[#ends + 1] = e
end
local total = 0
for round = 1, 12 do
  local edit = Edit.new(first, strong)
  local plan = planner:plan(edit)
  for value = 1, 10 do
    first:set_value(value)
    for _, constraint in ipairs(plan) do constraint:execute() end
    total = total + cells[#cells]:value() + ends[#ends]:value()
  end
end
print(total)
