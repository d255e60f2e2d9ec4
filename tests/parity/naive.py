# SPDX-License-Identifier: Apache-2.0
"""A second opinion: what the manifest's words say of a query, as plainly as can be.

Written from the manifest's description alone, sharing no code and no idea of speed with policy/core: a list
of rules is walked from end to end, patterns are matched by recursion, links are followed by the real tree.
"""
import ipaddress
import os

GIVES = {  # what a grant in each list allows
    "files.read": {"read"},
    "files.write": {"read", "write"},
    "exec.allow": {"read", "exec"},
    "network.connect": {"connect"},
    "network.listen": {"listen"},
    "env.pass": {"env"},
}
TAKES = {  # what a denial in each list refuses
    "files.deny": {"read", "write", "exec"},  # the kernel reads what it executes
    "files.deny_write": {"write"},
    "exec.deny": {"exec"},
    "network.deny": {"connect", "listen"},
}
WILD = "*?["


def match_component(pattern, text):
    """One component against one name: *, ?, [a-z], [!a], backslash quotes."""
    if pattern == "":
        return text == ""
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        return any(match_component(rest, text[i:]) for i in range(len(text) + 1))
    if text == "":
        return False
    if head == "?":
        return match_component(rest, text[1:])
    if head == "[":
        end = rest.find("]", 2 if rest.startswith("!") else 1)
        if end > 0:
            return in_set(rest[:end], text[0]) and match_component(rest[end + 1:], text[1:])
    if head == "\\" and rest:
        head, rest = rest[0], rest[1:]
    return head == text[0] and match_component(rest, text[1:])


def in_set(members, char):
    negated = members.startswith("!")
    members = members[1:] if negated else members
    found, i = False, 0
    while i < len(members):
        if i + 2 < len(members) and members[i + 1] == "-":
            found |= members[i] <= char <= members[i + 2]
            i += 3
        else:
            found |= members[i] == char
            i += 1
    return found != negated


def match_components(pattern, names):
    """True when the pattern matches the path or a folder above it."""
    if not pattern:
        return True  # matched so far: the rest lies beneath
    if pattern[0] == "**":
        return any(match_components(pattern[1:], names[i:]) for i in range(len(names) + 1))
    return bool(names) and match_component(pattern[0], names[0]) and match_components(pattern[1:], names[1:])


def split(path):
    return [name for name in path.split("/") if name]


def follow(path, trusted=lambda place: True):
    """The components of the path after its links; None when a link on the way is not to be trusted."""
    rest, done = split(path), []
    while rest:
        name = rest.pop(0)
        place = "/" + "/".join(done + [name])
        if name == "..":
            done = done[:-1]
        elif name != "." and os.path.islink(place):
            if not trusted(place):
                return None
            target = os.readlink(place)
            done, rest = [] if target.startswith("/") else done, split(target) + rest
        elif name != ".":
            done.append(name)
    return done


def literal_part(path):
    """How many components stand before the first wildcard."""
    names = split(path)
    wild = [i for i, name in enumerate(names) if any(c in name for c in WILD)]
    return wild[0] if wild else len(names)


def spellings(path, trusted=lambda place: True):
    """The path as written and, where its links are trusted, as it is after links."""
    names, literal = split(path), literal_part(path)
    real = follow("/" + "/".join(names[:literal]), trusted)
    return [names] if real is None else [names, real + names[literal:]]


def split_endpoint(text):
    """protocol, host, ports of `[udp:]host:ports`."""
    protocol = "tcp"
    for name in ("tcp:", "udp:"):
        if text.startswith(name):
            protocol, text = name[:-1], text[len(name):]
    host, ports = text.rsplit(":", 1)
    return protocol, host, ports


def network_of(host):
    host = host.replace("[", "").replace("]", "")
    return ipaddress.ip_network(host if "/" in host else host + ("/128" if ":" in host else "/32"))


def port_in(ports, port):
    for part in ports.split(","):
        low, _, high = part.partition("-")
        if part == "*" or int(low) <= port <= int(high or low):
            return True
    return False


