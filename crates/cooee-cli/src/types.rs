//! Well-known service types and what they are in plain words.
//!
//! The names are from the Service Name and Transport Protocol Port Number Registry of IANA
//! (<https://www.iana.org/assignments/service-names-port-numbers>); the words beside them are ours. A type that is
//! not here is just as good: the table only serves bare words (`http`), titles and guesses.

use crate::nearest::nearest;

/// One well-known type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WellKnown {
    /// As it stands on the wire, such as `_http._tcp`.
    pub(crate) wire: &'static str,
    /// What it is, for people.
    pub(crate) title: &'static str,
}

impl WellKnown {
    /// The bare word: `http` of `_http._tcp`.
    pub(crate) fn word(&self) -> &'static str {
        self.wire
            .split('.')
            .next()
            .unwrap_or_default()
            .trim_start_matches('_')
    }
}

/// Everything in the table, sorted by wire name.
pub(crate) fn all() -> &'static [WellKnown] {
    TABLE
}

/// The plain words for a type such as `_http._tcp`, if it is well known.
pub(crate) fn title(wire: &str) -> Option<&'static str> {
    all()
        .iter()
        .find(|known| known.wire.eq_ignore_ascii_case(wire))
        .map(|known| known.title)
}

/// Every type that a bare word may mean.
pub(crate) fn by_word(word: &str) -> impl Iterator<Item = &'static WellKnown> {
    all()
        .iter()
        .filter(move |known| known.word().eq_ignore_ascii_case(word))
}

/// The well-known type whose word is most like this one.
pub(crate) fn nearest_word(word: &str) -> Option<&'static str> {
    nearest(word, all().iter().map(WellKnown::word))
}

const fn known(wire: &'static str, title: &'static str) -> WellKnown {
    WellKnown { wire, title }
}

