//! What `--format` takes, and what it says about what it cannot take.

use logretry_format::{Format, SpecError};

fn names(format: &Format) -> Vec<&str> {
    format.fields().map(|(name, _)| name).collect()
}

fn compiled(spec: &str) -> Format {
    Format::compile(spec).unwrap_or_else(|error| panic!("cannot read the format `{spec}`: {error}"))
}

fn refusal(spec: &str) -> String {
    Format::compile(spec).expect_err(spec).to_string()
}

#[test]
fn a_pasted_format_is_the_same_with_and_without_its_directive() {
    for spec in [
        "log_format main '$remote_addr \"$request\" $status';",
        "  log_format main '$remote_addr '\n      '\"$request\" $status' ;\n",
        "log_format main escape=default \"$remote_addr \\\"$request\\\" $status\";",
        "'$remote_addr \"$request\" $status';",
        "'$remote_addr ' '\"$request\" ' '$status'",
        "$remote_addr \"$request\" $status",
        "nginx:$remote_addr \"$request\" $status",
        "nginx:log_format main '${remote_addr} \"${request}\" ${status}';",
    ] {
        let format = compiled(spec);
        let name = format.name().replace("${", "$").replace('}', "");
        assert_eq!(name, "nginx:'$remote_addr \"$request\" $status'", "{spec}");
    }
    for spec in [
        "LogFormat \"%h \\\"%r\\\" %>s\" short",
        "LogFormat \"%h \\\"%r\\\" %>s\"",
        "LogFormat '%h \"%r\" %>s' short",
        "\"%h \\\"%r\\\" %>s\" short",
        "\"%h \\\"%r\\\" %>s\"",
        "%h \\\"%r\\\" %>s",
        "%h \"%r\" %>s",
        "apache:%h \"%r\" %>s",
    ] {
        assert_eq!(compiled(spec).name(), "apache:\"%h \\\"%r\\\" %>s\"", "{spec}");
    }
    for spec in ["access_log_format = '%(h)s \"%(r)s\" %(s)s'", "%(h)s \"%(r)s\" %(s)s"] {
        assert_eq!(compiled(spec).name(), "gunicorn:'%(h)s \"%(r)s\" %(s)s'", "{spec}");
    }
}

#[test]
fn the_name_reads_back_as_the_same_format() {
    for spec in [
        "\"$request\" $status",
        "log_format x escape=json '{\"r\":\"$request\",\"s\":$status,\"q\":\"it\\'s\\\\ \\t\"}';",
        "log_format x escape=none '$status\\t$request\\n';",
        "nginx:'100% $status $request_uri'",
        "\"%r\" %>s %b",
        "LogFormat \"%t\\t%m\\t%U\\t%q\\t%>s \\\\\\\\ 100%%\" tabs",
        "apache:%r %>s $5",
        "combined",
        "main",
    ] {
        let format = compiled(spec);
        let again = compiled(format.name());
        assert_eq!(again.name(), format.name(), "{spec}");
        assert_eq!(names(&again), names(&format), "{spec}");
        assert!(!format.name().contains('\n'));
        assert_eq!(again.around_status(), format.around_status(), "{spec}");
    }
}

#[test]
fn every_letter_of_the_apache_manual_is_known() {
    let format = compiled(
        "%a %{c}a %A %B %b %{X}C %D %{X}e %f %h %H %{X}i %k %l %L %{c}L %m %{X}n %{X}o %p %{canonical}p %{local}p \
         %{remote}p %P %{tid}P %q %r %R %s %>s %t %{sec}t %{%d/%b/%Y %T}t.%{usec_frac}t %T %{ms}T %u %U %v %V %X %I %O %S \
         %{X}^ti %{X}^to %^FU %^FB %{X}x %{X}c %400,501{User-agent}i %!200,304,302{Referer}i %<s",
    );
    assert!(names(&format).contains(&"%!200,304,302{Referer}i"));
    assert!(format.notes().is_empty(), "`%>s` is there");
}

#[test]
fn what_is_missing_for_a_url_is_known_before_the_first_line() {
    let facts = |spec| {
        let format = compiled(spec);
        (format.has_host(), format.has_scheme(), format.has_method(), format.lossy().join(" "))
    };
    assert_eq!(facts("combined"), (false, false, true, String::new()));
    assert_eq!(facts("vhost_combined"), (true, true, true, String::new()));
    assert_eq!(facts("$scheme://$host$request_uri $status"), (true, true, false, String::new()));
    assert_eq!(facts("$host $uri $status"), (true, false, false, "path query".to_owned()));
    assert_eq!(facts("$uri$is_args$args $status"), (false, false, false, "path".to_owned()));
    assert_eq!(facts("%m %U%q %>s"), (false, false, true, "path".to_owned()));
    assert_eq!(facts("%m %U %>s"), (false, false, true, "path query".to_owned()));
    assert_eq!(facts("$uri \"$request\" $status"), (false, false, true, String::new()));
}

#[test]
fn a_status_that_an_internal_redirect_hides_is_pointed_out() {
    assert!(compiled("%r %s").notes()[0].contains("log `%>s`"));
    assert!(compiled("%r %s %>s").notes().is_empty());
}

#[test]
fn the_literals_around_the_status_are_known() {
    assert_eq!(compiled("combined").around_status(), (b"\" ".as_slice(), b" ".as_slice()));
    assert_eq!(compiled("$request\t$status").around_status(), (b"\t".as_slice(), b"".as_slice()));
}