def address_of(host):
    address = ipaddress.ip_address(host.strip("[]"))
    return getattr(address, "ipv4_mapped", None) or address


def carried(address):
    """The IPv4 address within one of a translator (RFC 6052) or of 6to4 (RFC 3056)."""
    if address.version == 6 and address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.ip_address(int(address) & 0xFFFFFFFF)
    return getattr(address, "sixtofour", None)


def covers_endpoint(text, query, trusted, denial):
    """Does an item of a network list cover the endpoint of a query?"""
    if text.startswith("unix:") or query.startswith("unix:"):
        if not (text.startswith("unix:") and query.startswith("unix:")):
            return False
        text, query = text[5:], query[5:]
        if text.startswith("@") or query.startswith("@"):
            return text == query
        names = split(real_path(query))
        return any(match_components(spelling, names) for spelling in spellings(text, trusted))
    protocol, host, ports = split_endpoint(text)
    asked_protocol, asked_host, asked_port = split_endpoint(query)
    if protocol != asked_protocol or not port_in(ports, int(asked_port)):
        return False
    asked = address_of(asked_host)
    return host == "*" or asked in network_of(host) or (denial and carried(asked) is not None and carried(asked) in network_of(host))


def real_path(path):
    """Where an open, or a creation, of the path would land."""
    return os.path.realpath(path)


class Naive:
    """rules: [{"section": "files.read", "text": …, "except": […]}]

    Two things follow from the words "resolved through links at launch". A grant is not led by a link that the
    agent may write: that would be the agent's word. And a program that stands in a granted folder or matches a
    granted pattern as a link is granted where it really is.
    """

    def __init__(self, rules):
        self.spelled = {}
        self.rules = list(rules)
        for rule in rules:
            if rule["section"] == "exec.allow":
                self.rules += self.linked_programs(rule)

    def agents(self, place):
        """May the agent write at the place? What a grant itself names is still the operator's."""
        names, granted = split(place), False
        for rule in self.rules:
            if rule["section"] in ("files.deny", "files.deny_write") and not rule.get("except"):
                if any(match_components(spelling, names) for spelling in spellings(rule["text"])):
                    return False
            if rule["section"] == "files.write":
                granted |= any(match_components(s, names[:-1]) for s in spellings(rule["text"]))
        return granted

    def trusted(self, place):
        return not self.agents(place)

    def linked_programs(self, rule):
        names = split(rule["text"])
        top = "/" + "/".join(names[:literal_part(rule["text"])])
        for folder, _, files in os.walk(os.path.realpath(top)):
            for name in files:
                path = os.path.join(folder, name)
                if os.path.islink(path) and os.access(path, os.X_OK) and self.matches(rule, split(path)):
                    real = follow(path, self.trusted)
                    if real is not None:
                        yield {"section": "exec.allow", "text": "/" + "/".join(real)}

    def matches(self, rule, names):
        text, grant = rule["text"], rule["section"] in GIVES
        if (text, grant) not in self.spelled:
            self.spelled[text, grant] = spellings(text, self.trusted) if grant else spellings(text)
        return any(match_components(spelling, names) for spelling in self.spelled[text, grant])

    def covered(self, rule, verb, thing):
        if verb == "env":
            return match_component(rule["text"], thing)
        if verb in ("connect", "listen"):
            return covers_endpoint(rule["text"], thing, self.trusted if rule["section"] in GIVES else lambda _: True,
                                   rule["section"] == "network.deny")
        names = split(real_path(thing))
        excepts = (spelling for text in rule.get("except", []) for spelling in spellings(text))
        return self.matches(rule, names) and not any(match_components(spelling, names) for spelling in excepts)

    def allows(self, verb, thing):
        granted = False
        for rule in self.rules:
            if verb in TAKES.get(rule["section"], ()) and self.covered(rule, verb, thing):
                return False
            if verb in GIVES.get(rule["section"], ()) and self.covered(rule, verb, thing):
                granted = True
        return granted
