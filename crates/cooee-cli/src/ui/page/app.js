// Puts the page together: what is told, what is picked, which keys do what.

import { copyAddress, copyJson, open, ServiceDetails, showHost } from "./details.js";
import { el, foreign, say, toast } from "./dom.js";
import { kindOf, retile, tile } from "./icons.js";
import { List } from "./list.js";
import { Packets } from "./packets.js";
import { FADING, matches, Scene, words } from "./scene.js";
import { called, count } from "./text.js";
import { showLinks } from "./views.js";

const byId = (id) => document.getElementById(id);
const VIEWS = ["services", "hosts", "packets", "links"];
const start = Date.now();

let view = "services";
let searched = [];
let scheduled = false;
let lastPicked = null;

const scene = new Scene(schedule);
const packets = new Packets(byId("view-packets"));
const details = new ServiceDetails(byId("service-details"));

const types = new List(byId("types"), {
  height: 46,
  make: () => el("div", { class: "type-row" }, tile("all"), el("span", { class: "lines" }, el("span", { class: "name" }), el("span", { class: "wire" })), el("span", { class: "count" })),
  show(row, kind) {
    retile(row.querySelector(".tile"), kind.key === "" ? "all" : kindOf(kind.type));
    if (row.dataset.shown !== kind.key) {
      row.dataset.shown = kind.key;
      row.querySelector(".name").replaceChildren(foreign(called(kind)));
      row.querySelector(".wire").replaceChildren(foreign(kind.key === "" ? "every type" : kind.type));
    }
    say(row.querySelector(".count"), kind.services.toLocaleString());
    row.classList.toggle("empty", kind.services === 0);
  },
  onpick: () => render(),
});

const services = new List(byId("services"), {
  height: 60,
  make: () => el("div", { class: "service-row" }, tile("other"), el("span", { class: "lines" }, el("span", { class: "name" }), el("span", { class: "place" })), el("span", { class: "marks" })),
  show: showService,
  onpick(service) {
    lastPicked = service ?? lastPicked;
    details.show(service);
  },
  onopen: (service) => open(service),
});

const hosts = new List(byId("hosts"), {
  height: 60,
  make: () => el("div", { class: "service-row" }, tile("device"), el("span", { class: "lines" }, el("span", { class: "name" }), el("span", { class: "place" })), el("span", { class: "count" })),
  show(row, host) {
    row.querySelector(".name").replaceChildren(foreign(host.host));
    const addresses = host.addresses.map((address) => address.text).join(", ");
    row.querySelector(".place").replaceChildren(el("span", { class: "host" }, foreign(addresses)));
    say(row.querySelector(".count"), String(host.services.length));
  },
  onpick: (host) => showHost(byId("host-details"), host, show),
});

function showService(row, service) {
  // Among all types the type says more than the port.
  const form = types.picked === "" ? "all" : "one";
  if (row.shown === service && row.form === form) return;
  const isSame = row.shown?.key === service.key;
  row.shown = service;
  row.form = form;
  retile(row.querySelector(".tile"), kindOf(service.type));
  row.querySelector(".name").replaceChildren(foreign(service.name));
  const host = service.resolved ? `${service.host}${form === "all" ? "" : `:${service.port}`}` : "not resolved";
  row.querySelector(".place").replaceChildren(
    ...(form === "all" ? [el("span", { class: "kind" }, foreign(called(service)))] : []),
    el("span", { class: "host" }, foreign(host)),
  );
  const several = [...scene.links.values()].filter((link) => link.state === "up").length > 1;
  row.querySelector(".marks").replaceChildren(
    ...(several ? service.links.slice(0, 2).map((link) => el("span", { class: "mark" }, foreign(link.interface))) : []),
    ...(service.gone ? [el("span", { class: "mark gone" }, "gone")] : []),
  );
  row.classList.toggle("gone", service.gone > 0);
  row.classList.toggle("unresolved", !service.resolved);
  // A row that comes into sight late fades from where it would be.
  row.style.animationDelay = service.gone ? `${service.gone - Date.now()}ms` : "";
  row.style.animationDuration = service.gone ? `${FADING}ms` : "";
  row.classList.toggle("new", !isSame && service.isNew && !service.gone && Date.now() - Date.parse(service.first_seen) < 4000);
}

