import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import javax.jmdns.JmDNS;
import javax.jmdns.ServiceEvent;
import javax.jmdns.ServiceInfo;
import javax.jmdns.ServiceListener;
import javax.jmdns.impl.DNSStatefulObject;

/** The line protocol of crates/cooee-conformance/PROTOCOL.md for jmdns. */
public final class Adapter {
    private static final String HOST = System.getenv().getOrDefault("COOEE_HOST", "subject");
    private static final long ANNOUNCED = 20_000;

    private final JmDNS jmdns;
    private final Map<String, ServiceInfo> offers = new HashMap<>();
    private final Map<String, ServiceListener> browsers = new HashMap<>();

    private Adapter(JmDNS jmdns) {
        this.jmdns = jmdns;
    }

    public static void main(String[] arguments) throws IOException {
        // It stands on one address; an IPv4 one, as in its examples.
        NetworkInterface link = NetworkInterface.getByName(System.getenv("COOEE_INTERFACE"));
        InetAddress address = Collections.list(link.getInetAddresses()).stream()
                .filter(candidate -> candidate.getAddress().length == 4)
                .findFirst()
                .orElseThrow();
        Adapter adapter = new Adapter(JmDNS.create(address, HOST));
        say("ready", "jmdns", JmDNS.VERSION);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = Arrays.stream(line.split(" ")).map(Adapter::unescape).toArray(String[]::new);
            try {
                say(adapter.obey(words));
            } catch (IOException | RuntimeException why) {
                say("error", escape(String.valueOf(why.getMessage())));
            }
            if (words[0].equals("quit")) {
                break;
            }
        }
        System.exit(0);
    }

    private String obey(String[] words) throws IOException {
        switch (words[0]) {
            case "publish":
                return publish(words[1], words[2], Integer.parseInt(words[3]), List.of(words).subList(4, words.length));
            case "update-txt":
                offers.get(key(words)).setText(attributes(List.of(words).subList(3, words.length)));
                return "ok";
            case "withdraw": {
                ServiceInfo offer = offers.remove(key(words));
                new Thread(() -> jmdns.unregisterService(offer)).start();
                return "ok";
            }
            case "host":
                return "ok " + escape(trim(jmdns.getHostName()));
            case "browse":
                return browse(words[1]);
            case "stop-browse":
                jmdns.removeServiceListener(words[1] + ".local.", browsers.remove(words[1]));
                return "ok";
            case "resolve":
                jmdns.requestServiceInfo(words[2] + ".local.", words[1], true);
                return "ok";
            case "quit":
                jmdns.close();
                return "ok";
            default:
                return "unsupported " + escape(words[0]);
        }
    }

    private String publish(String name, String text, int port, List<String> strings) {
        // With a subtype version 3.5.5 does not answer for the type itself.
        if (text.contains(",")) {
            return "unsupported subtypes";
        }
        String type = text;
        ServiceInfo offer = ServiceInfo.create(type + ".local.", name, port, 0, 0, attributes(strings));
        offers.put(name + " " + type, offer);
        // Registering returns before the service is announced.
        new Thread(() -> {
            try {
                jmdns.registerService(offer);
                ((DNSStatefulObject) offer).waitForAnnounced(ANNOUNCED);
                if (!offer.getName().equals(name)) {
                    event("renamed", name, type, offer.getName());
                }
                event("published", name, type, offer.getName());
            } catch (IOException | RuntimeException why) {
                event("failed", name, type, String.valueOf(why.getMessage()));
            }
        }).start();
        // It stands on the address that it was made with.
        return "ok fixed";
    }

    private String browse(String type) {
        ServiceListener listener = new ServiceListener() {
            @Override
            public void serviceAdded(ServiceEvent found) {
                event("found", found.getName(), type);
                // A listener is told of host and port only after it has asked.
                jmdns.requestServiceInfo(found.getType(), found.getName(), true);
            }

            @Override
            public void serviceRemoved(ServiceEvent gone) {
                event("removed", gone.getName(), type);
            }

            @Override
            public void serviceResolved(ServiceEvent resolved) {
                ServiceInfo info = resolved.getInfo();
                StringJoiner addresses = new StringJoiner(",").setEmptyValue("-");
                for (InetAddress address : info.getInetAddresses()) {
                    addresses.add(address.getHostAddress().replaceFirst("%.*", ""));
                }
                String[] head = {"resolved", resolved.getName(), type, info.getServer().isEmpty() ? "-" : trim(info.getServer()),
                        Integer.toString(info.getPort()), addresses.toString()};
                String[] txt = strings(info.getTextBytes());
                String[] words = Arrays.copyOf(head, head.length + txt.length);
                System.arraycopy(txt, 0, words, head.length, txt.length);
                event(words);
            }
        };
        browsers.put(type, listener);
        jmdns.addServiceListener(type + ".local.", listener);
        return "ok";
    }

    private static String key(String[] words) {
        return words[1] + " " + words[2];
    }

    private static Map<String, Object> attributes(List<String> strings) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (String string : strings) {
            int at = string.indexOf('=');
            map.put(at < 0 ? string : string.substring(0, at), at < 0 ? null : string.substring(at + 1));
        }
        return map;
    }

    /** The strings of a TXT record. */
    private static String[] strings(byte[] text) {
        List<String> all = new java.util.ArrayList<>();
        for (int at = 0; at < text.length; at += 1 + (text[at] & 0xff)) {
            int length = Math.min(text[at] & 0xff, text.length - at - 1);
            if (length > 0) {
                all.add(new String(text, at + 1, length, StandardCharsets.UTF_8));
            }
        }
        return all.toArray(String[]::new);
    }

    private static String trim(String name) {
        return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
    }

    private static void event(String... words) {
        StringJoiner line = new StringJoiner(" ").add("event");
        for (String word : words) {
            line.add(escape(word));
        }
        say(line.toString());
    }

    private static synchronized void say(String... words) {
        System.out.println(String.join(" ", words));
        System.out.flush();
    }

    private static String escape(String word) {
        StringBuilder escaped = new StringBuilder();
        for (byte octet : word.getBytes(StandardCharsets.UTF_8)) {
            if (octet > 0x20 && octet < 0x7f && octet != '%') {
                escaped.append((char) octet);
            } else {
                escaped.append(String.format("%%%02X", octet & 0xff));
            }
        }
        return escaped.toString();
    }

    private static String unescape(String word) {
        // The decoder of forms takes `+` for a space.
        return URLDecoder.decode(word.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
}
