// Shows the state of the daemon, once a second.  All of it is set as text, never as
// markup: peers choose some of it.
"use strict";

const WINDOW = 300;     // seconds that a plot shows
const SILENCE = 5000;   // milliseconds without an event until the daemon counts as lost
const RETRY = 1000;     // milliseconds between two attempts to connect to it
const GAP = 3;          // seconds without an entry that make a gap in a plot

const byId = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat("en");

let data = null;        // the latest state
let history = [];       // the entries of the last five minutes
let paused = false;
let source = null;
let watchdog = 0;
const cards = new Map();

// Figures

function scaled(number, unit) {
  const prefixes = ["", "k", "M", "G", "T", "P"];
  let power = 0;
  while (number >= 999.5 && power < prefixes.length - 1) {
    number /= 1000;
    power += 1;
  }
  const digits = power === 0 || number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
  return `${number.toFixed(digits)} ${prefixes[power]}${unit}`;
}

const bytes = (number) => scaled(number, "B");
const rate = (number) => scaled(number, "B/s");

function period(seconds) {
  seconds = Math.max(0, Math.floor(seconds));
  const [d, h, m, s] = [86400, 3600, 60, 1].map((unit, i, units) =>
    Math.floor(i ? (seconds % units[i - 1]) / unit : seconds / unit));
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} min`;
  if (m) return `${m} min ${s} s`;
  return `${s} s`;
}

function lateness(seconds) {
  return seconds < 1 ? `${(seconds * 1000).toFixed(1)} ms` : `${seconds.toFixed(1)} s`;
}

// Elements

function setText(element, text) {
  // Setting the same text again would clear the user's selection.
  if (element.textContent !== text) element.textContent = text;
}

function resize(parent, length, make) {
  while (parent.children.length > length) parent.lastElementChild.remove();
  while (parent.children.length < length) parent.append(make());
}

function definitions(list, pairs) {
  resize(list, pairs.length, () => {
    const group = document.createElement("div");
    group.append(document.createElement("dt"), document.createElement("dd"));
    return group;
  });
  pairs.forEach(([name, value], i) => {
    const [dt, dd] = list.children[i].children;
    setText(dt, name);
    setText(dd, value);
  });
}

function fill(table, rows, none) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  if (rows.length === 0 || body.querySelector(".none")) body.replaceChildren();
  if (rows.length === 0) {
    const cell = body.insertRow().insertCell();
    cell.colSpan = heads.length;
    cell.className = "none";
    cell.textContent = none;
    return;
  }
  resize(body, rows.length, () => {
    const row = document.createElement("tr");
    heads.forEach((head) => { row.insertCell().className = head.className; });
    return row;
  });
  rows.forEach((row, i) => row.forEach((text, j) => setText(body.rows[i].cells[j], text)));
}

// Services

function newCard() {
  const element = byId("service").content.cloneNode(true).firstElementChild;
  const card = { element, pointed: null };
  for (const [name, selector] of Object.entries({
    title: "h2", state: ".service-state", address: ".address", reading: ".reading", peak: ".peak", plot: "svg",
    area: "path.in", line: "path.out", cursor: ".cursor", figures: "dl",
  })) card[name] = element.querySelector(selector);
  card.plot.addEventListener("pointermove", (event) => {
    const box = card.plot.getBoundingClientRect();
    card.pointed = (event.clientX - box.left) / box.width;
    show();
  });
  card.plot.addEventListener("pointerleave", () => { card.pointed = null; show(); });
  return card;
}

function paths(index, peak, now) {
  let area = "";
  let line = "";
  let first = null;
  let last = null;
  const close = () => { if (first !== null) area += `L${last} 100L${first} 100Z`; };
  let before = -Infinity;
  for (const { time_unix_s: time, bytes_per_s: rates } of history) {
    if (!rates[index]) continue;
    const x = ((time - now) / WINDOW + 1) * 300;
    const [y0, y1] = rates[index].map((value) => (98 - 94 * value / peak).toFixed(1));
    if (time - before > GAP) {
      close();
      first = x.toFixed(1);
      area += `M${first} ${y0}`;
      line += `M${first} ${y1}`;
    } else {
      area += `L${x.toFixed(1)} ${y0}`;
      line += `L${x.toFixed(1)} ${y1}`;
    }
    last = x.toFixed(1);
    before = time;
  }
  close();
  return [area, line];
}

function plot(card, index, label) {
  const now = history.length ? history[history.length - 1].time_unix_s : data.time_unix_s;
  const peak = history.reduce(
    (most, { bytes_per_s: rates }) => Math.max(most, ...(rates[index] || [])), 0);
  const [area, line] = paths(index, peak || 1, now);
  card.area.setAttribute("d", area);
  card.line.setAttribute("d", line);
  let entry = history[history.length - 1];
  let when = "";
  if (card.pointed !== null && history.length) {
    const time = now + (card.pointed - 1) * WINDOW;
    entry = history.reduce((a, b) =>
      Math.abs(a.time_unix_s - time) < Math.abs(b.time_unix_s - time) ? a : b);
    when = `at ${new Date(entry.time_unix_s * 1000).toLocaleTimeString()}`;
  }
  const x = entry && when ? ((entry.time_unix_s - now) / WINDOW + 1) * 300 : null;
  card.cursor.setAttribute("d", x === null ? "" : `M${x} 0V100`);
  const [received, returned] = entry && entry.bytes_per_s[index] || [0, 0];
  resize(card.reading, 3, () => document.createElement("span"));
  const [a, b, c] = card.reading.children;
  a.className = "in";
  b.className = "out";
  setText(a, `${rate(received)} in`);
  setText(b, `${rate(returned)} out`);
  setText(c, when);
  setText(card.peak, `peak ${rate(peak)}`);
  card.plot.setAttribute("aria-label",
    `${label}: bytes a second in the last five minutes, ${rate(peak)} at most`);
}

function figures(service) {
  const refused = Object.values(service.refused).reduce((a, b) => a + b, 0);
  const counts = service.kind === "sessions" ? [
    ["Open", whole.format(service.open)],
    ["Accepted", whole.format(service.accepted)],
    ["Refused", whole.format(refused)],
  ] : [
    ["Datagrams", whole.format(service.received)],
    ["Answered", whole.format(service.answered)],
    ["Refused", whole.format(refused)],
  ];
  return [...counts, ["Bytes in", bytes(service.received_bytes)],
    ["Bytes out", bytes(service.returned_bytes)]];
}

function showServices() {
  const keys = data.services.map(({ service, address }) => `${service} ${address}`);
  if (keys.join("\n") !== [...cards.keys()].join("\n")) {
    cards.clear();
    keys.forEach((key) => cards.set(key, newCard()));
    byId("services").replaceChildren(...[...cards.values()].map(({ element }) => element));
  }
  data.services.forEach((service, i) => {
    const card = cards.get(keys[i]);
    setText(card.title, service.service);
    setText(card.address, service.address);
    setText(card.state, service.state);
    card.state.className = `service-state ${service.state}`;
    plot(card, i, keys[i]);
    definitions(card.figures, figures(service));
  });
}

// Sessions, endings, refusals

function showSessions() {
  const order = document.querySelector("[name=order]:checked").value;
  const sessions = data.sessions[order];
  setText(byId("open"), whole.format(data.sessions.open));
  setText(byId("sessions-caption"), data.sessions.open > sessions.length
    ? `The ${sessions.length} ${order} of ${whole.format(data.sessions.open)}`
    : `All of them, the ${order} first`);
  fill(byId("sessions"), sessions.map((session) => [
    session.peer,
    `${session.service}, ${session.address}`,
    period(data.time_unix_s - session.since_unix_s),
    bytes(session.received_bytes),
    bytes(session.returned_bytes),
    rate(session.received_bytes_per_s),
  ]), "Nobody is connected.");
}

function counted(name) {
  return data.services.flatMap(({ service, address, [name]: counts }) =>
    Object.entries(counts || {})
      .sort(([, a], [, b]) => b - a)
      .map(([key, number]) =>
        [`${service}, ${address}`, key.replaceAll("_", " "), whole.format(number)]));
}

// Impairments: shown so that nobody takes them for faults

function impairments() {
  return data.services.filter(({ impairments }) => impairments !== null)
    .map(({ service, address, impairments }) => [`${service}, ${address}`, impairments]);
}

function showImpairments() {
  const wanted = impairments();
  byId("impairment").hidden = wanted.length === 0;
  definitions(byId("impairments"), wanted);
  fill(byId("impaired"), counted("impaired"), "Nothing yet.");
}

// Everything

function showState(state, text) {
  document.body.dataset.state = state;
  setText(byId("state"), text);
  const name = data ? `echod on ${data.host}` : "echod";
  const open = data && state !== "lost" ? `, ${whole.format(data.sessions.open)} open` : "";
  const impaired = data && impairments().length ? "IMPAIRED: " : "";
  setText(document.querySelector("h1"), name);
  document.title = `${state === "ready" ? "" : `${state}: `}${impaired}${name}${open}`;
}

function show() {
  if (data === null || paused) return;
  const worst = history.reduce((most, { lag_s: lag }) => Math.max(most, lag), data.lag_s);
  definitions(byId("facts"), [
    ["version", data.version],
    ["up for", period(data.uptime_s)],
    ["reactor", data.reactor],
    ...(data.workers.length ? [["workers", whole.format(data.workers.length)]] : []),
    ["lag", `${lateness(data.lag_s)}, worst ${lateness(worst)}`],
  ]);
  showImpairments();
  showServices();
  showSessions();
  fill(byId("ended"), counted("ended"), "None has ended yet.");
  fill(byId("refused"), counted("refused"), "Nothing was refused.");
}

function received(event, all) {
  data = JSON.parse(event.data);
  history = (all ? [] : history).concat(data.history)
    .filter(({ time_unix_s: time }) => time > data.time_unix_s - WINDOW);
  if (data.draining) showState("draining", "draining");
  else if (data.unready.length) showState("unready", "not ready");
  else showState("ready", "ready");
  show();
  watch();
}

// After a long time without an event, the daemon counts as lost, even if the connection
// is open.  Then the page connects again and again.

function watch() {
  clearTimeout(watchdog);
  watchdog = setTimeout(lose, SILENCE);
}

function lose() {
  source.close();
  showState("lost", "lost the daemon, looking for it");
  clearTimeout(watchdog);
  watchdog = setTimeout(listen, RETRY);
}

function listen() {
  source = new EventSource("events");
  source.addEventListener("full", (event) => received(event, true));
  source.addEventListener("latest", (event) => received(event, false));
  source.addEventListener("error", lose);
  watch();
}

byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  show();
});
for (const choice of document.querySelectorAll("[name=order]")) {
  choice.addEventListener("change", show);
}
listen();
