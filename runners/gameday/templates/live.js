// The live page: takes the state as it comes, shows it as text, and asks for what its buttons say.
const $ = (id) => document.getElementById(id);
const HEARTBEAT = 5, SILENCE = 3 * HEARTBEAT, LATELY = 300;

const token = location.hash.slice(1) || sessionStorage.getItem("token") || "";
sessionStorage.setItem("token", token);
history.replaceState(null, "", location.pathname);
const bearer = { Authorization: `Bearer ${token}` };

let state = null, ahead = 0, heard = 0, shown = {}, samples = [];
const now = () => Date.now() + ahead;

// Elements, of which every word is text
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}
// Fills an element anew when what it shows has changed
function fill(id, value, build) {
  const key = JSON.stringify(value ?? null);
  if (shown[id] === key) return;
  shown[id] = key;
  $(id).replaceChildren(...build(value));
}
const say = (id, text) => { if ($(id).textContent !== text) $(id).textContent = text; };

function long(seconds) {
  const all = Math.max(0, Math.round(seconds)), minutes = Math.floor(all / 60);
  if (minutes < 1) return `${all} s`;
  return minutes < 60 ? `${minutes} min ${all % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
const two = (number) => String(number).padStart(2, "0");
function clock(at) {
  const time = new Date(at);
  return isNaN(time) ? "" : `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}
const brief = (seconds) => (seconds === null || seconds === undefined ? "–" : seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${Math.round(seconds * 10) / 10} s`);
const number = (value) => (value === null || value === undefined ? "–" : String(value));

// A sentence with its verdict; what is good for one list is bad for the other
function judged(sentences, when) {
  const marks = { true: when ? ["✓", "good", "holds"] : ["✗", "bad", "is so"], false: when ? ["✗", "bad", "does not hold"] : ["–", "idle", "is not so"] };
  return sentences.map(({ sentence, verdict, words }) => {
    const [mark, kind, told] = marks[String(verdict)] ?? ["?", "odd", "cannot be judged now"];
    const sign = make("b", { className: kind, title: told }, mark);
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", told);
    return make("li", {}, sign, make("span", {}, sentence), words ? make("small", {}, words) : null);
  });
}
const none = (words) => [make("li", {}, make("span", { className: "soft" }, words))];

function pods(workloads) {
  const found = Object.entries(workloads ?? {});
  if (!found.length) return [make("p", { className: "soft" }, "Nothing counted yet.")];
  return found.map(([name, { ready, desired, revisions }]) => {
    const pips = make("div", { className: "pips" });
    pips.setAttribute("aria-hidden", "true");
    for (let n = 0; n < Math.min(Math.max(desired, ready), 100); n++) pips.append(make("i", { className: n < ready ? "on" : "" }));
    const told = Object.entries(revisions ?? {}).map(([image, count]) => `${count} of ${image}`).join(" · ");
    return make("div", { className: "workload" }, make("span", {}, name), make("b", {}, `${ready} of ${desired}`), pips,
      told ? make("small", {}, told) : null, lately(name));
  });
}
// The ready pods of the last minutes, since this page was opened
function lately(name) {
  const space = "http://www.w3.org/2000/svg", end = now() / 1000;
  const points = samples.filter(([at, counts]) => at > end - LATELY && counts[name]);
  if (points.length < 2) return null;
  const top = Math.max(1, ...points.map(([, counts]) => Math.max(counts[name].ready, counts[name].desired)));
  const begin = points[0][0], x = (at) => (1000 * (at - begin)) / Math.max(1, end - begin), y = (count) => 100 - (100 * count) / top;
  const steps = points.map(([at, counts], n) => `${n ? "H" : "M"}${x(at).toFixed(1)}${n ? "V" : " "}${y(counts[name].ready).toFixed(1)}`);
  const svg = document.createElementNS(space, "svg"), path = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 1000 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Ready pods of ${name} in the last ${long(end - begin)}`);
  path.setAttribute("d", `${steps.join("")}H1000`);
  path.setAttribute("class", "ready");
  svg.append(path);
  return make("div", { className: "lately" }, svg);
}

