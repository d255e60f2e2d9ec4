# SPDX-License-Identifier: Apache-2.0
"""A made-up world: a tree with links, listeners, a manifest, and queries about all of them.

Everything comes from one seed, so that a failure can be had again: the tree, the rules and the queries of
world N are the same on every machine but for the root folder's name and the port numbers.
"""
import json
import os
import random
import shutil

FOLDERS = ["a", "b", "c", "src", "docs", ".cache", "x y", "sub"]
FILES = ["f.txt", "g.txt", "h.log", ".env", "key.pem", "data.csv", "notes", "a1.csv", "b2.csv", "ünï.txt"]
IPS4 = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.5"]
PORTS = 8


class Query:
    def __init__(self, verb, thing, act, token=""):
        self.verb, self.thing, self.act, self.token = verb, thing, act, token

    def line(self):
        return f'exec "{self.thing}"' if self.verb == "exec" else f"{self.verb} {self.thing}"


class World:
    def __init__(self, seed, root, connect_base, listen_base, name, native=False):
        self.random = random.Random(seed)
        self.root, self.name = root, name
        self.connect_base, self.listen_base = connect_base, listen_base
        self.sends = seed % 2 == 1
        self.folders, self.files, self.programs, self.sockets, self.links = [root], {}, {}, [], []
        self.rules, self.queries = [], []
        self.make_tree()
        self.make_links()
        self.native = native
        self.make_native_rules() if native else self.make_rules()
        self.make_queries()

    def pick(self, items):
        return self.random.choice(items)

    # --- the tree ---

    def make_tree(self):
        for top in ("p", "q", "r", "s"):
            self.make_folder(os.path.join(self.root, top), 0)

    def make_folder(self, path, depth):
        os.mkdir(path)
        self.folders.append(path)
        for name in self.random.sample(FILES, 4):
            self.files[os.path.join(path, name)] = None
        for name in self.random.sample(["run", "run.sh", "tool-a", "tool-b"], 1):
            self.programs[os.path.join(path, name)] = None
        if depth < 2 and self.random.random() < 0.6 and len(self.sockets) < 24:
            self.sockets.append(os.path.join(path, self.pick(["one.sock", "two.sock"])))
        if depth < 3:
            for name in self.random.sample(FOLDERS, 3 - depth // 2 if depth else 3):
                if len(self.folders) < 90:
                    self.make_folder(os.path.join(path, name), depth + 1)

    def fill(self, tool):
        for i, path in enumerate(self.files):
            self.files[path] = f"token-{i}-{os.path.basename(self.root)}"
            with open(path, "w") as out:
                out.write(self.files[path] + "\n")
        for path in self.programs:
            shutil.copyfile(tool, path)
            os.chmod(path, 0o755)

    def make_links(self):
        for i in range(40):
            folder, kind = self.pick(self.folders[1:]), self.random.random()
            path = os.path.join(folder, f"l{i}")
            if kind < 0.35:
                target = self.pick(self.folders[1:])
            elif kind < 0.7:
                target = self.pick(list(self.files) + list(self.programs))
            elif kind < 0.85:
                target = os.path.join(self.pick(self.folders[1:]), f"new-by-link{i}")
            else:
                target = self.pick(self.links)[0] if self.links else self.pick(self.folders[1:])
            if self.random.random() < 0.4:
                target = os.path.relpath(target, folder)
            os.symlink(target, path)
            self.links.append((path, target))

    # --- the manifest ---

    def rule(self, section, text, excepts=()):
        rule = {"section": section, "text": text}
        if excepts:
            rule["except"] = list(excepts)
        self.rules.append(rule)

    def deep(self):
        """A folder below the four tops."""
        return self.pick([f for f in self.folders if f.count("/") > self.root.count("/") + 1])

    def pattern(self):
        r, folder = self.root, self.deep()
        return self.pick([
            f"{folder}/*.txt", f"{folder}/**/*.log", f"{r}/**/{self.pick(FOLDERS)}", f"{r}/*/{self.pick(FOLDERS)}/*",
            f"{folder}/[ab]?.csv", f"{folder}/[!d]*.csv", f"{r}/[p-r]/**/{self.pick(FILES)}", f"{folder}/?.txt",
            f"{r}/**/docs/**/data.csv", f"{folder}/**", f"{r}/**/*.pem"
        ])

    def make_rules(self):
        files, programs = list(self.files), list(self.programs)
        for section in ("files.read", "files.write"):
            self.rule(section, os.path.join(self.root, self.pick("pq" if section == "files.read" else "rs")))
            for _ in range(2):
                self.rule(section, self.deep())
                self.rule(section, self.pick(files))
                self.rule(section, self.pattern())
                self.rule(section, os.path.join(self.deep(), self.pick(["new-1", "new-2", "late"])))
            self.rule(section, self.pick(self.links)[0])
        for section, count in (("files.deny", 4), ("files.deny_write", 3)):
            for _ in range(count):
                folder = self.deep()
                inside = [f for f in self.folders + files if f.startswith(folder + "/")]
                self.rule(section, folder, self.random.sample(inside, min(2, len(inside))))
                self.rule(section, self.pick(files))
            self.rule(section, f"{self.root}/**/.env", [f"{self.pick(self.folders[1:])}/**/.env"])
            self.rule(section, self.pattern(), [self.pattern()])
            self.rule(section, os.path.join(self.deep(), "late"))
            self.rule(section, self.pick(self.links)[0])
        for section in ("exec.allow", "exec.deny"):
            for _ in range(4):
                self.rule(section, self.pick(programs))
                self.rule(section, self.deep())
            self.rule(section, f"{self.root}/**/{self.pick(['run', 'tool-a'])}")
            self.rule(section, f"{self.deep()}/**/run*")
        self.rule("exec.allow", self.pick([l for l, _ in self.links]))
        self.rule("exec.allow", os.path.join(self.root, "q"))
        self.make_network_rules()
        for text in ("PARITY_A", "PARITY_B*", "XX_b*"):
            self.rule("env.pass", text)

    def make_native_rules(self):
        """What the wall can hold whole, so that no call needs the gate: things that are there, and no denial of any."""
        for section, top in (("files.read", "p"), ("files.write", "r"), ("exec.allow", "q")):
            self.rule(section, os.path.join(self.root, top))
            for _ in range(3):
                self.rule(section, self.deep())
        for _ in range(3):
            self.rule("files.read", self.pick(list(self.files)))
            self.rule("exec.allow", self.pick(list(self.programs)))
        self.make_network_rules()
        for text in ("PARITY_A", "PARITY_B*", "XX_b*"):
            self.rule("env.pass", text)

    def make_network_rules(self):
        c, l = self.connect_base, self.listen_base
        for text in (f"127.0.0.1:{c}", f"127.0.0.1:{c + 2}-{c + 3}", f"127.0.0.2/31:{c + 1},{c + 4}", f"[::1]:{c}",
                     f"[::]/0:{c + 5}", f"*:{c + 6}", f"127.0.0.0/8:{c + 7}"):
            self.rule("network.connect", text)
        for text in (f"127.0.0.1:{l}", f"127.0.0.1:{l + 2}-{l + 3}", f"127.0.0.2/31:{l + 1}", f"[::1]:{l},{l + 4}",
                     f"*:{l + 6}", f"0.0.0.0:{l + 5}"):
            self.rule("network.listen", text)
        for text in (f"127.0.0.3:*", f"[::1]:{c + 6}", f"127.0.0.5:{c + 6},{l + 6}"):
            self.rule("network.deny", text)
        if not self.sends:
            return
        for text in (f"udp:127.0.0.1:{c}", f"udp:127.0.0.2/31:{c + 1}", f"udp:*:{c + 6}", f"unix:@{self.name}-a"):
            self.rule("network.connect", text)
        if self.native:  # a socket's name in a granted folder takes some of writing out of the wall
            return
        for path in self.random.sample(self.sockets, len(self.sockets) // 3):
            self.rule("network.connect", "unix:" + path)
        self.rule("network.connect", "unix:" + os.path.join(self.root, "q"))
        self.rule("network.listen", "unix:" + self.deep())
        self.rule("network.listen", "unix:" + os.path.join(self.root, "r"))
        self.rule("network.listen", f"unix:@{self.name}-b-l")
        self.rule("network.deny", "unix:" + self.pick(self.sockets))
        self.rule("network.deny", "unix:" + self.deep())

    def manifest(self, extra):
        """YAML; every string in JSON's spelling, which YAML shares."""
        sections = {}
        for rule in self.rules + extra:
            item = {"path": rule["text"], "except": rule["except"]} if "except" in rule else rule["text"]
            sections.setdefault(rule["section"], []).append(item)
        lines = ["remit: 1", f"agent: {{id: parity, purpose: Be asked}}"]
        for top in ("files", "exec", "network", "env"):
            lines.append(top + ":")
            for name, items in sections.items():
                if name.startswith(top + "."):
                    lines.append(f"  {name.split('.')[1]}:")
                    lines += [f"    - {json.dumps(item, ensure_ascii=False)}" for item in items]
        if self.native:
            lines.append("audit: {record: none}")
        return "\n".join(lines) + "\n"

    # --- the queries ---

    def respell(self, path):
        """Another way to say the same path."""
        kind = self.random.random()
        if kind < 0.6:
            return path
        folder, name = os.path.split(path)
        if kind < 0.7:
            return f"{folder}//{name}"
        if kind < 0.8:
            return f"{folder}/./{name}"
        if kind < 0.9:
            return f"{folder}/../{os.path.basename(folder)}/{name}"
        return f"/{self.root}/p/../.{path[len(self.root):]}"

    def ask(self, verb, thing, act, token=""):
        self.queries.append(Query(verb, thing, act, token))

    def make_queries(self):
        for path in self.files:
            self.ask("read", self.respell(path), self.pick(["open", "openat", "fopen", "openat2", "mmap"]), path)
            self.ask("write", self.respell(path),
                     self.pick(["append", "rdwr", "truncate", "chmod", "times", "replace", "fchmod", "chown"]))
        for path in self.folders[1:]:
            self.ask("read", path, "opendir")
            new = os.path.join(path, self.pick(["new-1", "new-2", "late", ".env2"]))
            act = self.pick(["creat", "mkdir", "symlink", "fifo"])
            # No link is made at the very place that a rule names: the next session would follow it.
            named = any(rule["text"].removeprefix("unix:") == new for rule in self.rules)
            self.ask("write", new, "creat" if act == "symlink" and named else act)
            self.ask("write", self.respell(os.path.join(path, "made")), self.pick(["creat", "mkdir", "fifo"]))
            self.ask("write", path, self.pick(["chmod", "times"]))
            self.ask("read", os.path.join(path, "absent"), "open")
        for path in self.programs:
            self.ask("exec", self.respell(path), self.pick(["execve", "execveat", "spawn"]))
            self.ask("read", path, "open")
        for link, _ in self.links:
            self.ask_through(link)
        self.ask_network()
        for name in ("PARITY_A", "PARITY_B", "PARITY_BB", "PARITY_C", "PxRITY_C", "XX_a", "XX_bc", "XX_c", "HIDDEN"):
            self.ask("env", name, "getenv")
        self.random.shuffle(self.queries)

    def ask_new(self, path):
        act = self.pick(["creat", "mkdir", "symlink", "fifo"])
        # A link at the very place of a grant is more than writing there: the next launch would follow it.
        if act == "symlink" and any(rule["text"] == path for rule in self.rules):
            act = "creat"
        self.ask("write", path, act)

    def ask_through(self, link):
        real = os.path.realpath(link)
        if real in self.files:
            self.ask("read", link, "open", real)
            self.ask("write", link, self.pick(["append", "truncate", "chmod"]))
        elif real in self.programs:
            self.ask("exec", link, "execve")
        elif real in self.folders:
            self.ask("read", link, "opendir")
            for path in [f for f in self.files if os.path.dirname(f) == real][:3]:
                through = os.path.join(link, os.path.basename(path))
                self.ask("read", through, self.pick(["open", "openat"]), path)
                self.ask("write", through, "append")
                up = os.path.join(link, "..", os.path.basename(real), os.path.basename(path))
                self.ask("read", up, "open", path)
            self.ask("write", os.path.join(link, "made-through"), "creat")
        elif os.path.isdir(os.path.dirname(real)):
            self.ask("write", link, "creat-through")

    def ask_network(self):
        hosts = IPS4 + ["[::1]", "[::ffff:127.0.0.1]", "[::ffff:127.0.0.3]"]
        for i in range(PORTS):
            for host in hosts + ["0.0.0.0"]:
                self.ask("connect", f"{host}:{self.connect_base + i}", self.pick(["connect", "nonblock"]))
            for host in IPS4:
                self.ask("connect", f"udp:{host}:{self.connect_base + i}",
                         self.pick(["sendto", "sendmsg", "sendmmsg", "udpconnect"]))
            for host in hosts + ["0.0.0.0", "[::]"]:
                self.ask("listen", f"{host}:{self.listen_base + i}", "listen")
        for path in self.sockets:
            self.ask("connect", "unix:" + self.respell(path), self.pick(["unix", "unix-relative"]))
        for i, folder in enumerate(f for f in self.folders if f.count("/") < self.root.count("/") + 4):
            self.ask("listen", f"unix:{folder}/u{i}", "unix-listen")
        for name in ("a", "b", "c"):
            self.ask("connect", f"unix:@{self.name}-{name}", "abstract")
            self.ask("listen", f"unix:@{self.name}-{name}-l", "abstract-listen")
