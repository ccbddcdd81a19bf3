// The module "timer", as Wren's command line has it.

class Timer {
  static sleep(milliseconds) {
    if (!(milliseconds is Num)) Fiber.abort("Milliseconds must be a number.")
    if (milliseconds < 0) Fiber.abort("Milliseconds cannot be negative.")
    return sleep_(milliseconds)
  }

  foreign static sleep_(milliseconds)
}
