// SPDX-License-Identifier: Apache-2.0
// Node's fs, net, dgram and child_process, each call by itself: what it returns, and the code of its error.
import assert from "node:assert/strict";
import childProcess from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";

const put = (outcome, name) => fs.appendFileSync(process.env.CONFORMANCE_RESULTS, `${outcome} node.${name}\n`);

async function step(name, act) {
  put("began", name);
  try {
    await Promise.race([act(), new Promise((_, no) => setTimeout(() => no(new Error("took too long")), 20000).unref())]);
    put("passed", name);
  } catch (error) {
    console.error(`== failed node.${name}:`, error);
    put("failed", name);
  }
}

const code = (wanted) => (error) => error.code === wanted;
const p = fs.promises;
fs.mkdirSync("n");
process.chdir("n");

await step("fs.write-read", async () => {
  await p.writeFile("a", "one");
  assert.equal(await p.readFile("a", "utf8"), "one");
});
await step("fs.append", async () => {
  await p.appendFile("a", " two");
  assert.equal(fs.readFileSync("a", "utf8"), "one two");
});
await step("fs.exclusive", () => assert.rejects(p.open("a", "wx"), code("EEXIST")));
await step("fs.absent", () => assert.rejects(p.open("b/c"), code("ENOENT")));
await step("fs.folder-as-file", () => assert.rejects(p.readFile("."), code("EISDIR")));
await step("fs.file-as-folder", () => assert.rejects(p.readdir("a"), code("ENOTDIR")));
await step("fs.mkdir-recursive", async () => {
  assert.ok((await p.mkdir("d/e/f", { recursive: true })).endsWith("d"));
  assert.equal(await p.mkdir("d/e/f", { recursive: true }), undefined);
});
await step("fs.readdir", async () => {
  await p.writeFile("d/x", "");
  const seen = await p.readdir("d", { withFileTypes: true });
  assert.deepEqual(seen.map((e) => [e.name, e.isDirectory()]).sort(), [["e", true], ["x", false]]);
});
await step("fs.readdir-recursive", async () => assert.deepEqual((await p.readdir("d", { recursive: true })).sort(), ["e", "e/f", "x"]));
await step("fs.opendir", async () => {
  const seen = [];
  for await (const entry of await p.opendir("d")) seen.push(entry.name);
  assert.deepEqual(seen.sort(), ["e", "x"]);
});
await step("fs.rename", async () => {
  await p.rename("d/x", "d/y");
  assert.ok(!fs.existsSync("d/x") && fs.existsSync("d/y"));
});
await step("fs.copy", async () => {
  await p.copyFile("a", "copy");
  await assert.rejects(p.copyFile("a", "copy", fs.constants.COPYFILE_EXCL), code("EEXIST"));
  assert.equal(fs.readFileSync("copy", "utf8"), "one two");
});
await step("fs.cp-recursive", async () => {
  await p.cp("d", "d2", { recursive: true });
  assert.ok(fs.existsSync("d2/e/f") && fs.existsSync("d2/y"));
});
await step("fs.link", async () => {
  await p.link("a", "hard");
  assert.equal(fs.statSync("hard").nlink, 2);
  await assert.rejects(p.link("a", "hard"), code("EEXIST"));
});
await step("fs.symlink", async () => {
  await p.symlink("a", "soft");
  assert.equal(await p.readlink("soft"), "a");
  assert.equal(await p.realpath("soft"), path.resolve("a"));
  assert.equal(fs.readFileSync("soft", "utf8"), "one two");
});
await step("fs.loop", async () => {
  await p.symlink("loop", "loop");
  await assert.rejects(p.readFile("loop"), code("ELOOP"));
});
await step("fs.chmod", async () => {
  await p.chmod("a", 0o640);
  assert.equal(fs.statSync("a").mode & 0o7777, 0o640);
  fs.fchmodSync(fs.openSync("a"), 0o600);
  assert.equal(fs.statSync("a").mode & 0o7777, 0o600);
});
await step("fs.chown", () => p.chown("a", process.getuid(), process.getgid()));
await step("fs.lchown", () => p.lchown("soft", process.getuid(), process.getgid()));
await step("fs.utimes", async () => {
  await p.utimes("a", 1000, 2000.5);
  assert.equal(fs.statSync("a").mtimeMs, 2000500);
  await p.lutimes("soft", 1, 3);
  assert.equal(fs.lstatSync("soft").mtimeMs, 3000);
});
await step("fs.truncate", async () => {
  await p.truncate("a", 3);
  assert.equal(fs.readFileSync("a", "utf8"), "one");
  await assert.rejects(p.truncate("d"), code("EISDIR"));
});
await step("fs.access", async () => {
  await p.access("a", fs.constants.R_OK | fs.constants.W_OK);
  await assert.rejects(p.access("a", fs.constants.X_OK), code("EACCES"));
});
await step("fs.umask", () => {
  const old = process.umask(0o077);
  fs.writeFileSync("masked", "");
  fs.mkdirSync("masked-d");
  process.umask(old);
  assert.equal(fs.statSync("masked").mode & 0o777, 0o600);
  assert.equal(fs.statSync("masked-d").mode & 0o777, 0o700);
});
await step("fs.mode", () => {
  const old = process.umask(0);
  fs.writeFileSync("mode", "", { mode: 0o6751 });
  process.umask(old);
  assert.equal(fs.statSync("mode").mode & 0o7777, 0o6751);
});
await step("fs.read-only", async () => {
  await p.writeFile("ro", "x", { mode: 0o444 });
  if (process.getuid() !== 0) await assert.rejects(p.writeFile("ro", "y"), code("EACCES"));
  const read = await p.open("ro");
  await assert.rejects(read.write("x"), code("EBADF"));
  await read.close();
});
await step("fs.positions", async () => {
  const file = await p.open("pos", "w+");
  await file.write("abcdef");
  await file.write("XY", 2);
  const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 1);
  assert.equal(buffer.toString(), "bXYe");
  await file.writev([Buffer.from("1"), Buffer.from("2")], 0);
  await file.datasync();
  await file.sync();
  assert.equal((await file.stat()).size, 6);
  await file.close();
});
await step("fs.streams", async () => {
  await p.writeFile("big", Buffer.alloc(3 << 20, 7));
  await pipeline(fs.createReadStream("big"), fs.createWriteStream("big2"));
  assert.ok(fs.readFileSync("big").equals(fs.readFileSync("big2")));
});
await step("fs.watch", async () => {
  const watcher = fs.watch("d");
  const change = once(watcher, "change");
  setTimeout(() => fs.writeFileSync("d/watched", ""), 100);
  assert.equal((await change)[1], "watched");
  watcher.close();
});
await step("fs.watch-absent", () => assert.throws(() => fs.watch("nowhere"), code("ENOENT")));
await step("fs.mkdtemp", async () => assert.ok(fs.statSync(await p.mkdtemp("tmp-")).isDirectory()));
await step("fs.rmdir-full", () => assert.rejects(p.rmdir("d"), code("ENOTEMPTY")));
await step("fs.unlink-folder", () => assert.rejects(p.unlink("d"), (e) => e.code === "EISDIR" || e.code === "EPERM"));
await step("fs.rename-over-full", () => assert.rejects(p.rename("d2", "d"), code("ENOTEMPTY")));
await step("fs.rename-into-itself", () => assert.rejects(p.rename("d", "d/e/d"), code("EINVAL")));
await step("fs.rm-recursive", async () => {
  await p.rm("d2", { recursive: true });
  assert.ok(!fs.existsSync("d2"));
});
await step("fs.long-name", () => assert.rejects(p.writeFile("n".repeat(256), ""), code("ENAMETOOLONG")));
await step("fs.many-at-once", async () => {
  await Promise.all(Array.from({ length: 400 }, (_, i) => p.writeFile(`m${i}`, `${i}`)));
  const seen = await Promise.all(Array.from({ length: 400 }, (_, i) => p.readFile(`m${i}`, "utf8")));
  assert.deepEqual(seen, Array.from({ length: 400 }, (_, i) => `${i}`));
});
await step("fs.statfs", async () => assert.ok((await p.statfs(".")).bsize > 0));
await step("fs.proc", () => assert.match(fs.readFileSync("/proc/self/status", "utf8"), new RegExp(`^Pid:\\s${process.pid}$`, "m")));
await step("fs.dev", () => {
  fs.writeFileSync("/dev/null", "x");
  assert.equal(fs.readFileSync(fs.openSync("/dev/null")).length, 0);
});

