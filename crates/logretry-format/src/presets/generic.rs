//! Keyed logs in the names that most producers use.

use super::{PLAIN, Preset};

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        name: "ltsv",
        aliases: &[],
        spec: "ltsv:status=status,request=req,request=request,target=request_uri,uri=uri,url=url,decoded_path=path,query=query,\
               query=args,query=query_string,method=method,method=request_method,host=vhost,host=http_host,host=domain,server_name=server_name,\
               scheme=scheme,scheme=x_forwarded_proto,time=time,time=time_local,time=time_iso8601,time=timestamp,\
               duration_us=reqtime_microsec,duration_s=reqtime,duration_s=request_time,duration_s=taken_sec,\
               duration_s=response_time,bytes=size,bytes=body_bytes_sent,bytes=bytes_sent,client=remote_addr,client=host,\
               user_agent=ua,user_agent=http_user_agent,request_id=reqid,request_id=req_id,request_id=request_id",
        about: "labelled tab-separated values (ltsv.org): `host` is the client there, unless `remote_addr` stands beside it, and `vhost` the host",
        example: "time:2026-11-22T06:22:52+00:00\thost:203.0.113.9\treq:GET /a?b=c HTTP/1.1\tstatus:502\tsize:157\tua:curl/8.9\treqtime:1.002\tvhost:shop.example\tscheme:https",
        ..PLAIN
    },
    Preset {
        name: "logfmt",
        aliases: &["lograge"],
        spec: "logfmt:status=status,status=status_code,status=http.status_code,status=http.response.status_code,request=request,\
               target=request_uri,target=target,uri=uri,url=url,decoded_path=path,query=query,query=query_string,query=args,\
               method=method,method=http_method,method=http.request.method,method=request_method,host=http_host,host=vhost,\
               host_or_machine=host,scheme=scheme,scheme=protocol,scheme=proto,time=time,time=ts,time=timestamp,time=t,\
               duration_ms=duration_ms,duration_ms=latency_ms,duration_ms=elapsed_ms,duration_ms=took_ms,duration_s=request_time,\
               duration_us=duration_us,duration_ns=duration_ns,\
               bytes=bytes,bytes=size,bytes=bytes_sent,bytes=bytes_out,client=remote_addr,client=remote_ip,client=client_ip,client=client,\
               client=ip,client=remote,user_agent=user_agent,user_agent=ua,request_id=request_id,request_id=req_id,request_id=trace_id",
        about: "`key=value` pairs, as Go services and lograge write them",
        example: r#"time=2026-11-22T06:22:52Z level=error msg="request failed" method=GET uri="/a?b=c" status=502 bytes=157 duration_ms=12 remote_ip=203.0.113.9 request_id="#,
        ..PLAIN
    },
    Preset {
        name: "json",
        aliases: &["ndjson"],
        spec: "json:\
               status=.status,status=.status_code,status=.http.response.status_code,status=.http.status_code,status=.http_status,\
               status=.http_status_code,status=.response.status,status=.response.status_code,status=.response.code,status=.response_status,\
               status=.response_status_code,status=.response_code,status=.resp_status,status=.resp.status,status=.resp.status_code,\
               status=.res.status,status=.res.status_code,status=.sc-status,status=.elb_status_code,status=.http.status,\
               status=.httpRequest.status,status=.properties.httpStatus,status=.properties.httpStatusCode,\
               status=.attributes.http.response.status_code,status=.attributes.http.status_code,status=.code,status=.api.status_code,status=.lb_status_code,status=.s,\
               status=.meta.res.status_code,\
               request=.request,request=.request_line,request=.req,request=.r,request=.http_request,\
               target=.request_uri,target=.original_uri,target=.url.original,target=.http.target,target=.attributes.http.target,\
               target=.request.target,target=.target,\
               uri=.uri,uri=.u,target=.request.uri,target=.req.uri,target=.req.originalUrl,\
               target=.meta.req.original_url,\
               url=.url,url=.url.full,url=.http.url,url=.request_url,url=.request.url,url=.req.url,url=.full_url,url=.http.request.url,\
               url=.attributes.url.full,url=.attributes.http.url,url=.httpRequest.requestUrl,url=.properties.requestUri,url=.cs-uri,url=.meta.req.url,\
               decoded_path=.req_path,path=.url.path,path=.attributes.url.path,path=.raw_path,path=.requestContext.http.path,\
               decoded_path=.path,decoded_path=.request_path,decoded_path=.request.path,decoded_path=.req.path,decoded_path=.uri_path,\
               decoded_path=.url_path,decoded_path=.http.path,decoded_path=.document_uri,decoded_path=.cs-uri-stem,\
               query=.query,query=.args,query=.query_string,query=.url.query,query=.attributes.url.query,query=.raw_query_string,query=.uri_query,\
               query=.request.query,query=.request.query_string,query=.req.query,query=.request_query,query=.cs-uri-query,query=.query_str,query=.q,\
               method=.method,method=.req_method,method=.request_method,method=.http_method,method=.http.request.method,method=.http.method,\
               method=.request.method,method=.req.method,method=.verb,method=.cs-method,method=.attributes.http.request.method,\
               method=.attributes.http.method,method=.meta.req.method,\
               host=.http_host,host=.vhost,host=.virtual_host,host=.:authority,host=.request_host,host=.request.host,\
               host=.req_host,host=.request.headers.host,host=.req.headers.host,host=.req.host,host=.url.domain,host=.http.host,host=.domain_name,server_name=.server_name,\
               host=.attributes.server.address,host=.attributes.http.host,host=.server.address,host=.http.request.headers.host,host=.meta.req.headers.host,\
               host=.cs-host,host=.host_header,host_or_machine=.host,host_or_machine=.hostname,\
               scheme=.scheme,scheme=.request_scheme,scheme=.url.scheme,scheme=.http.scheme,scheme=.x_forwarded_proto,scheme=.http_x_forwarded_proto,\
               scheme=.request.scheme,scheme=.protocol,scheme=.proto,scheme=.attributes.url.scheme,port=.server_port,\
               port=.url.port,\
               time=.time,time=.timestamp,time=.ts,time=.@timestamp,time=.time_iso8601,time=.time_local,time=.datetime,time=.date,time=.msec,\
               time=.start_time,time=.request_time_iso,time=.t,\
               duration_ms=.duration_ms,duration_ms=.latency_ms,duration_ms=.elapsed_ms,duration_ms=.response_time_ms,duration_ms=.request_time_ms,\
               duration_ms=.took_ms,duration_ms=.meta.response_time,duration_us=.duration_us,duration_us=.latency_us,duration_us=.duration_micros,duration_ns=.duration_ns,\
               duration_ns=.latency_ns,duration_ns=.event.duration,duration_s=.request_time,duration_s=.duration_s,duration_s=.duration_seconds,\
               bytes=.body_bytes_sent,bytes=.bytes_sent,bytes=.bytes,bytes=.size,bytes=.response_size,bytes=.response_bytes,bytes=.body_bytes,\
               bytes=.response_body_size,bytes=.bytes_out,bytes=.http.response.body.bytes,bytes=.http.response.bytes,bytes=.resp_size,bytes=.b,\
               client=.client_ip,client=.cli_ip,client=.remote_addr,client=.remote_ip,client=.client,client=.remote_host,client=.client.address,client=.client.ip,\
               client=.source.ip,client=.ip,client=.clientip,client=.remote_address,client=.remote,client=.x_forwarded_for,\
               user_agent=.http_user_agent,user_agent=.user_agent,user_agent=.ua,user_agent=.agent,user_agent=.user_agent.original,\
               user_agent=.request_user_agent,user_agent=.request.headers.user_agent,user_agent=.req.headers.user_agent,\
               user_agent=.meta.req.headers.user_agent,\
               request_id=.request_id,request_id=.req_id,request_id=.http.request.id,request_id=.x_request_id,request_id=.http_x_request_id,\
               request_id=.req.id,request_id=.trace_id,request_id=.correlation_id,request_id=.unique_id,\
               upstream_addr=.upstream_addr,upstream_connect_time=.upstream_connect_time,response_flags=.response_flags,\
               response_code_details=.response_code_details,upstream_service_time=.upstream_service_time,\
               upstream_service_time=.x-envoy-upstream-service-time,upstream_request_attempt_count=.upstream_request_attempt_count",
        about: "JSON objects in the names that most producers use, nested or dotted; name others as in `json:status=.code,url=.req.url`",
        example: r#"{"time":"2026-11-22T06:22:52+00:00","remote_addr":"203.0.113.9","method":"GET","scheme":"https","host":"shop.example","uri":"/a?b=c","status":502,"bytes":157,"ua":"curl/8.9","request_time":1.002,"request_id":"7f2a"}"#,
        ..PLAIN
    },
];
