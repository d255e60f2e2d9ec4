# SPDX-License-Identifier: Apache-2.0
"""The exit status is the agent's own; remit's failures have numbers of their own."""
import os
import shutil
import signal
import subprocess

from live import Scratch, expect, hold

s = Scratch()
s.manifest(programs=["${WORKSPACE}/there", "${WORKSPACE}/later"])
shutil.copy("/bin/true", s.path("w", "copy"))
for options in ((), ("--no-shim",)):
    for status in (0, 3, 255):
        expect("exit", s.run("/bin/sh", "-c", f"exit {status}", options=options).returncode, status)
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV):
        command = ("/bin/sh", "-c", f"kill -{number.value} $$")
        expect("a signal outside", subprocess.run(command).returncode, -number)
        expect("a signal", s.run(*command, options=options).returncode, 128 + number)
    expect("not found", s.run("/nowhere/program", options=options).returncode, 127)
    expect("refused", s.run(s.path("w", "copy"), options=options).returncode, 126)
expect("the record of it", [(r["op"], r["verdict"]) for r in s.records() if r.get("op")], [("exec", "refused")] * 2)

out = s.run("/bin/busybox", "sh", "-c", "echo static; exit 9")
expect("a static program", (out.stdout, out.returncode), ("static\n", 9))

# What the kernel does not let run is the agent's to see, not remit's failure.
s.script("there", "#!/nowhere/interpreter\n")
hold("a lost interpreter", s.run(s.path("w", "there")).returncode in (126, 127))

# A log that cannot be written stops the launch.
if os.path.exists("/dev/full"):
    full = os.open("/dev/full", os.O_WRONLY)
    command = s.command("/bin/true", options=("--audit-fd", str(full)))
    at = command.index("--audit")
    del command[at:at + 2]
    failed = subprocess.run(command, pass_fds=[full], stderr=subprocess.PIPE, text=True)
    expect("a full log", failed.returncode, 125)
    hold("its sentence", "audit log" in failed.stderr, failed.stderr)

# What is sent to remit alone reaches the agent.
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    process = s.start("/bin/sh", "-c", f"trap 'exit 42' {number.value}; echo ready; while :; do sleep 0.05; done",
                      options=("--quiet",), start_new_session=True)
    expect("ready", process.stdout.readline(), "ready\n")
    process.send_signal(number)
    expect("passed on", process.wait(20), 42)

# SIGINT is the terminal's to send to the agent; remit waits for what becomes of it.
process = s.start("/bin/sh", "-c", "echo ready; sleep 0.5; exit 5", start_new_session=True)
expect("ready", process.stdout.readline(), "ready\n")
process.send_signal(signal.SIGINT)
expect("not by SIGINT", process.wait(20), 5)

# The operator's dispositions are the agent's.
ignore = "import signal,os,sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])"
show = ("/bin/grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status")
outside = subprocess.run(["python3", "-c", ignore, *show], stdout=subprocess.PIPE, text=True).stdout
inside = subprocess.run(["python3", "-c", ignore, *s.command(*show)], stdout=subprocess.PIPE, text=True).stdout
expect("signals", inside, outside)
