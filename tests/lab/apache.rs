use super::{Backend, Server};

/// Apache in front of `backend`, with Debian's `vhost_combined` format; its name is `shop.example`.
pub(crate) fn apache(backend: &Backend) -> Server {
    let backend = backend.address();
    Server::start("/usr/sbin/apache2", &["-X", "-f"], |folder, address| {
        let folder = folder.display();
        let port = address.port();
        format!(
            r#"ServerRoot {folder}
            DefaultRuntimeDir {folder}
            PidFile {folder}/pid
            ErrorLog {folder}/error.log
            LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
            LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
            LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
            LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
            User www-data
            Group www-data
            Listen {address}
            ServerName shop.example:{port}
            UseCanonicalName On
            ProxyPass / http://{backend}/ nocanon retry=0 timeout=1
            LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{{Referer}}i\" \"%{{User-Agent}}i\"" vhost_combined
            CustomLog {folder}/access.log vhost_combined
            "#
        )
    })
}
