class Switch {
  construct new(on) { _on = on }
  on { _on }
  flip() {
    _on = !_on
    return this
  }
}
class SlowSwitch is Switch {
  construct new(on, every) {
    super(on)
    _every = every
    _count = 0
  }
  flip() {
    _count = _count + 1
    if (_count >= _every) {
      super.flip()
      _count = 0
    }
    return this
  }
}
var total = 0
var switch = Switch.new(true)
for (i in 1..100000) {
  if (switch.flip().on) total = total + 1
  if (switch.flip().on) total = total + 1
  if (switch.flip().on) total = total + 1
}
var slow = SlowSwitch.new(true, 3)
for (i in 1..100000) {
  if (slow.flip().on) total = total + 1
  if (slow.flip().on) total = total + 1
  if (slow.flip().on) total = total + 1
}
System.print(total)