/** Goes to a service in the view of services. */
function show(service) {
  types.pick("", { quiet: true });
  choose("services");
  services.pick(service.key);
  services.element.focus();
}

/** Draws soon, once for all that comes until then. */
function schedule() {
  if (scheduled) return;
  scheduled = true;
  // Where nobody looks no frame comes; the state is kept anyway.
  requestAnimationFrame(() => {
    scheduled = false;
    render();
  });
}

function render() {
  say(byId("state-text"), stateText());
  if (view === "services") renderServices();
  else if (view === "hosts") renderHosts();
  else if (view === "links") showLinks(byId("view-links"), scene);
}

function renderServices() {
  const all = scene.sorted();
  const found = searched.length === 0 ? all : all.filter((one) => matches(one.text, searched));
  const counts = new Map();
  for (const one of found) {
    if (!one.gone) counts.set(one.type.toLowerCase(), (counts.get(one.type.toLowerCase()) ?? 0) + 1);
  }
  const total = [...counts.values()].reduce((sum, one) => sum + one, 0);
  const kinds = scene
    .kinds()
    .map((kind) => ({ ...kind, services: counts.get(kind.key) ?? 0 }))
    .filter((kind) => searched.length === 0 || kind.services > 0 || kind.key === types.picked);
  types.picked ??= "";
  types.set([{ key: "", title: "All services", type: "", services: total }, ...kinds]);

  const kind = types.item();
  if (!kind) types.picked = "";
  const chosen = kind?.key ? found.filter((one) => one.type.toLowerCase() === kind.key) : found;
  services.set(chosen);
  byId("services-title").replaceChildren(foreign(kind ? called(kind) : "All services"));
  const here = chosen.filter((one) => !one.gone).length;
  const beyond = scene.beyond > 0 ? `, ${scene.beyond.toLocaleString()} more not shown` : "";
  say(byId("services-count"), scene.known ? `${count(here, "service")}${beyond}` : "");
  const now = scene.services.get(services.picked);
  if (now) lastPicked = now;
  details.show(now ?? pickedBefore());
  nothing(byId("services-nothing"), chosen.length === 0);
}

/** What is picked stays in the details when it has faded, until something else is picked. */
function pickedBefore() {
  return lastPicked?.key === services.picked ? lastPicked : undefined;
}

function renderHosts() {
  const all = scene.sortedHosts();
  const text = (host) => `${host.host}\n${host.addresses.map((address) => address.text).join("\n")}\n${host.services.map((one) => one.text).join("\n")}`;
  const found = searched.length === 0 ? all : all.filter((host) => matches(text(host).toLowerCase(), searched));
  hosts.set(found);
  say(byId("hosts-count"), scene.known ? count(found.length, "host") : "");
  showHost(byId("host-details"), hosts.item(), show);
  nothing(byId("hosts-nothing"), found.length === 0);
}

/** What stands where nothing is. */
function nothing(element, isNothing) {
  element.hidden = !isNothing;
  if (!isNothing) return;
  if (searched.length > 0) {
    element.replaceChildren(el("p", {}, "Nothing matches."), el("p", { class: "dim" }, "Esc clears the search."));
  } else if (Date.now() - start < 5000) {
    element.replaceChildren(el("p", {}, "Nothing yet."), el("p", { class: "dim" }, "Listening on the local link."));
  } else {
    element.replaceChildren(el("p", {}, "Nothing yet."), el("p", { class: "dim" }, el("code", {}, "cooee doctor"), " finds out why."));
  }
}

// What is told.

let source = null;
let state = "connecting";
let withPackets = false;

function stateText() {
  const up = [...scene.links.values()].filter((link) => link.state === "up").map((link) => link.interface);
  switch (state) {
    case "live":
      return up.length > 0 ? `Live on ${up.length > 3 ? `${up.length} links` : up.join(", ")}` : "No usable link";
    case "ended":
      return "Ended";
    case "refused":
      return "Not connected";
    case "broken":
      return "Reconnecting";
    default:
      return "Connecting";
  }
}

function become(next) {
  state = next;
  const element = byId("state");
  element.dataset.state = next;
  document.body.classList.toggle("stale", next === "ended" || next === "broken" || next === "refused");
  schedule();
}

