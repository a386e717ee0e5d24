// Small drawings: what a service is for, and what a button does.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  all: "M4.5 4.5h6v6h-6zM13.5 4.500h6v6h-6zM4.5 13.500h6v6h-6zM13.5 13.500h6v6h-6z",
  web: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3.3 12h17.400M12 3c2.6 2.6 3.9 5.6 3.9 9s-1.3 6.4-3.9 9c-2.6-2.6-3.9-5.6-3.9-9S9.4 5.6 12 3z",
  print: "M7 9V4h10v5M7 17H5a2 2 0 0 1-2-2v-4a2 2 0 0 1 2-2h14a2 2 0 0 1 2 2v4a2 2 0 0 1-2 2h-2M7 14h10v6H7z",
  files: "M3 7.500a2 2 0 0 1 2-2h4l2 2.200h8a2 2 0 0 1 2 2v7.300a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
  shell: "M5.5 4.500h13a2.5 2.5 0 0 1 2.5 2.500v10a2.5 2.5 0 0 1-2.5 2.500h-13A2.5 2.5 0 0 1 3 17V7a2.5 2.5 0 0 1 2.5-2.500zM7 9l3 3-3 3M12.5 15H17",
  sound: "M4.5 9.500v5h3.500l4.5 3.700V5.800L8 9.500zM15.8 9.300a3.8 3.8 0 0 1 0 5.400M18.2 6.800a7.3 7.3 0 0 1 0 10.4",
  screen: "M5 4.500h14a2 2 0 0 1 2 2V15a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V6.500a2 2 0 0 1 2-2zM9 20.500h6M12 17v3.5",
  home: "M4 11.2 12 4l8 7.200V19a1.5 1.5 0 0 1-1.5 1.500h-13A1.5 1.5 0 0 1 4 19zM10 20.500V15h4v5.5",
  scan: "M4 9.5 19.5 5M4 12.500h16V17a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM8 15.800h3",
  data: "M12 3.500c3.9 0 7 1.2 7 2.700S15.9 9 12 9 5 7.7 5 6.200s3.1-2.7 7-2.700zM5 6.200V18c0 1.5 3.1 2.7 7 2.700s7-1.2 7-2.700V6.200M5 12c0 1.5 3.1 2.8 7 2.800s7-1.3 7-2.8",
  chat: "M5 5h14a2 2 0 0 1 2 2v7.500a2 2 0 0 1-2 2h-7L7.5 20v-3.500H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z",
  mail: "M5 5.500h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2zM3.5 7.5 12 13.500l8.5-6",
  time: "M12 3.500a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.500V12l3 2",
  server: "M5.5 4.500h13A1.5 1.5 0 0 1 20 6v3.500a1.5 1.5 0 0 1-1.5 1.500h-13A1.5 1.5 0 0 1 4 9.500V6a1.5 1.5 0 0 1 1.5-1.500zM5.5 13h13a1.5 1.5 0 0 1 1.5 1.500V18a1.5 1.5 0 0 1-1.5 1.500h-13A1.5 1.5 0 0 1 4 18v-3.500A1.5 1.5 0 0 1 5.5 13zM7.5 7.800h.01M7.5 16.300h.01",
  device: "M8.5 6.500h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM10 3.500v3M14 3.500v3M10 17.500v3M14 17.500v3M3.5 10h3M3.5 14h3M17.5 10h3M17.5 14h3",
  other: "M12 10.800a1.2 1.2 0 1 0 0 2.4 1.2 1.2 0 0 0 0-2.400zM8.5 8.500a5 5 0 0 0 0 7M15.5 8.500a5 5 0 0 1 0 7M5.6 5.600a9 9 0 0 0 0 12.800M18.4 5.600a9 9 0 0 1 0 12.8",
  copy: "M9.5 9.500h8a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM5.5 14.500a1.5 1.5 0 0 1-1-1.500V6a2 2 0 0 1 2-2H13a1.5 1.5 0 0 1 1.5 1",
  open: "M8.5 5.500H6a2 2 0 0 0-2 2V18a2 2 0 0 0 2 2h10.500a2 2 0 0 0 2-2v-2.500M13 4.500h6.500V11M19 5l-8.5 8.5",
};

const HUES = {
  all: 185, web: 250, print: 30, files: 80, shell: 300, sound: 350, screen: 265, home: 150,
  scan: 50, data: 220, chat: 165, mail: 235, time: 110, server: 280, device: 200, other: 185,
};

// Which drawing a type has, by its first word.
const KINDS = {
  web: "http https bitcoin",
  print: "ipp ipps printer pdl-datastream riousbprint privet",
  files: "smb afpovertcp nfs ftp sftp-ssh webdav webdavs adisk rsync tftp git svn",
  shell: "ssh telnet eppc distcc",
  sound: "raop spotify-connect sonos daap home-sharing touch-able pulse-server pulse-sink pulse-source mumble",
  screen: "airplay googlecast rfb rtsp net-assistant",
  home: "hap homekit matter matterc matterd home-assistant meshcop coap coaps",
  scan: "scanner uscan uscans ptp dpap",
  data: "mysql postgresql mqtt etcd-server",
  chat: "presence irc xmpp-client xmpp-server sip",
  mail: "imap imaps pop3 smtp",
  time: "ntp caldav caldavs",
  server: "ldap ldaps kerberos domain dns-update syslog carddav carddavs sleep-proxy nut",
  device: "workstation device-info companion-link airport",
};

const BY_WORD = new Map(
  Object.entries(KINDS).flatMap(([kind, words]) => words.split(" ").map((word) => [word, kind])),
);

/** What a type is for: the name of a drawing. */
export function kindOf(type) {
  const word = type.split(".")[0].replace(/^_/, "").toLowerCase();
  return BY_WORD.get(word) ?? "other";
}

/** A drawing in the colour of the text around it. */
export function glyph(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "glyph");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.other);
  svg.append(path);
  return svg;
}

/** A drawing on a tile in a colour of its own. */
export function tile(name) {
  const tile = document.createElement("span");
  tile.className = "tile";
  tile.style.setProperty("--hue", HUES[name] ?? HUES.other);
  tile.append(glyph(name));
  return tile;
}

/** Shows another drawing on a tile that is there. */
export function retile(element, name) {
  if (element.dataset.kind === name) return;
  element.dataset.kind = name;
  element.style.setProperty("--hue", HUES[name] ?? HUES.other);
  element.querySelector("path").setAttribute("d", PATHS[name] ?? PATHS.other);
}

/** A ring that shows how much of a lifetime is left. */
export function ring() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 40 40");
  svg.setAttribute("class", "ring");
  svg.setAttribute("aria-hidden", "true");
  for (const name of ["track", "left"]) {
    const circle = document.createElementNS(SVG, "circle");
    circle.setAttribute("cx", "20");
    circle.setAttribute("cy", "20");
    circle.setAttribute("r", "17");
    circle.setAttribute("pathLength", "100");
    circle.setAttribute("class", name);
    svg.append(circle);
  }
  return svg;
}
