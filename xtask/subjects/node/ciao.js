// @homebridge/ciao, which publishes and does not browse.
"use strict";

const ciao = require("@homebridge/ciao");
const { attributes, event, host, interface: name, serve, split } = require("./adapter");

const responder = ciao.getResponder({ interface: name });
const services = new Map();
const key = (instance, kind) => `${instance} ${kind}`;

// A name change settles after advertise() has begun and may come again later.
const watch = (service, instance, kind) =>
  service.on(ciao.ServiceEvent.NAME_CHANGED, (actual) => event("renamed", instance, kind, actual));

serve(`ciao ${require("@homebridge/ciao/package.json").version}`, {
  publish(instance, text, port, ...strings) {
    const { kind, type, protocol, subtypes } = split(text);
    const service = responder.createService({
      name: instance,
      type,
      protocol,
      subtypes: subtypes.length === 0 ? undefined : subtypes,
      port: Number(port),
      hostname: host,
      txt: attributes(strings),
    });
    watch(service, instance, kind);
    services.set(key(instance, kind), service);
    service.advertise().then(
      () => event("published", instance, kind, instance),
      (why) => event("failed", instance, kind, why.message),
    );
  },
  updateTxt(instance, kind, ...strings) {
    services.get(key(instance, kind)).updateTxt(attributes(strings));
  },
  async withdraw(instance, kind) {
    const service = services.get(key(instance, kind));
    services.delete(key(instance, kind));
    await service.destroy();
  },
  host: () => `${host}.local`,
  quit: () => responder.shutdown(),
});
