# SPDX-License-Identifier: Apache-2.0
"""What each mode held of the same policy: acts that it refuses, each tried once with the dynamic driver."""
import socket

from driver import Driver, Failed


def arrived(udp):
    """Whether a datagram came: a mode with a network of its own lets one send it to nobody."""
    try:
        return bool(udp.recv(1))
    except TimeoutError:
        return False


def acts(world, udp):
    """{act: (request, whether the world outside shows that it happened)}"""
    base = world.base
    return {
        "read a file of no grant": (f"try read {base}/other/file", None),
        "create a file there": (f"try create {base}/other/new", lambda: (base / "other/new").exists()),
        "chmod a file there": (f"try chmod {base}/other/file", lambda: (base / "other/file").stat().st_mode & 0o777 == 0o640),
        "read a denied file by name": (f"try read {base}/keep/secret", None),
        "create what a pattern denies": (f"try create {base}/keep/deep/new.key", lambda: (base / "keep/deep/new.key").exists()),
        "run a file of the workspace": (f"try exec {base}/wall/tool", None),
        "connect to another port": (f"try connect {world.tcp_other}", None),
        "UDP to another port": (f"try udp {udp.getsockname()[1]}", lambda: arrived(udp)),
    }


def reset(world):
    for made in ("other/new", "keep/deep/new.key"):
        world.place(made).unlink(missing_ok=True)
    world.place("other/file").chmod(0o600)


def attempt(driver, request, happened):
    try:
        driver.ask(request, 20)
    except Failed as why:
        text = str(why)
        return f"error: {text}" if text.startswith(("ended", "no answer", "no number")) else "refused"
    # A mode that shows an empty folder of its own in the place of another lets one write there, to no effect.
    return "allowed" if happened is None or happened() else "refused"


def measure(world, modes):
    """{act: {mode: "allowed" | "refused" | "error: …"}}; native first, where all must be allowed."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.settimeout(0.2)
    tried = acts(world, udp)
    held = {act: {} for act in tried}
    for mode in modes:
        try:
            driver = Driver(mode, world.driver("dynamic", mode.place))
        except Failed as why:
            for cells in held.values():
                cells[mode.name] = f"error: {why}"
            continue
        for act, (request, happened) in tried.items():
            reset(world)
            held[act][mode.name] = attempt(driver, request, happened)
        driver.stop()
    udp.close()
    return held
