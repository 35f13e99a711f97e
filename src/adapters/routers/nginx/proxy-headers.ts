type Told = {
  /** The variable with the variant of an A/B test that the user belongs to. */
  variant?: string | null
  /** The connection may become a WebSocket. */
  isLong?: boolean
  /** A copy, of which nobody gets the answer. */
  isCopy?: boolean
}

/**
 * What each request to an instance says of where it came from. A location with a header of its own needs all of them; each
 * that is not empty costs nginx as much as its line in the log.
 */
export const proxyHeaders = ({ variant = null, isLong = false, isCopy = false }: Told = {}): string[] =>
  Object.entries({
    Host: '$http_host',
    Connection: isLong ? '$sluice_connection' : '""',
    Upgrade: isLong ? '$sluice_upgrade' : '""',
    'X-Forwarded-For': '$remote_addr',
    'X-Forwarded-Proto': '$sluice_scheme',
    'X-Forwarded-Host': '$http_host',
    Forwarded: `'for=$sluice_peer;proto=$sluice_scheme;host="$http_host"'`,
    'Keep-Alive': '""',
    'Proxy-Connection': '""',
    'Proxy-Authorization': '""',
    'HTTP2-Settings': '""',
    TE: '""',
    'Sluice-Probe': '""',
    'Sluice-Variant': variant ?? '""',
    'Sluice-Shadow': isCopy ? '1' : '""',
  }).map(([name, value]) => `proxy_set_header ${name} ${value};`)