function requests(counts) {
  const rows = [["sent", number(counts?.sent)], ["answered", number(counts?.answered)], ["lost", number(counts?.lost)],
    ["longest gap", brief(counts?.longest_gap)], ["p50", brief(counts?.p50)], ["p99", brief(counts?.p99)]];
  return rows.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { className: name === "lost" && counts?.lost ? "bad" : "" }, value)));
}

function times(rounds) {
  if (!rounds?.length) return [make("p", { className: "soft" }, "No round has begun.")];
  return rounds.map((round) => {
    const track = make("div", { className: "track" }, make("h3", {}, String(round.round ?? "")));
    for (const name of ["injected", "detected", "acted", "recovered"]) {
      const after = round[name] && round.injected ? (Date.parse(round[name]) - Date.parse(round.injected)) / 1000 : null;
      const told = round[name] ? (name === "injected" || after === null ? clock(round[name]) : `+${brief(after)}`) : "–";
      track.append(make("div", { className: round[name] ? "was" : "" }, make("b", {}, told), name));
    }
    return track;
  });
}

function happened() {
  const notes = (state.notes ?? []).map((note) => ({
    at: note.at, kind: note.severity ? "finding" : "note",
    words: [make("em", {}, note.by ?? ""), `: ${note.text}`, note.severity ? ` (finding, ${note.severity}${note.owner ? `, ${note.owner}` : ""}${note.retest ? `, again on ${note.retest}` : ""})` : ""],
  }));
  const log = (state.log ?? []).map(({ at, text }) => ({ at, kind: "", words: [text] }));
  const all = [...notes, ...log].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, 200);
  return all.map(({ at, kind, words }) => make("li", { className: kind }, make("time", { dateTime: at }, clock(at)), make("span", {}, ...words)));
}

function verdict(found) {
  $("verdict").hidden = !found;
  if (!found) return;
  $("verdict").className = `card verdict ${{ 0: "good", 3: "odd" }[found.exit] ?? "bad"}`;
  say("h-verdict", `Hypothesis ${found.hypothesis}; ${found.clean ? "everything is as it was" : "NOT everything is as it was"}`);
  fill("verdict-lines", found.left ?? [], (left) => left.map((each) => make("li", {}, make("b", { className: "bad" }, "✗"), make("span", {}, String(each)))));
}

function show() {
  const ended = state.phase === "ended", stopping = ["halting", "undoing"].includes(state.phase);
  say("name", state.name ?? "");
  document.title = `${state.gate ? "Gate! " : ""}${state.name} · game day`;
  say("phase", (state.phase ?? "").replace(/^./, (first) => first.toUpperCase()));
  say("round", state.round ? `· round ${state.round.index} of ${state.round.of}: ${state.round.name}` : "");
  $("halt").disabled = ended || stopping;
  say("halt", ended ? "Over" : stopping ? "Halting …" : "Halt");
  $("gate").hidden = !state.gate;
  say("gate-asks", state.gate?.asks ?? "");
  say("gate-who", state.gate?.who ?? "");
  verdict(state.verdict);
  fill("steady", state.steady ?? [], (all) => (all.length ? judged(all, true) : none("None is planned.")));
  fill("abort", state.abort ?? [], (all) => (all.length ? judged(all, false) : none("None is planned: somebody has to watch.")));
  fill("requests", state.requests, requests);
  fill("pods", [state.pods, Math.round(now() / 5000)], () => pods(state.pods));
  fill("times", state.times, times);
  fill("acts", state.acts ?? [], (acts) => (acts.length ? [...acts].reverse().map(({ at, words, undone }) =>
    make("li", { className: "act" }, make("time", { dateTime: at }, clock(at)), make("span", {}, words, undone ? make("b", { className: "good" }, " ✓ put back") : "")))
    : none("Nothing was done yet.")));
  fill("log", [state.notes, state.log], happened);
  say("lock", state.lock ? `The lock is held by ${state.lock.holder} until ${clock(state.lock.expires)}.` : "");
  tick();
}

// What changes with the time alone
function tick() {
  if (!state) return;
  say("since", state.round?.since ? `for ${long((now() - Date.parse(state.round.since)) / 1000)}` : "");
  if (state.gate) say("gate-until", `in ${long((Date.parse(state.gate.until) - now()) / 1000)}`);
  const silent = (Date.now() - heard) / 1000, over = state.phase === "ended";
  if (over || silent < SILENCE) return;
  lost(`No news for ${long(silent)}: what stands here is old. ^C in the terminal halts; so does: gherkube gameday halt PLAN`);
}
setInterval(tick, 1000);

