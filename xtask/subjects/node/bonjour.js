// bonjour-service, which stands on multicast-dns.
"use strict";

const os = require("node:os");

const { Bonjour } = require("bonjour-service");
const { attributes, event, host, interface: link, serve, split } = require("./adapter");

// It knows IPv4 alone, and sends where the routing table says unless it is told an address of the interface.
const address = (os.networkInterfaces()[link] ?? []).find(({ family }) => family === "IPv4")?.address;
const bonjour = new Bonjour(address ? { interface: address, bind: "0.0.0.0" } : {}, (why) => event("log", why.message));
const services = new Map();
const browsers = new Map();
const key = (instance, kind) => `${instance} ${kind}`;

serve(`bonjour-service ${require("bonjour-service/package.json").version}`, {
  publish(instance, text, port, ...strings) {
    const { kind, type, protocol, subtypes } = split(text);
    const service = bonjour.publish({
      name: instance,
      type,
      protocol,
      subtypes,
      port: Number(port),
      host: `${host}.local`,
      txt: attributes(strings),
    });
    service.on("up", () => event("published", instance, kind, instance));
    service.on("error", (why) => event("failed", instance, kind, why.message));
    services.set(key(instance, kind), service);
  },
  withdraw(instance, kind) {
    const service = services.get(key(instance, kind));
    services.delete(key(instance, kind));
    return new Promise((resolve) => service.stop(() => resolve()));
  },
  host: () => `${host}.local`,
  browse(text) {
    const { kind, type, protocol } = split(text);
    const browser = bonjour.find({ type, protocol });
    const seen = (service) => {
      const txt = Object.entries(service.txt ?? {}).map(([name, value]) => (value === true ? name : `${name}=${value}`));
      event("resolved", service.name, kind, service.host, service.port, (service.addresses ?? []).join(",") || "-", ...txt);
    };
    browser.on("up", (service) => {
      event("found", service.name, kind);
      seen(service);
    });
    browser.on("txt-update", seen);
    browser.on("srv-update", seen);
    browser.on("down", (service) => event("removed", service.name, kind));
    browsers.set(kind, browser);
  },
  stopBrowse(kind) {
    browsers.get(kind).stop();
  },
  quit: () => new Promise((resolve) => bonjour.unpublishAll(() => bonjour.destroy(resolve))),
});
