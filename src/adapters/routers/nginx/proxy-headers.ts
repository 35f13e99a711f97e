/** What each request to an instance says of where it came from. A location with a header of its own needs all of them. */
export const PROXY_HEADERS: readonly string[] = [
  'proxy_set_header Host $http_host;',
  'proxy_set_header Connection $sluice_connection;',
  'proxy_set_header Upgrade $sluice_upgrade;',
  'proxy_set_header X-Forwarded-For $remote_addr;',
  'proxy_set_header X-Forwarded-Proto $scheme;',
  'proxy_set_header X-Forwarded-Host $http_host;',
  'proxy_set_header Forwarded $sluice_forwarded;',
  'proxy_set_header Keep-Alive "";',
  'proxy_set_header Proxy-Connection "";',
  'proxy_set_header Proxy-Authorization "";',
  'proxy_set_header HTTP2-Settings "";',
  'proxy_set_header TE "";',
  'proxy_set_header Sluice-Probe "";',
  'proxy_set_header Sluice-Variant $sluice_variant;',
  'proxy_set_header Sluice-Shadow "";',
]