async function echo(listen, connect) {
  const server = net.createServer((c) => c.pipe(c)).listen(listen);
  await once(server, "listening");
  const client = net.connect(connect(server.address()));
  client.end("hello");
  let seen = "";
  for await (const part of client) seen += part;
  server.close();
  assert.equal(seen, "hello");
}
await step("net.tcp", () => echo({ port: 0, host: "127.0.0.1" }, (a) => a));
await step("net.tcp6", () => echo({ port: 0, host: "::1" }, (a) => ({ port: a.port, host: "::1" })));
await step("net.any", () => echo({ port: 0 }, (a) => ({ port: a.port, host: "127.0.0.1" })));
await step("net.localhost", () => echo({ port: 0, host: "localhost" }, (a) => ({ port: a.port, host: "localhost" })));
await step("net.unix", () => echo({ path: "sock" }, () => ({ path: "sock" })));
await step("net.unix-absolute", () => echo({ path: path.resolve("sock2") }, (a) => ({ path: a })));
await step("net.abstract", () => echo({ path: `\0conf-${process.pid}` }, (a) => ({ path: a })));
await step("net.unix-in-use", async () => {
  const first = net.createServer().listen("used");
  await once(first, "listening");
  const [error] = await once(net.createServer().listen("used"), "error");
  assert.equal(error.code, "EADDRINUSE");
  first.close();
});
await step("net.in-use", async () => {
  const first = net.createServer().listen(0, "127.0.0.1");
  await once(first, "listening");
  const [error] = await once(net.createServer().listen(first.address().port, "127.0.0.1"), "error");
  assert.equal(error.code, "EADDRINUSE");
  first.close();
});
await step("net.not-available", async () => {
  const [error] = await once(net.createServer().listen(0, "192.0.2.1"), "error");
  assert.equal(error.code, "EADDRNOTAVAIL");
});
const refused = async (where, wanted) => {
  const [error] = await once(net.connect(where), "error");
  assert.equal(error.code, wanted);
};
await step("net.refused", () => refused({ port: 1, host: "127.0.0.1" }, "ECONNREFUSED"));
await step("net.unix-absent", () => refused({ path: "nowhere" }, "ENOENT"));
await step("net.unix-no-socket", () => refused({ path: "a" }, "ECONNREFUSED"));
await step("net.local-address", () => echo({ port: 0, host: "127.0.0.1" }, (a) => ({ ...a, host: "127.0.0.1", localAddress: "127.0.0.2" })));
await step("net.many", () => Promise.all(Array.from({ length: 50 }, () => echo({ port: 0, host: "127.0.0.1" }, (a) => a))));
await step("net.http", async () => {
  const server = http.createServer((q, r) => q.pipe(r)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/`, { method: "POST", body: "x".repeat(100000) });
  assert.equal((await answer.text()).length, 100000);
  server.close();
});
for (const [kind, host] of [["udp4", "127.0.0.1"], ["udp6", "::1"]])
  await step(`dgram.${kind}`, async () => {
    const [a, b] = [dgram.createSocket(kind), dgram.createSocket(kind)];
    a.bind(0, host);
    await once(a, "listening");
    b.send("ping", a.address().port, host);
    const [message, from] = await once(a, "message");
    a.send("pong", from.port, from.address);
    assert.equal(message.toString() + (await once(b, "message"))[0], "pingpong");
    a.close();
    b.close();
  });

const execFile = promisify(childProcess.execFile);
await step("child.exec", async () => assert.equal((await promisify(childProcess.exec)("echo $((6 * 7))")).stdout, "42\n"));
await step("child.execFile", async () => assert.equal((await execFile("/bin/echo", ["a b"])).stdout, "a b\n"));
await step("child.absent", () => assert.rejects(execFile("/nowhere/program"), code("ENOENT")));
await step("child.not-executable", () => assert.rejects(execFile(path.resolve("a")), code("EACCES")));
await step("child.cwd", async () => assert.equal((await execFile("/bin/pwd", { cwd: "/" })).stdout, "/\n"));
await step("child.cwd-absent", () => assert.rejects(execFile("/bin/pwd", { cwd: "/nowhere" }), code("ENOENT")));
await step("child.env", async () => assert.match((await execFile("/usr/bin/env", { env: { A: "b" } })).stdout, /^A=b$/m));
await step("child.status", async () => {
  const child = childProcess.spawn("/bin/sh", ["-c", "exit 7"]);
  assert.deepEqual(await once(child, "exit"), [7, null]);
});
await step("child.signal", async () => {
  const child = childProcess.spawn("/bin/sleep", ["30"]);
  setTimeout(() => child.kill("SIGKILL"), 50);
  assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
});
await step("child.stdin", async () => {
  const child = childProcess.spawn("/bin/cat");
  child.stdin.end("x".repeat(200000));
  let seen = 0;
  for await (const part of child.stdout) seen += part.length;
  assert.equal(seen, 200000);
});
await step("child.extra-pipe", async () => {
  const child = childProcess.spawn("/bin/sh", ["-c", "echo three >&3"], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  assert.equal((await once(child.stdio[3], "data"))[0].toString(), "three\n");
});
await step("child.detached", async () => {
  const child = childProcess.spawn("/bin/sh", ["-c", "ps -o sid= -p $$ | tr -d ' '; echo $$"], { detached: true });
  let seen = "";
  for await (const part of child.stdout) seen += part;
  assert.equal(seen.split("\n")[0], seen.split("\n")[1]);
});
await step("child.timeout", () => assert.rejects(execFile("/bin/sleep", ["30"], { timeout: 100 }), (e) => e.killed));
await step("child.sync", () => assert.equal(childProcess.execFileSync("/bin/cat", { input: "sync" }).toString(), "sync"));
await step("child.fork", async () => {
  fs.writeFileSync("fork.mjs", "process.on('message', (m, h) => { process.send(m + 1); h?.close(); process.disconnect(); });");
  const child = childProcess.fork("fork.mjs");
  child.send(41);
  assert.equal((await once(child, "message"))[0], 42);
});
await step("child.handle", async () => {
  fs.writeFileSync("handle.mjs", "process.on('message', (m, s) => s.on('connection', (c) => { c.end('child'); s.close(); process.disconnect(); }));");
  const child = childProcess.fork("handle.mjs");
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = server.address().port;
  child.send("take", server);
  await new Promise((go) => setTimeout(go, 500));
  server.close();
  const client = net.connect(port, "127.0.0.1");
  assert.equal((await once(client, "data"))[0].toString(), "child");
});
await step("child.many", () => Promise.all(Array.from({ length: 30 }, (_, i) => execFile("/bin/echo", [`${i}`]))));
await step("process.kill", () => assert.throws(() => process.kill(2 ** 22 - 1, 0), code("ESRCH")));
await step("worker", async () => {
  const worker = new Worker("require('worker_threads').parentPort.postMessage(require('fs').readFileSync('a', 'utf8'))", { eval: true });
  assert.equal((await once(worker, "message"))[0], "one");
});
fs.appendFileSync(process.env.CONFORMANCE_RESULTS, "end\n");
process.exit(0);
