//! Who may ask. The page is for one user of this machine; other users, other programs and other sites' pages are not let in.
//!
//! What is on the local link is nobody's secret, but whoever can read the page could use it to look into a network
//! that he is not on: any web site open in the same browser, by way of DNS rebinding.

use axum::http::header::{COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method, StatusCode, Uri};

/// The secret of this run, and the port, by which names are judged.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    token: String,
    port: u16,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is answered.
    Welcome,
    /// It brings the token: it gets a cookie for it, and the page without the token in its address.
    Arrival,
    /// It is refused, with one sentence.
    Refused(StatusCode, &'static str),
}

impl Guard {
    /// A guard with a token that nobody can guess: 128 bits.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub(crate) fn new(port: u16) -> Result<Self, getrandom::Error> {
        let mut octets = [0; 16];
        getrandom::fill(&mut octets)?;
        let token = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        Ok(Self { token, port })
    }

    /// The address that lets one in.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/?token={}", self.port, self.token)
    }

    /// What a browser keeps instead of the token. Cookies ignore ports, so the port is in the name: two runs do not disturb each other.
    pub(crate) fn cookie(&self) -> String {
        format!(
            "{}={}; Path=/; HttpOnly; SameSite=Strict",
            self.cookie_name(),
            self.token
        )
    }

    fn cookie_name(&self) -> String {
        format!("cooee-{}", self.port)
    }

    /// Judges a request by all but its path.
    pub(crate) fn judge(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Verdict {
        let refused = |status, why| Verdict::Refused(status, why);
        if method != Method::GET {
            return refused(
                StatusCode::METHOD_NOT_ALLOWED,
                "Only GET is answered here.\n",
            );
        }
        // A page of another site that had its name point here would send that name.
        if !one(headers, HOST.as_str()).is_some_and(|host| self.is_own(host)) {
            return refused(
                StatusCode::MISDIRECTED_REQUEST,
                "This is not the host that was asked for; use the address that cooee printed.\n",
            );
        }
        let origins = headers.get_all(ORIGIN).iter().count();
        let is_same = one(headers, ORIGIN.as_str())
            .and_then(|origin| origin.strip_prefix("http://"))
            .is_some_and(|host| self.is_own(host));
        if origins > 0 && !is_same {
            return refused(
                StatusCode::FORBIDDEN,
                "Pages of other sites are not answered.\n",
            );
        }
        if let Some(token) = token(uri) {
            return match equal(token, &self.token) {
                true if uri.path() == "/" => Verdict::Arrival,
                true | false => refused(
                    StatusCode::FORBIDDEN,
                    "This is not the token of this run; use the address that cooee printed.\n",
                ),
            };
        }
        if self.has_cookie(headers) {
            Verdict::Welcome
        } else {
            refused(
                StatusCode::FORBIDDEN,
                "The token is missing; use the address that cooee printed.\n",
            )
        }
    }

    fn is_own(&self, host: &str) -> bool {
        let Some((name, port)) = host.rsplit_once(':') else {
            return false;
        };
        matches!(name, "127.0.0.1" | "localhost") && port == self.port.to_string()
    }

    fn has_cookie(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie_name();
        let texts = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        texts
            .flat_map(|text| text.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(key, value)| key == name && equal(value, &self.token))
    }
}

/// The value of a header that must not stand twice.
fn one<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn token(uri: &Uri) -> Option<&str> {
    uri.query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
}

/// Compares in a time that does not tell how much was right.
fn equal(a: &str, b: &str) -> bool {
    let differing = a
        .bytes()
        .zip(b.bytes())
        .fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard {
            token: "5ecret".into(),
            port: 4711,
        }
    }

    fn judge(uri: &str, headers: &[(&'static str, &str)]) -> Verdict {
        judge_method(&Method::GET, uri, headers)
    }

    fn judge_method(method: &Method, uri: &str, headers: &[(&'static str, &str)]) -> Verdict {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        guard().judge(method, &uri.parse().unwrap(), &map)
    }

    fn is_refused(verdict: Verdict, status: u16) -> bool {
        matches!(verdict, Verdict::Refused(code, _) if code.as_u16() == status)
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:4711");
    const COOKIE: (&str, &str) = ("cookie", "a=b; cooee-4711=5ecret");

    #[test]
    fn the_token_buys_a_cookie_and_the_cookie_lets_in() {
        assert_eq!(judge("/?token=5ecret", &[HOST]), Verdict::Arrival);
        assert_eq!(judge("/", &[HOST, COOKIE]), Verdict::Welcome);
        let named = ("host", "localhost:4711");
        assert_eq!(judge("/events", &[named, COOKIE]), Verdict::Welcome);
        assert_eq!(
            guard().cookie(),
            "cooee-4711=5ecret; Path=/; HttpOnly; SameSite=Strict"
        );
    }

    #[test]
    fn without_token_or_cookie_nobody_gets_in() {
        for (uri, cookie) in [
            ("/", ""),
            ("/?token=", ""),
            ("/?token=5ecre", ""),
            ("/?token=5ecret2", ""),
            // A wrong token is refused even beside the right cookie.
            ("/?token=wrong", "cooee-4711=5ecret"),
            ("/events?token=5ecret", ""),
            ("/", "cooee-4711=5ecret2"),
            ("/", "cooee-4712=5ecret"),
            ("/", "cooee-4711="),
        ] {
            let verdict = judge(uri, &[HOST, ("cookie", cookie)]);
            assert!(is_refused(verdict, 403), "{uri} {cookie}: {verdict:?}");
        }
    }

    #[test]
    fn other_names_for_this_machine_are_refused() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:4712",
            "evil.example:4711",
            "localhost.evil.example:4711",
            "[::1]:4711",
            "127.0.0.1:4711:4711",
            "",
        ] {
            let verdict = judge("/", &[("host", host), COOKIE]);
            assert!(is_refused(verdict, 421), "{host}: {verdict:?}");
        }
        assert!(is_refused(judge("/", &[COOKIE]), 421));
        assert!(is_refused(judge("/", &[HOST, HOST, COOKIE]), 421));
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let same = ("origin", "http://127.0.0.1:4711");
        assert_eq!(judge("/events", &[HOST, COOKIE, same]), Verdict::Welcome);
        for origin in [
            "http://evil.example",
            "http://127.0.0.1:80",
            "https://127.0.0.1:4711",
            "null",
            "",
        ] {
            let verdict = judge("/events", &[HOST, COOKIE, ("origin", origin)]);
            assert!(is_refused(verdict, 403), "{origin}: {verdict:?}");
        }
        let verdict = judge(
            "/",
            &[HOST, COOKIE, same, ("origin", "http://evil.example")],
        );
        assert!(is_refused(verdict, 403));
    }

    #[test]
    fn nothing_but_get_is_answered() {
        for method in [Method::POST, Method::HEAD, Method::OPTIONS, Method::PUT] {
            let verdict = judge_method(&method, "/", &[HOST, COOKIE]);
            assert!(is_refused(verdict, 405), "{method}: {verdict:?}");
        }
    }

    #[test]
    fn a_token_has_128_bits_and_is_another_each_time() {
        let (one, two) = (Guard::new(1).unwrap(), Guard::new(1).unwrap());
        assert_eq!(one.token.len(), 32);
        assert_ne!(one.token, two.token);
        assert_eq!(
            one.url(),
            format!("http://127.0.0.1:1/?token={}", one.token)
        );
    }
}
