// The rules of the archive: see main.py.
import "async" for Async, Queue

class Rules {
  static largest { 64 * 1024 }

  // What is wrong with a file, or null.
  static fault(file) {
    if (file["size"] == 0) return "it's empty"
    if (file["size"] > largest) return "it's larger than %(largest) bytes"
    if (__known == null) __known = {}
    var twin = __known[file["digest"]]
    if (twin != null) return "it's the same as %(twin)"
    __known[file["digest"]] = file["name"]
    return null
  }

  static judge(file) {
    var fault = fault(file)
    __count = (__count == null ? 0 : __count) + 1
    if (fault != null) __refused = (__refused == null ? 0 : __refused) + 1
    return {"ok": fault == null, "reason": fault}
  }

  static summary { "%(__count) files, %(__refused == null ? 0 : __refused) refused" }
}

Async.register("judge") {|file| Rules.judge(file) }
Async.register("summary") { Rules.summary }

Async.spawn {
  var refusals = Queue.named("refusals", 4)
  for (refusal in refusals) {
    System.print("refused: %(refusal["name"]), as %(refusal["reason"])")
    refusals.taskDone()
  }
}
