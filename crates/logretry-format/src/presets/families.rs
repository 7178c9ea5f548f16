//! Keyed logs whose producers have names of their own for things.

use super::{PLAIN, Preset};

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "caddy",
        aliases: &["caddy_json"],
        spec: "json:sign=.request.uri,sign=.request.proto,only=.logger^http.log.access,status=.status,time=.ts,target=.request.uri,\
               method=.request.method,host=.request.host,tls=.request.tls,duration_s=.duration,bytes=.size,\
               client=.request.client_ip,client=.request.remote_ip,client=.request.remote_addr,\
               user_agent=.request.headers.User-Agent,request_id=.request.headers.X-Request-Id,request_id=.uuid",
        about: "Caddy 2 (http.log.access); its lines of http.log.error tell of the same requests again and are passed over",
        example: r#"{"level":"error","ts":1795329862.1350799,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"203.0.113.9","proto":"HTTP/1.1","method":"GET","host":"shop.example","uri":"/a?b=c","headers":{"User-Agent":["curl/8.9"]}},"user_id":"","duration":0.000619931,"size":37,"status":502,"resp_headers":{"Server":["Caddy"]}}"#,
        ..PLAIN
    },
    Preset {
        name: "traefik",
        aliases: &["traefik_json"],
        spec: "json:sign=.DownstreamStatus,status=.DownstreamStatus,time=.StartUTC,time=.StartLocal,time=.time,target=.RequestPath,\
               method=.RequestMethod,host=.RequestAddr,host=.RequestHost,scheme=.RequestScheme,duration_ns=.Duration,\
               bytes=.DownstreamContentSize,client=.ClientHost,client=.ClientAddr,user_agent=.request_User-Agent,\
               request_id=.request_X-Request-Id",
        about: "Traefik's access log in JSON",
        notes: &[
            "Traefik drops query parameters from it where its configuration says so (accessLog.fields.queryParameters)",
        ],
        example: r#"{"ClientHost":"203.0.113.9","DownstreamContentSize":11,"DownstreamStatus":502,"Duration":357313,"OriginStatus":0,"RequestAddr":"shop.example:8443","RequestHost":"shop.example","RequestMethod":"GET","RequestPath":"/a?b=c","RequestProtocol":"HTTP/1.1","RequestScheme":"https","RetryAttempts":1,"StartUTC":"2026-11-22T06:22:52.587782192Z","level":"info","msg":"","time":"2026-11-22T06:22:52Z"}"#,
        ..PLAIN
    },
    Preset {
        name: "cloudflare",
        aliases: &["logpush"],
        spec: "json:sign=.EdgeResponseStatus,status=.EdgeResponseStatus,time=.EdgeStartTimestamp,time=.EdgeEndTimestamp,\
               target=.ClientRequestURI,decoded_path=.ClientRequestPath,method=.ClientRequestMethod,host=.ClientRequestHost,\
               scheme=.ClientRequestScheme,bytes=.EdgeResponseBytes,client=.ClientIP,user_agent=.ClientRequestUserAgent,request_id=.RayID",
        about: "Cloudflare Logpush, HTTP requests",
        example: r#"{"ClientIP":"203.0.113.9","ClientRequestHost":"shop.example","ClientRequestMethod":"GET","ClientRequestScheme":"https","ClientRequestURI":"/a?b=c","ClientRequestUserAgent":"curl/8.9","EdgeResponseBytes":12480,"EdgeResponseStatus":522,"EdgeStartTimestamp":"2026-11-22T06:22:52Z","OriginResponseStatus":0,"RayID":"87a1b2c3d4e5f001"}"#,
        ..PLAIN
    },
    Preset {
        name: "gcp",
        aliases: &["gcp_lb", "google"],
        spec: "json:sign=.httpRequest.requestUrl,status=.httpRequest.status,time=.timestamp,time=.receiveTimestamp,\
               url=.httpRequest.requestUrl,method=.httpRequest.requestMethod,duration_s=.httpRequest.latency,\
               bytes=.httpRequest.responseSize,client=.httpRequest.remoteIp,user_agent=.httpRequest.userAgent,request_id=.insertId",
        about: "Google Cloud's load balancers and services (httpRequest)",
        example: r#"{"httpRequest":{"latency":"0.120s","remoteIp":"203.0.113.9","requestMethod":"GET","requestUrl":"https://shop.example/a?b=c","responseSize":"488","status":502,"userAgent":"curl/8.9"},"insertId":"1oek5rg3l3fxj7","jsonPayload":{"statusDetails":"failed_to_pick_backend"},"timestamp":"2026-11-22T06:22:52.587782Z"}"#,
        ..PLAIN
    },
    Preset {
        name: "azure_appgw",
        aliases: &["azure_application_gateway"],
        spec: "json:sign=.properties.requestUri,sign=.properties.httpStatus,status=.properties.httpStatus,time=.timeStamp,time=.time,\
               path=.properties.originalRequestUriWithArgs,path=.properties.requestUri,query=.properties.requestQuery,\
               method=.properties.httpMethod,host=.properties.originalHost,host=.properties.host,\
               tls=.properties.sslEnabled,tls=.properties.sslProtocol,bytes=.properties.sentBytes,client=.properties.clientIP,\
               user_agent=.properties.userAgent,request_id=.properties.transactionId",
        about: "Azure Application Gateway; parameters that it adds to the query itself are left out",
        example: r#"{"timeStamp":"2026-11-22T06:22:52+00:00","category":"ApplicationGatewayAccessLog","properties":{"instanceId":"appgw_1","clientIP":"203.0.113.9","httpMethod":"GET","requestUri":"/a","requestQuery":"b=c&X-AzureApplicationGateway-CACHE-HIT=0&SERVER-ROUTED=10.4.0.6&SERVER-STATUS=502","userAgent":"curl/8.9","httpStatus":502,"httpVersion":"HTTP/1.1","sentBytes":553,"timeTaken":0.205,"host":"shop.example","originalHost":"shop.example"}}"#,
        ..PLAIN
    },
    Preset {
        name: "azure_frontdoor",
        aliases: &["azure_fd"],
        spec: "json:sign=.properties.requestUri,sign=.properties.httpStatusCode,status=.properties.httpStatusCode,time=.time,\
               url=.properties.requestUri,method=.properties.httpMethod,duration_s=.properties.timeTaken,\
               bytes=.properties.responseBytes,client=.properties.clientIp,user_agent=.properties.userAgent,\
               request_id=.properties.trackingReference",
        about: "Azure Front Door",
        example: r#"{"time":"2026-11-22T06:22:52.5877821Z","category":"FrontDoorAccessLog","properties":{"trackingReference":"0tqmH","httpMethod":"GET","requestUri":"https://shop.example:443/a?b=c","responseBytes":"430","userAgent":"curl/8.9","clientIp":"203.0.113.9","timeTaken":"0.205","httpStatusCode":"503"}}"#,
        ..PLAIN
    },
    Preset {
        name: "har",
        aliases: &[],
        spec: "json:sign=.startedDateTime,sign=.request.url,sign=.response.status,status=.response.status,time=.startedDateTime,\
               url=.request.url,method=.request.method,duration_ms=.time,bytes=.response.bodySize,bytes=.response.content.size",
        about: "HAR files, as browsers and proxies save them: with headers and bodies, so that a POST can be sent again; the retry log has one \
                entry a line, without these",
        example: r#"{"startedDateTime":"2026-11-22T06:22:52.123Z","time":1002.0,"request":{"method":"GET","url":"https://shop.example/a?b=c"},"response":{"status":502,"bodySize":157}}"#,
        ..PLAIN
    },
    Preset {
        name: "gor",
        aliases: &["goreplay"],
        spec: "json:sign=.gor,status=.status,time=.time,target=.target,method=.method,host=.host,duration_ns=.duration_ns,bytes=.bytes,\
               request_id=.gor",
        about: "captures of GoReplay (.gor) that hold requests and their responses: with headers and bodies, so that a POST can be sent again; \
                the retry log has one exchange a line, without these",
        example: r#"{"gor":"5c0ffee5c0ffee5c0ffee5c0","time":1795329862135079900,"method":"GET","host":"shop.example","target":"/a?b=c","status":502,"duration_ns":1002000000,"bytes":157}"#,
        ..PLAIN
    },
    Preset {
        name: "envoy_json",
        aliases: &["istio_json"],
        spec: "json:sign=.response_code,sign=.response_flags,status=.response_code,time=.start_time,time=.timestamp,\
               target=.x-envoy-original-path,target=.x-envoy-origin-path,target=.original_path,target=.path,\
               method=.method,method=.request_method,host=.:authority,host=.requested_authority,\
               scheme=.x-forwarded-proto,scheme=.scheme,duration_ms=.duration,bytes=.bytes_sent,client=.x-forwarded-for,\
               client=.downstream_remote_address,user_agent=.user-agent,request_id=.x-request-id,response_flags=.response_flags,\
               response_code_details=.response_code_details,upstream_service_time=.upstream_service_time,\
               upstream_service_time=.x-envoy-upstream-service-time,upstream_request_attempt_count=.upstream_request_attempt_count",
        about: "Envoy and Istio in JSON",
        example: r#"{":authority":"shop.example","bytes_sent":154,"downstream_remote_address":"10.0.0.12:59292","duration":11,"method":"GET","protocol":"HTTP/2","response_code":503,"response_flags":"UF","start_time":"2026-11-22T06:22:52.479Z","upstream_host":null,"user-agent":"curl/8.9","x-envoy-original-path":"/a?b=c","x-forwarded-for":"203.0.113.9","x-request-id":"3bbc0252-2d5c-49fe-bd89-104e9b61770b"}"#,
        ..PLAIN
    },
    Preset {
        name: "apigateway",
        aliases: &["aws_apigateway"],
        spec: "json:sign=.httpMethod,sign=.requestId,status=.status,time=.requestTime,time=.requestTimeEpoch,path=.path,\
               query=.queryString,query=.rawQueryString,template=.resourcePath,template=.routeKey,method=.httpMethod,\
               host=.domainName,duration_ms=.responseLatency,bytes=.responseLength,client=.ip,client=.sourceIp,\
               user_agent=.userAgent,request_id=.requestId",
        about: "Amazon API Gateway; it has no variable for the query, and its example formats log templates in place of paths",
        example: r#"{"requestId":"0b2c","ip":"203.0.113.9","requestTime":"22/Nov/2026:06:22:52 +0000","httpMethod":"GET","resourcePath":"/pets/{id}","status":"502","protocol":"HTTP/1.1","responseLength":"36"}"#,
        notes: &[
            "it logs no query, and `resourcePath` and `routeKey` are templates; log `$context.path` as `path`",
        ],
        ..PLAIN
    },
    Preset {
        name: "tower_http_json",
        aliases: &["axum_json"],
        spec: "json:sign=.span.uri,sign=.fields.status,only=.target^tower_http::trace::on_response,status=.fields.status,time=.timestamp,\
               target=.span.uri,method=.span.method",
        about: "the TraceLayer of tower-http (axum, tonic), as tracing-subscriber writes JSON",
        example: r#"{"timestamp":"2026-11-22T06:22:52.587782Z","level":"DEBUG","fields":{"message":"finished processing request","latency":"0 ms","status":502},"target":"tower_http::trace::on_response","span":{"method":"GET","uri":"/a?b=c","version":"HTTP/1.1","name":"request"},"spans":[{"method":"GET","uri":"/a?b=c","version":"HTTP/1.1","name":"request"}]}"#,
        ..PLAIN
    },
    Preset {
        name: "heroku",
        aliases: &["heroku_router"],
        spec: "logfmt:sign=dyno,sign=fwd,status=status,time=(time),target=path,method=method,host=host,scheme=protocol,\
               duration_ms=service,bytes=bytes,client=fwd,request_id=request_id",
        about: "Heroku's router",
        example: r#"2026-11-22T06:22:52.587782+00:00 heroku[router]: at=error code=H12 desc="Request timeout" method=GET path="/a?b=c" host=shop.example request_id=8601b555-6a83-4c12-8269-97c8e32cdb22 fwd="203.0.113.9" dyno=web.1 connect= service=30000ms status=503 bytes=0 protocol=https"#,
        ..PLAIN
    },
    Preset {
        name: "cloudfront",
        aliases: &[],
        spec: "w3c:date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) \
               cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken \
               x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status \
               fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len \
               sc-range-start sc-range-end",
        about: "Amazon CloudFront's standard log; its `#Fields:` line may say otherwise",
        example: "2026-11-22\t06:22:52\tCDG50-P2\t703\t203.0.113.9\tGET\td111111abcdef8.cloudfront.net\t/a\t502\t-\tcurl/8.9\tb=c\t-\tError\t375WZmnR4==\tshop.example\thttps\t62\t0.113\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tError\tHTTP/2.0\t-\t-\t51754\t0.113\tOriginDnsError\ttext/html\t20\t-\t-",
        ..PLAIN
    },
    Preset {
        name: "w3c",
        aliases: &["iis", "w3c_extended"],
        spec: "#Fields:",
        about: "W3C extended logs (IIS and others): the `#Fields:` line before the lines says what is in them",
        example: "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n2026-11-22 06:22:52 192.0.2.1 GET /a b=c 443 - 203.0.113.9 curl/8.9 - 503 0 0 123",
        ..PLAIN
    },
];
