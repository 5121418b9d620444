// The benchmark's one server: HTTP/2 over TLS for every host that a page asks, as fast as this machine or slowed down.
// WebKitGTK speaks HTTP/1.1 through proxies.
//
// node server.mjs PLAN.json    prints one line, the ports in the plan's order and last that of a proxy, for browsers that
//                              find hosts by nothing else, to the first of them; and serves until its input ends.
//
// The plan: `networks`, each with `latency` (ms before an answer begins) and `rate` (bits a second for all answers
// together), both null for none; `certificates`, host → {key, cert} in PEM; `files`, "host/path" → {file, headers}.
import { readFileSync } from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import { connect } from "node:net";
import { createSecureContext } from "node:tls";

const PIECE = 4096;
const plan = JSON.parse(readFileSync(process.argv[2], "utf8"));
const contexts = Object.fromEntries(
  Object.entries(plan.certificates).map(([host, pair]) => [host, createSecureContext(pair)]),
);
const answers = new Map(
  Object.entries(plan.files).map(([name, { file, headers }]) => [name, { body: readFileSync(file), headers }]),
);
const EVERYONE = { "access-control-allow-origin": "*", "timing-allow-origin": "*" };
const fallback = (method) => ({
  body: Buffer.from(method === "GET" ? "not found" : "{}"),
  headers: { "content-type": "application/json", "access-control-allow-headers": "*" },
  status: method === "GET" ? 404 : 200, // what the SDKs send to their own servers is taken
});

function serve({ latency, rate }) {
  let free = 0; // when the line has carried all that it was given
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  async function answer(stream, headers) {
    const url = new URL(`https://${headers[":authority"]}${headers[":path"]}`);
    const method = headers[":method"];
    const found = answers.get(url.hostname + url.pathname) || fallback(method);
    if (latency) await sleep(latency);
    if (stream.destroyed) return;
    stream.respond({
      ":status": found.status || 200,
      "content-length": found.body.length,
      ...EVERYONE,
      ...found.headers,
    });
    if (!rate) return stream.end(found.body);
    for (let at = 0; at < found.body.length; at += PIECE) {
      const piece = found.body.subarray(at, at + PIECE);
      free = Math.max(free, performance.now()) + (piece.length * 8000) / rate;
      const wait = free - performance.now();
      if (wait >= 1) await sleep(wait);
      if (stream.destroyed) return;
      stream.write(piece);
    }
    stream.end();
  }

  const server = http2.createSecureServer({
    allowHTTP1: true,
    ...Object.values(plan.certificates)[0],
    // A certificate for each host: with one for all, a browser would use one connection for all.
    SNICallback: (host, done) => done(null, contexts[host]),
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {}); // the page went away
    answer(stream, headers);
  });
  server.on("request", (request, response) => {
    if (request.httpVersionMajor > 1) return; // a stream
    request.resume();
    const { method, url, headers } = request;
    answer(streamOf(response), { ":method": method, ":path": url, ":authority": headers.host });
  });
  server.on("sessionError", () => {});
  return listening(server);
}

// What HTTP/2 calls a stream, of a response in HTTP/1.1.
function streamOf(response) {
  response.on("error", () => {});
  return {
    get destroyed() {
      return response.destroyed;
    },
    respond: ({ ":status": status, ...headers }) => response.writeHead(status, headers),
    write: (piece) => response.write(piece),
    end: (piece) => response.end(piece),
  };
}

function listening(server) {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server.address().port)));
}

// Whatever host is asked for, it is the server at this port.
function proxy(port) {
  const server = http.createServer();
  server.on("connect", (_request, socket) => {
    const there = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(there).pipe(socket);
    });
    there.on("error", () => socket.destroy());
    socket.on("error", () => there.destroy());
  });
  return listening(server);
}

const ports = await Promise.all(plan.networks.map(serve));
console.log(JSON.stringify([...ports, await proxy(ports[0])]));
process.stdin.on("end", () => process.exit(0)).resume();
