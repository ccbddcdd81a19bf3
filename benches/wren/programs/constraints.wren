// A network of one-way constraints, as DeltaBlue has it: a plan is made of what depends on what, by strength, and run.
class Strength {
  static required { 0 }
  static strong { 1 }
  static normal { 2 }
  static weakest { 3 }
}

class Cell {
  construct new(name, value) {
    _name = name
    _value = value
    _constraints = []
    _decider = null
    _strength = Strength.weakest
    _mark = 0
    _stays = true
  }
  value { _value }
  value=(v) { _value = v }
  constraints { _constraints }
  decider { _decider }
  decider=(v) { _decider = v }
  strength { _strength }
  strength=(v) { _strength = v }
  mark { _mark }
  mark=(v) { _mark = v }
  attach(constraint) { _constraints.add(constraint) }
}

class Constraint {
  construct new(strength) { _strength = strength }
  strength { _strength }
  isSatisfied { output != null }
  isInput { false }
}

class Edit is Constraint {
  construct new(cell, strength) {
    super(strength)
    _cell = cell
    cell.attach(this)
  }
  output { _cell }
  isInput { true }
  known(mark) { true }
  choose(mark) { strength < _cell.strength }
  execute() {}
}

class Scale is Constraint {
  construct new(from, factor, offset, to) {
    super(Strength.required)
    _from = from
    _factor = factor
    _offset = offset
    _to = to
    from.attach(this)
    to.attach(this)
  }
  output { _to }
  known(mark) { _from.mark == mark }
  choose(mark) { _to.mark != mark }
  execute() { _to.value = _from.value * _factor.value + _offset.value }
}

class Equal is Constraint {
  construct new(a, b) {
    super(Strength.required)
    _a = a
    _b = b
    a.attach(this)
    b.attach(this)
  }
  output { _b }
  known(mark) { _a.mark == mark }
  choose(mark) { _b.mark != mark }
  execute() { _b.value = _a.value }
}

class Planner {
  construct new() { _mark = 0 }
  newMark() { _mark = _mark + 1 }

  plan(edit) {
    var mark = newMark()
    var plan = []
    var todo = [edit]
    while (todo.count > 0) {
      var next = todo.removeAt(todo.count - 1)
      var out = next.output
      if (out.mark != mark && next.known(mark)) {
        plan.add(next)
        out.mark = mark
        out.decider = next
        for (constraint in out.constraints) {
          if (constraint != next && !constraint.isInput && constraint.choose(mark)) todo.add(constraint)
        }
      }
    }
    return plan
  }
}

var planner = Planner.new()
var first = Cell.new("first", 0)
var cells = [first]
for (i in 1..400) {
  var next = Cell.new("cell", i)
  Equal.new(cells[-1], next)
  cells.add(next)
}
var factor = Cell.new("factor", 10)
var offset = Cell.new("offset", 1000)
var ends = []
for (i in 0...400) {
  var end = Cell.new("end", i)
  Scale.new(cells[i], factor, offset, end)
  ends.add(end)
}
var total = 0
for (round in 1..12) {
  var edit = Edit.new(first, Strength.strong)
  var plan = planner.plan(edit)
  for (value in 1..10) {
    first.value = value
    for (constraint in plan) constraint.execute()
    total = total + cells[-1].value + ends[-1].value
  }
}
System.print(total)
