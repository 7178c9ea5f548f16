//! Formats out of configuration files.

use logretry_format::Format;

fn named(text: &str, name: Option<&str>) -> String {
    Format::from_config(text, name).map_or_else(|error| error.to_string(), |format| format.name().to_owned())
}

const NGINX: &str = r#"
    user www-data; # log_format no '$status';
    http {
        map $status $loud { ~^5 1; default 0; }
        log_format main escape=json '{"r":"$request",' # the request; as sent
            '"s":$status}';
        log_format "short" '$request ; ${status}';
        access_log /var/log/nginx/a#b.log main;
    }"#;

#[test]
fn a_format_is_found_among_other_directives() {
    assert_eq!(named(NGINX, Some("main")), r#"nginx:escape=json '{"r":"$request","s":$status}'"#);
    assert_eq!(named(NGINX, Some("short")), "nginx:'$request ; ${status}'");
    assert_eq!(
        named(NGINX, None),
        "the configuration has several formats: `main`, `short`; choose one by its name"
    );
    assert_eq!(named(NGINX, Some("long")), "the configuration has no format `long`; it has `main`, `short`");
    assert_eq!(named("events { }", None), named("events { }", Some("x")));
}

#[test]
fn apache_haproxy_and_gunicorn_have_a_line_each() {
    let apache = "# LogFormat \"%s\" no\nLogFormat \"%v %r \\\n%>s\" vhost\nlogformat \"%r %>s\" common\n";
    assert_eq!(named(apache, Some("vhost")), "apache:\"%v %r %>s\"");
    assert_eq!(named(apache, Some("common")), "apache:\"%r %>s\"");
    let haproxy = "defaults\n  option httplog\nfrontend fe # x\n  log-format \"%ci [%tr] %ST %{+Q}r\" # ours\nlisten in\n  option httplog clf\n";
    assert_eq!(named(haproxy, Some("fe")), "haproxy:\"%ci [%tr] %ST %{+Q}r\"");
    assert_eq!(named(haproxy, Some("defaults")), "haproxy");
    assert_eq!(named(haproxy, Some("in")), "haproxy_clf");
    assert_eq!(named("workers = 4\naccess_log_format = '%(r)s %(s)s'\n", None), "gunicorn:'%(r)s %(s)s'");
}
