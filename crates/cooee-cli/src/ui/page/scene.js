// All that is there, as the command tells it: states by name, and those that fade.

/** For so long what is gone stays in sight. */
export const FADING = 10_000;

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export class Scene {
  services = new Map();
  types = new Map();
  hosts = new Map();
  links = new Map();
  /** Found, but more than the command keeps. */
  beyond = 0;
  /** Whether anything was told. */
  known = false;

  #changed;
  #sorted = null;

  constructor(changed) {
    this.#changed = changed;
  }

  /** Takes over an event. */
  tell(name, data) {
    switch (name) {
      case "snapshot":
        this.#snapshot(data);
        break;
      case "added":
      case "updated":
      case "unresolved":
        this.#see(data);
        break;
      case "refreshed":
        this.#refresh(data);
        break;
      case "removed":
        this.#lose(data.service.toLowerCase());
        break;
      case "type":
        this.types.set(data.type.toLowerCase(), data);
        break;
      case "type-removed":
        this.types.delete(data.type.toLowerCase());
        break;
      case "host":
        if (data.addresses.length === 0) this.hosts.delete(data.host.toLowerCase());
        else this.hosts.set(data.host.toLowerCase(), { ...data, key: data.host.toLowerCase() });
        break;
      case "link":
        this.links.set(data.index, data);
        break;
    }
    this.#changed();
  }

  /** All services by name, those that fade among them. */
  sorted() {
    this.#sorted ??= [...this.services.values()].sort(
      (a, b) => collator.compare(a.name, b.name) || collator.compare(a.type, b.type) || (a.key < b.key ? -1 : 1),
    );
    return this.#sorted;
  }

  /** All hosts by name, with their services. */
  sortedHosts() {
    const services = new Map();
    for (const one of this.sorted()) {
      if (one.gone || !one.host) continue;
      const key = one.host.toLowerCase();
      if (!services.has(key)) services.set(key, []);
      services.get(key).push(one);
    }
    return [...this.hosts.values()]
      .map((host) => ({ ...host, services: services.get(host.key) ?? [] }))
      .sort((a, b) => collator.compare(a.host, b.host));
  }

  /** The types that are announced or have services, by what they are called. */
  kinds() {
    const kinds = new Map();
    for (const [key, kind] of this.types) kinds.set(key, { key, type: kind.type, title: kind.title, services: 0 });
    for (const one of this.services.values()) {
      const key = one.type.toLowerCase();
      if (!kinds.has(key)) kinds.set(key, { key, type: one.type, title: one.title, services: 0 });
    }
    const shown = (kind) => kind.title ?? kind.type.replace(/^_/, "");
    return [...kinds.values()].sort((a, b) => collator.compare(shown(a), shown(b)) || (a.key < b.key ? -1 : 1));
  }

  #snapshot(data) {
    const before = this.services;
    this.services = new Map([...before].filter(([, one]) => one.gone));
    for (const service of data.services) this.#see(service, before);
    for (const [key, one] of before) {
      if (!this.services.has(key)) {
        this.services.set(key, one);
        this.#lose(key);
      }
    }
    this.types = new Map(data.types.map((kind) => [kind.type.toLowerCase(), kind]));
    this.hosts = new Map(data.hosts.map((host) => [host.host.toLowerCase(), { ...host, key: host.host.toLowerCase() }]));
    this.links = new Map(data.links.map((link) => [link.index, link]));
    this.beyond = data.beyond;
    this.known = true;
    this.#sorted = null;
  }

  #see(data, before = this.services) {
    const key = data.service.toLowerCase();
    const earlier = before.get(key);
    this.services.set(key, {
      ...data,
      key,
      gone: 0,
      resolved: data.host !== undefined,
      isNew: this.known && earlier === undefined,
      expires: Date.now() + data.expires_in * 1000,
      text: searched(data),
    });
    this.#sorted = null;
  }

  #refresh({ service, expires_in }) {
    const one = this.services.get(service.toLowerCase());
    if (one) one.expires = Date.now() + expires_in * 1000;
  }

  #lose(key) {
    const one = this.services.get(key);
    if (!one || one.gone) return;
    const gone = { ...one, gone: Date.now() };
    this.services.set(key, gone);
    this.#sorted = null;
    setTimeout(() => {
      if (this.services.get(key) !== gone) return;
      this.services.delete(key);
      this.#sorted = null;
      this.#changed();
    }, FADING);
  }
}

/** Everything about a service that a search may mean. */
function searched(data) {
  const parts = [data.name, data.type, data.title ?? ""];
  for (const link of data.links) parts.push(link.interface);
  if (data.host !== undefined) {
    parts.push(`${data.host}:${data.port}`);
    for (const address of data.addresses) parts.push(address.text);
    for (const one of data.txt) parts.push(`${one.key ?? ""}=${one.value ?? ""}`);
  }
  return parts.join("\n").toLowerCase();
}

/** The words of a search. */
export function words(search) {
  return search.toLowerCase().split(/\s+/).filter((word) => word !== "");
}

/** Whether all words stand in a text. */
export function matches(text, searchedFor) {
  return searchedFor.every((word) => text.includes(word));
}