#[rustfmt::skip]
const TABLE: &[WellKnown] = &[
    known("_adisk._tcp", "Time Machine Disk"),
    known("_afpovertcp._tcp", "Apple File Sharing"),
    known("_airplay._tcp", "AirPlay Display"),
    known("_airport._tcp", "AirPort Base Station"),
    known("_bitcoin._tcp", "Bitcoin Node"),
    known("_caldav._tcp", "Calendar"),
    known("_caldavs._tcp", "Calendar (secure)"),
    known("_carddav._tcp", "Address Book"),
    known("_carddavs._tcp", "Address Book (secure)"),
    known("_coap._udp", "CoAP Device"),
    known("_coaps._udp", "CoAP Device (secure)"),
    known("_companion-link._tcp", "Apple Companion"),
    known("_daap._tcp", "Music Library (DAAP)"),
    known("_device-info._tcp", "Device Information"),
    known("_distcc._tcp", "Distributed Compiler"),
    known("_dns-update._udp", "DNS Update"),
    known("_domain._udp", "DNS Server"),
    known("_dpap._tcp", "Photo Library (DPAP)"),
    known("_eppc._tcp", "Remote Apple Events"),
    known("_etcd-server._tcp", "etcd Server"),
    known("_ftp._tcp", "File Transfer"),
    known("_git._tcp", "Git Repository"),
    known("_googlecast._tcp", "Google Cast"),
    known("_hap._tcp", "HomeKit Accessory"),
    known("_hap._udp", "HomeKit Accessory (Thread)"),
    known("_home-assistant._tcp", "Home Assistant"),
    known("_home-sharing._tcp", "Home Sharing"),
    known("_homekit._tcp", "HomeKit Hub"),
    known("_http._tcp", "Web Site"),
    known("_https._tcp", "Web Site (secure)"),
    known("_imap._tcp", "Mail Access"),
    known("_imaps._tcp", "Mail Access (secure)"),
    known("_ipp._tcp", "Internet Printing"),
    known("_ipps._tcp", "Internet Printing (secure)"),
    known("_irc._tcp", "Internet Relay Chat"),
    known("_kerberos._tcp", "Kerberos"),
    known("_kerberos._udp", "Kerberos"),
    known("_ldap._tcp", "Directory (LDAP)"),
    known("_ldaps._tcp", "Directory (LDAP, secure)"),
    known("_matter._tcp", "Matter Device"),
    known("_matterc._udp", "Matter Device to Set Up"),
    known("_matterd._udp", "Matter Commissioner"),
    known("_meshcop._udp", "Thread Border Router"),
    known("_mqtt._tcp", "MQTT Broker"),
    known("_mumble._tcp", "Mumble Voice Chat"),
    known("_mysql._tcp", "MySQL Database"),
    known("_net-assistant._udp", "Apple Remote Desktop"),
    known("_nfs._tcp", "File Sharing (NFS)"),
    known("_ntp._udp", "Time Server"),
    known("_nut._tcp", "Power Supply Monitor"),
    known("_pdl-datastream._tcp", "Raw Printing"),
    known("_pop3._tcp", "Mail Pick-up"),
    known("_postgresql._tcp", "PostgreSQL Database"),
    known("_presence._tcp", "Link-local Chat"),
    known("_printer._tcp", "Printing (LPR)"),
    known("_privet._tcp", "Cloud Device Set-up"),
    known("_ptp._tcp", "Camera (PTP)"),
    known("_pulse-server._tcp", "PulseAudio Sound Server"),
    known("_pulse-sink._tcp", "PulseAudio Output"),
    known("_pulse-source._tcp", "PulseAudio Input"),
    known("_raop._tcp", "AirPlay Audio"),
    known("_rfb._tcp", "Remote Desktop (VNC)"),
    known("_riousbprint._tcp", "Printing (AirPort)"),
    known("_rsync._tcp", "Rsync"),
    known("_rtsp._tcp", "Media Stream"),
    known("_scanner._tcp", "Scanner"),
    known("_sftp-ssh._tcp", "File Transfer (SSH)"),
    known("_sip._tcp", "Telephone (SIP)"),
    known("_sip._udp", "Telephone (SIP)"),
    known("_sleep-proxy._udp", "Sleep Proxy"),
    known("_smb._tcp", "File Sharing (SMB)"),
    known("_smtp._tcp", "Mail Server"),
    known("_sonos._tcp", "Sonos Speaker"),
    known("_spotify-connect._tcp", "Spotify Connect"),
    known("_ssh._tcp", "Remote Shell (SSH)"),
    known("_svn._tcp", "Subversion Repository"),
    known("_syslog._udp", "System Log"),
    known("_telnet._tcp", "Remote Shell (Telnet)"),
    known("_tftp._udp", "Trivial File Transfer"),
    known("_touch-able._tcp", "Apple Remote"),
    known("_uscan._tcp", "Scanner (eSCL)"),
    known("_uscans._tcp", "Scanner (eSCL, secure)"),
    known("_webdav._tcp", "Web Folder"),
    known("_webdavs._tcp", "Web Folder (secure)"),
    known("_workstation._tcp", "Workstation"),
    known("_xmpp-client._tcp", "Chat Server for Clients (XMPP)"),
    known("_xmpp-server._tcp", "Chat Server (XMPP)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_without_doubles_and_well_formed() {
        for pair in all().windows(2) {
            if let [a, b] = pair {
                assert!(a.wire < b.wire, "{} before {}", a.wire, b.wire);
            }
        }
        for known in all() {
            assert!(known.wire.starts_with('_'));
            assert!(
                known.wire.ends_with("._tcp") || known.wire.ends_with("._udp"),
                "{}",
                known.wire
            );
            assert!(!known.title.is_empty());
            // Shells quote them so.
            assert!(!known.title.contains('\''));
        }
    }

    #[test]
    fn titles_are_found_in_any_case() {
        assert_eq!(title("_IPP._tcp"), Some("Internet Printing"));
        assert_eq!(title("_no-such._tcp"), None);
    }

    #[test]
    fn a_word_may_mean_two_types() {
        assert_eq!(
            by_word("http").map(|known| known.wire).collect::<Vec<_>>(),
            ["_http._tcp"]
        );
        assert_eq!(by_word("hap").count(), 2);
        assert_eq!(by_word("nothing-such").count(), 0);
    }
}
