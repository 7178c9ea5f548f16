use super::{Backend, Server};

/// nginx in front of `backend`, with its built-in `combined` format.
pub(crate) fn nginx(backend: &Backend) -> Server {
    nginx_that_logs("", "combined", backend)
}

/// nginx in front of `backend`, which logs in the format `name` that `directive` (`log_format name '…';`) defines.
///
/// It gives up after 200 ms on what the back end never answers, so that this is a 504; what is only slow, on a busy machine, is waited for.
pub(crate) fn nginx_that_logs(directive: &str, name: &str, backend: &Backend) -> Server {
    start("", directive, name, backend)
}

/// nginx in front of `backend` that speaks HTTP/2 and nothing else, without TLS.
pub(crate) fn nginx_over_http2(backend: &Backend) -> Server {
    start("http2", "", "combined", backend)
}

/// The same, but it retires each connection after ten requests.
pub(crate) fn nginx_that_retires_connections(backend: &Backend) -> Server {
    start("http2", "keepalive_requests 10;", "combined", backend)
}

fn start(protocol: &str, directive: &str, name: &str, backend: &Backend) -> Server {
    let backend = backend.address();
    Server::start("/usr/sbin/nginx", &["-c"], |folder, address| {
        let folder = folder.display();
        format!(
            "daemon off;
            master_process off;
            pid {folder}/pid;
            error_log {folder}/error.log warn;
            events {{}}
            http {{
                {directive}
                access_log {folder}/access.log {name};
                client_body_temp_path {folder}/client;
                proxy_temp_path {folder}/proxy;
                fastcgi_temp_path {folder}/fastcgi;
                uwsgi_temp_path {folder}/uwsgi;
                scgi_temp_path {folder}/scgi;
                server {{
                    listen {address} {protocol};
                    location / {{
                        proxy_pass http://{backend};
                    }}
                    location /slow {{
                        proxy_pass http://{backend};
                        proxy_read_timeout 200ms;
                    }}
                }}
            }}"
        )
    })
}
