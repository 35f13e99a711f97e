import type { IncomingMessage } from 'node:http'

/** What became of a request. `null`: not known, or none. */
export type Ending = {
  release: string | null
  version: string | null
  instance: string | null
  status: number | null
  ms: number
  /** Of bodies; `null` for probes, which are not counted. */
  bytesIn: number | null
  bytesOut: number | null
  /** As with counters: `answered`, `client-gone`, `reset`, `timed-out`, `cut`, `unreachable`; or `refused` by the data plane. */
  end: string
  /** The code of what the data plane answered by itself. */
  code: string | null
  /** What lives long. */
  kind: 'websocket' | 'stream' | null
  as: 'live' | 'probe' | 'preview' | 'rule'
  /** A copy of it went to a shadow. */
  isCopied: boolean
}

type LineParts = { at: number; service: string; showsQuery: boolean; trustForwarded: boolean }

/** Longer ones are cut: one request may not fill a file. */
const PATH_LENGTH = 2_048
const ID_LENGTH = 128

/**
 * One request as a line of JSON. No header goes in as it is: credentials and cookies never, and of the query only what
 * the file of the service allows.
 */
export function accessLine(
  req: IncomingMessage,
  { release, version, instance, end, code, kind, as, isCopied, ...ending }: Ending,
  { at, service, showsQuery, trustForwarded }: LineParts,
): string {
  const { status, ms, bytesIn, bytesOut } = ending
  const requestId = idIn(req.headers['x-request-id'])
  const trace = traceOf(req.headers.traceparent)
  return JSON.stringify({
    at: new Date(at).toISOString(),
    service,
    release,
    version,
    instance,
    method: req.method ?? '',
    path: pathOf(req.url ?? '', showsQuery),
    status,
    ms: Math.round(ms * 10) / 10,
    ...(bytesIn === null ? {} : { bytesIn, bytesOut }),
    end,
    ...(code === null ? {} : { code }),
    ...(kind === null ? {} : { kind }),
    client: clientOf(req, trustForwarded),
    as,
    ...(isCopied ? { copied: true } : {}),
    ...(requestId === null ? {} : { request: requestId }),
    ...(trace === null ? {} : { trace }),
  })
}

/** An absolute target may carry a user and a password: of such only the path is kept. */
function pathOf(url: string, showsQuery: boolean): string {
  const path = url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  const end = showsQuery ? -1 : path.search(/[?#]/)
  return (end < 0 ? path : path.slice(0, end)).slice(0, PATH_LENGTH)
}

/** Who connected to us; behind a proxy that may be believed, who connected to that one. */
function clientOf({ headers, socket }: IncomingMessage, trustForwarded: boolean): string {
  const chain = trustForwarded ? headers['x-forwarded-for'] : undefined
  const last = typeof chain === 'string' ? chain.split(',').at(-1)?.trim() : undefined
  const address = last === undefined || last === '' ? (socket.remoteAddress ?? 'unknown') : last
  return address.replace(/^::ffff:/, '').slice(0, ID_LENGTH)
}

const idIn = (value: string | string[] | undefined): string | null =>
  typeof value === 'string' && value !== '' ? value.slice(0, ID_LENGTH) : null

/** https://www.w3.org/TR/trace-context/: version, trace id, parent id, flags. */
function traceOf(value: string | string[] | undefined): string | null {
  if (typeof value !== 'string') return null
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(value)?.[1] ?? null
}