/// Each line had to begin with the directive.
#[test]
fn a_format_is_pasted_with_whatever_is_around_it_in_the_configuration() {
    let name = |spec: &str| Format::compile(spec).map(|format| format.name().to_owned());
    let plain = name(r#"%h %t "%r" %>s"#);
    for spec in [
        r#"CustomLog logs/access_log "%h %t \"%r\" %>s""#,
        r#"CustomLog ${APACHE_LOG_DIR}/access.log "%h %t \"%r\" %>s" env=!dontlog"#,
        r#"CustomLog "|/usr/bin/rotatelogs access.%Y 86400" "%h %t \"%r\" %>s""#,
        r#"accesslog.format = "%h %t \"%r\" %>s""#,
    ] {
        assert_eq!(name(spec), plain, "{spec}");
    }
    assert_eq!(
        refusal("CustomLog logs/access_log combined"),
        "`CustomLog` needs a file and a string, or else paste the `LogFormat` that it names (byte 0)"
    );
    assert_eq!(
        name(r#"server.tomcat.accesslog.pattern=%h %t "%r" %s"#),
        name(r#"pattern="%h %t &quot;%r&quot; %s""#)
    );
}

/// Of the key of a `ConfigMap` each line had to begin with it.
#[test]
fn a_format_is_pasted_with_the_key_that_it_has_in_kubernetes() {
    let name = |spec: &str| Format::compile(spec).map(|format| format.name().to_owned());
    let plain = name(r#"$remote_addr [$time_local] "$request" $status"#).expect("a format");
    for spec in [
        r#"log-format-upstream: '$remote_addr [$time_local] "$request" $status'"#,
        r#"log-format-upstream: "$remote_addr [$time_local] \"$request\" $status""#,
        r#"log-format-upstream: $remote_addr [$time_local] "$request" $status"#,
        "log-format-upstream: >-\n    $remote_addr [$time_local]\n    \"$request\" $status\n",
        "  log-format-upstream: '$remote_addr [$time_local]\n    \"$request\" $status'\n",
    ] {
        assert_eq!(name(spec).as_deref(), Ok(&*plain), "{spec}");
    }
    let quoted = name(r#"log-format-upstream: "$request" $status "$http_user_agent""#);
    assert_eq!(quoted, name(r#""$request" $status "$http_user_agent""#));
    assert_eq!(name("http-log-format: '%ci [%tr] %ST %{+Q}r'"), name("%ci [%tr] %ST %{+Q}r"));
    let envoy = "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%";
    assert_eq!(name(&format!("accessLogFormat: \"{envoy}\\n\"")), name(envoy));
}

#[test]
fn a_spec_that_cannot_work_says_what_to_do() {
    for (spec, message) in [
        (
            "conbined",
            "there is no preset `conbined` (did you mean `combined`?); `logretry formats` lists them all",
        ),
        ("GET /a 200", "there is no field in it"),
        ("log_format x '';", "there is no field in it"),
        (
            "$request %>s",
            "it holds both `$request` (nginx) and `%>s` (Apache); begin it with `nginx:` or `apache:`",
        ),
        ("log_format x '$status", "the quote at byte 13 is never closed"),
        ("LogFormat \"%r %>s", "the quote at byte 10 is never closed"),
        ("log_format", "`log_format` needs a name, then strings (byte 0)"),
        ("LogFormat", "`LogFormat` needs a string (byte 0)"),
        (
            "log_format x escape=xml '$status';",
            "`log_format` needs `escape=` to be `default`, `json` or `none` (byte 13)",
        ),
        ("log_format x '$status'; server {", "`log_format` needs to be the only directive"),
        ("%h %r %>s %y", "`%y` at byte 10 is nothing that Apache can log"),
        ("nginx:$status $request ${x", "`${x` at byte 23 is nothing that nginx can log"),
        ("%(h)s %(zz)s", "`%(zz)s` at byte 6 is nothing that gunicorn can log"),
        ("%r %>s %{%c}t", "the time conversion `%c` at byte 7 is not supported"),
        ("$request", "it has no status; add `$status`"),
        ("%r", "it has no status; add `%>s`"),
        ("$remote_addr $status $args", "it has nothing to build a URL from; add `$request`, or"),
        ("%h %>s", "it has nothing to build a URL from; add `%r`, or"),
        ("$remote_user$request $status", "`$remote_user` and `$request` stand side by side at byte 12"),
        ("$uri$args $status", "`$uri` and `$args` stand side by side"),
        ("$status $request_uri$request_time", "`$request_uri` and `$request_time` stand side by side"),
        ("$request $status $bytes_sent$request_time", "`$bytes_sent` and `$request_time` stand side by side"),
    ] {
        let refusal = refusal(spec);
        assert!(refusal.contains(message), "{spec}: {refusal}");
    }
    assert!(matches!(Format::compile(&"$a ".repeat(30_000)), Err(SpecError::TooLong { .. })));
    assert!(matches!(Format::compile(&"$".repeat(60_000)), Err(SpecError::UnknownPreset { .. })));
}

#[test]
fn a_format_tells_whether_its_times_may_have_a_zone() {
    for (spec, has_zone) in [
        ("combined", true),
        ("haproxy", false),
        ("werkzeug", false),
        ("LogFormat \"%{%T}t %{%z}t %r %>s\"", true),
        ("regex:(?<time>\\S+) (?<request>[^|]*)\\|(?<status>\\d+)", true),
        ("uvicorn", true),
        ("json", true),
    ] {
        let format = Format::compile(spec).unwrap_or_else(|error| panic!("{spec}: {error}"));
        assert_eq!(format.has_zone(), has_zone, "{spec}");
        let is_noted = format.notes().iter().any(|note| note.contains("no zone"));
        assert_eq!(is_noted, !has_zone, "{spec}");
    }
}
