"""Threads outlive the main one, and are waited for; daemons are not."""
import atexit
import threading

atexit.register(print, "atexit, last")


def work():
    threading.main_thread().join()
    print("after the main thread", threading.main_thread().is_alive())


print(threading.current_thread() is threading.main_thread(), threading.active_count())
threading.Thread(target=work).start()
threading.Thread(target=threading.Event().wait, daemon=True).start()
print("main ends")