/** Listens to the command; to packets too while they are looked at. */
function connect() {
  source?.close();
  withPackets = view === "packets";
  if (withPackets) packets.begin();
  source = new EventSource(withPackets ? "/events?packets=1" : "/events");
  source.onopen = () => become("live");
  source.onerror = () => {
    if (state === "ended") return;
    become(source.readyState === EventSource.CLOSED ? "refused" : "broken");
    if (state === "refused") toast("Use the address that cooee printed");
  };
  const told = ["snapshot", "added", "updated", "refreshed", "removed", "unresolved", "type", "type-removed", "host", "link"];
  for (const name of told) source.addEventListener(name, (event) => scene.tell(name, JSON.parse(event.data)));
  for (const name of ["packet", "lint", "missed", "trouble"]) {
    source.addEventListener(name, (event) => packets.tell(name, JSON.parse(event.data)));
  }
  source.addEventListener("end", () => {
    source.close();
    become("ended");
    toast("The command has ended; this is what it knew");
  });
}

// What is asked for.

function choose(next) {
  view = next;
  for (const name of VIEWS) {
    const isChosen = name === next;
    byId(`view-${name}`).hidden = !isChosen;
    const tab = byId(`tab-${name}`);
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
  }
  if (source && state !== "ended" && withPackets !== (next === "packets")) connect();
  render();
}

function panes() {
  switch (view) {
    case "services":
      return [types.element, services.element, byId("service-details")];
    case "hosts":
      return [hosts.element, byId("host-details")];
    case "packets":
      return packets.panes;
    default:
      return [byId(`view-${view}`)];
  }
}

function listOf(element) {
  return [types, services, hosts, packets.list].find((list) => list.element === element);
}

/** The pane in which the keys work. */
function pane() {
  const all = panes();
  return all.find((one) => one.contains(document.activeElement)) ?? all[Math.min(1, all.length - 1)];
}

function focus(by) {
  const all = panes();
  const next = all[Math.min(Math.max(all.indexOf(pane()) + by, 0), all.length - 1)];
  next.focus();
  const list = listOf(next);
  if (list && !list.item()) list.move(0);
}

function move(by) {
  const here = pane();
  const list = listOf(here);
  if (list) {
    here.focus();
    list.move(by);
  } else {
    here.scrollBy({ top: by * 48 });
  }
}

/** The service that keys mean. */
function service() {
  return view === "services" ? (scene.services.get(services.picked) ?? pickedBefore()) : undefined;
}

const KEYS = {
  ArrowUp: () => move(-1),
  ArrowDown: () => move(1),
  k: () => move(-1),
  j: () => move(1),
  ArrowLeft: () => focus(-1),
  ArrowRight: () => focus(1),
  h: () => focus(-1),
  l: () => focus(1),
  PageUp: () => move(-(listOf(pane())?.page ?? 8)),
  PageDown: () => move(listOf(pane())?.page ?? 8),
  Home: () => move(-Infinity),
  End: () => move(Infinity),
  "/": () => byId("search").select(),
  Escape: () => search(""),
  c: () => service() && copyAddress(service()),
  C: () => service() && copyJson(service()),
  o: () => open(service()),
  Enter: () => listOf(pane()) === services && open(service()),
  " ": () => view === "packets" && packets.pause(),
  1: () => choose("services"),
  2: () => choose("hosts"),
  3: () => choose("packets"),
  4: () => choose("links"),
  "?": () => byId("help").showModal(),
};

function search(text) {
  const field = byId("search");
  if (field.value !== text) field.value = text;
  searched = words(text);
  packets.search(searched);
  render();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || byId("help").open) return;
  const inField = event.target === byId("search");
  if (inField) {
    if (event.key === "Escape") {
      search("");
      event.target.blur();
    } else if (event.key === "Enter" || event.key === "ArrowDown") {
      focus(0);
    } else {
      return;
    }
    event.preventDefault();
    return;
  }
  // A button takes its own keys.
  const isOnButton = event.target.closest?.("button, summary, a") && (event.key === "Enter" || event.key === " ");
  const action = isOnButton ? undefined : KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

byId("search").addEventListener("input", (event) => search(event.target.value));
byId("help-button").addEventListener("click", () => byId("help").showModal());
for (const name of VIEWS) {
  byId(`tab-${name}`).addEventListener("click", () => choose(name));
}
choose("services");
become("connecting");
connect();
// "Nothing yet" becomes a hint.
setTimeout(schedule, 5100);