function lost(words) {
  $("link").className = "bad";
  say("link", "not connected");
  $("lost").hidden = false;
  say("lost", words);
}
function found() {
  heard = Date.now();
  $("link").className = "good";
  say("link", "live");
  $("lost").hidden = true;
}

function take(event) {
  const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
  if (!data) return;
  const told = JSON.parse(data);
  ahead = Date.parse(told.now) - Date.now();
  state = told.state;
  samples.push([now() / 1000, state.pods ?? {}]);
  samples = samples.filter(([at]) => at > now() / 1000 - LATELY);
  show();
}

// Server-sent events by fetch, as EventSource cannot show a token in a header
let wake = () => {};
const rest = (seconds) => new Promise((done) => { wake = done; setTimeout(done, seconds * 1000); });
for (const news of ["online", "pageshow"]) addEventListener(news, () => wake());
document.addEventListener("visibilitychange", () => document.hidden || wake());

async function listen() {
  const stop = new AbortController();
  const watchdog = setInterval(() => Date.now() - heard > SILENCE * 1000 && stop.abort(), 1000);
  heard = Date.now();
  try {
    const response = await fetch("events", { headers: bearer, signal: stop.signal });
    if (!response.ok) return lost((await response.json()).error), response.status !== 401;
    found();
    let text = "";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return true;
      found();
      const events = (text + value).split("\n\n");
      text = events.pop();
      events.forEach(take);
    }
  } catch {
    return true;
  } finally {
    clearInterval(watchdog);
  }
}

async function go() {
  for (let tries = 0; await listen(); tries++) {
    if (state?.phase === "ended") { $("link").className = "idle"; say("link", "over"); return; }
    if (heard > Date.now() - 2000) tries = 0;
    lost("The connection is lost; it is being made anew. ^C in the terminal halts; so does: gherkube gameday halt PLAN");
    await rest(Math.min(5, 0.3 * 2 ** tries));
  }
}

async function ask(what, body) {
  let response;
  try {
    response = await fetch(what, { method: "POST", headers: { ...bearer, "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    throw new Error("It was not sent: the connection is lost. Try again, or use the terminal.");
  }
  if (!response.ok) throw new Error((await response.json()).error);
}

// Who acts is asked once, and remembered
const names = [$("by"), $("halt-by"), $("gate-by")];
for (const field of names) {
  field.value = localStorage.getItem("name") ?? "";
  field.addEventListener("change", () => {
    localStorage.setItem("name", field.value);
    for (const other of names) other.value = field.value;
  });
}

$("halt").addEventListener("click", () => { say("halt-wrong", ""); $("sure").showModal(); ($("halt-by").value ? $("why") : $("halt-by")).focus(); });
$("go-on").addEventListener("click", () => $("sure").close());
$("halting").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await ask("halt", { by: $("halt-by").value, why: $("why").value });
    $("sure").close();
    $("halt").disabled = true;
    say("halt", "Halting …");
  } catch (wrong) {
    say("halt-wrong", wrong.message);
  }
});

async function answer(what) {
  const buttons = [$("confirm"), $("refuse")];
  for (const button of buttons) button.disabled = true;
  say("gate-wrong", "");
  try {
    await ask(what, { by: $("gate-by").value, until: state.gate?.until ?? "" });
  } catch (wrong) {
    say("gate-wrong", wrong.message);
  }
  for (const button of buttons) button.disabled = false;
}
$("confirm").addEventListener("click", () => answer("confirm"));
$("refuse").addEventListener("click", () => answer("refuse"));

$("note").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = Object.fromEntries(["by", "text", "severity", "owner", "retest"].map((id) => [id, $(id).value]));
  try {
    await ask("note", body);
    for (const id of ["text", "severity", "owner", "retest"]) $(id).value = "";
    say("noted", `Written down at ${clock(now())}.`);
  } catch (wrong) {
    say("noted", wrong.message);
  }
});

go();
