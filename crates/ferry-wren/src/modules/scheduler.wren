// The module "scheduler", as Wren's command line has it: fibers that run when this one waits.

class Scheduler {
  foreign static add(callable)
}
