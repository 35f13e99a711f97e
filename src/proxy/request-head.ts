import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { malformed, type Refusal, refusal } from './refusal.ts'

/** What the reading of heads needs to know about the service. */
export type HeadRules = { probeKey: string; headerCount: number; trustForwarded: boolean }

/** A request head that is fit to be sent on. `headers` is flat: name, value, name, value. */
export type Head = {
  kind: 'head'
  path: string
  headers: string[]
  probe: boolean
  chunked: boolean
  contentLength: number
  trailers: boolean
}
export type HeadReading = Head | { kind: 'refused'; refusal: Refusal }

const refused = (of: Refusal): HeadReading => ({ kind: 'refused', refusal: of })

const HOST = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(:\d{1,5})?$/
const DIGITS = /^\d{1,15}$/

/**
 * Checks a head for everything that lets two servers read one request differently, drops what belongs to this
 * connection only (RFC 9110, 7.6.1), and says truthfully where the request came from.
 */
export function readHead(req: IncomingMessage, rules: HeadRules): HeadReading {
  const raw = req.rawHeaders
  if (raw.length > rules.headerCount * 2) {
    return refused(
      refusal(
        431,
        'HEADERS_TOO_MANY',
        `The request has ${raw.length / 2} headers, ${rules.headerCount} are allowed.`,
        'Send fewer headers.',
      ),
    )
  }
  const scan = new Scan(rules)
  for (let at = 0; at < raw.length; at += 2) scan.take(raw[at] ?? '', raw[at + 1] ?? '')
  const fault = scan.fault ?? faultOf(req, scan)
  if (fault !== null) return refused(malformed(fault))
  const path = originForm(req.url ?? '', scan.host, req.socket)
  if (path === null)
    return refused(malformed('The request target is neither a path nor an address of this host.'))
  if (scan.connection !== '') scan.dropNamed()
  scan.addForwarded(req.socket)
  return {
    kind: 'head',
    path,
    headers: scan.headers,
    probe: scan.probe,
    chunked: scan.chunked,
    contentLength: scan.contentLength,
    trailers: scan.trailers,
  }
}

function faultOf(req: IncomingMessage, scan: Scan): string | null {
  if (req.httpVersion !== '1.1' && req.httpVersion !== '1.0')
    return `HTTP/${req.httpVersion} is not spoken here.`
  if (scan.hosts > 1) return 'The request has more than one Host header.'
  if (scan.hosts === 0 && req.httpVersion === '1.1') return 'The request has no Host header.'
  if (scan.chunked && scan.contentLength >= 0) return 'The request has Transfer-Encoding and Content-Length.'
  if (scan.chunked && req.httpVersion === '1.0') return 'HTTP/1.0 knows no Transfer-Encoding.'
  return null
}

/** `http://host/path` becomes `/path` when it names the same host as the Host header, and the scheme that is spoken here. */
function originForm(url: string, host: string, socket: Socket): string | null {
  if (url.charCodeAt(0) === 47) return url
  const match = /^(https?):\/\/([^/?#]+)(.*)$/i.exec(url)
  if (match === null) return null
  const [, scheme = '', authority = '', rest = ''] = match
  if (scheme.toLowerCase() !== peerOf(socket).scheme) return null
  if (authority.toLowerCase() !== host.toLowerCase()) return null
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Collects one head. */
class Scan {
  readonly headers: string[] = []
  fault: string | null = null
  host = ''
  hosts = 0
  probe = false
  chunked = false
  contentLength = -1
  trailers = false
  connection = ''
  private forwardedFor = ''
  private forwarded = ''
  private readonly rules: HeadRules

  constructor(rules: HeadRules) {
    this.rules = rules
  }

  take(name: string, value: string): void {
    const special = specialOf(name)
    if (special === null) this.headers.push(name, value)
    else this.takeSpecial(special, name, value)
  }

  private takeSpecial(special: Special, name: string, value: string): void {
    switch (special) {
      case 'host':
        this.hosts += 1
        this.host = value
        if (!HOST.test(value)) this.fault = 'The Host header is not a host name.'
        this.headers.push(name, value)
        return
      case 'content-length':
        if (this.contentLength >= 0 || !DIGITS.test(value))
          this.fault = 'The Content-Length is not one plain number.'
        else this.contentLength = Number(value)
        this.headers.push(name, value)
        return
      case 'transfer-encoding':
        if (this.chunked || value.toLowerCase() !== 'chunked')
          this.fault = 'The Transfer-Encoding is not exactly "chunked".'
        this.chunked = true
        return
      case 'connection':
        if (!/^(keep-alive|close)$/i.test(value)) this.connection += `,${value.toLowerCase()}`
        return
      case 'sluice-probe':
        if (value === this.rules.probeKey && value !== '') this.probe = true
        return
      case 'x-forwarded-for':
        this.forwardedFor += `${value}, `
        return
      case 'forwarded':
        this.forwarded += `${value}, `
        return
      case 'trailer':
        this.trailers = true
        return
      case 'drop':
        return
    }
  }

  /** Headers that `Connection` names belong to this hop, except those that say where the request goes and how long it is. */
  dropNamed(): void {
    const named = new Set(this.connection.split(',').map((token) => token.trim()))
    for (const kept of ['host', 'content-length', 'cookie', 'authorization']) named.delete(kept)
    for (let at = this.headers.length - 2; at >= 0; at -= 2) {
      if (named.has((this.headers[at] ?? '').toLowerCase())) this.headers.splice(at, 2)
    }
  }

  /** What clients claim about earlier hops is dropped unless something trusted stands in front of us. */
  addForwarded(socket: Socket): void {
    const peer = peerOf(socket)
    const earlier = this.rules.trustForwarded
    this.headers.push('x-forwarded-for', earlier ? this.forwardedFor + peer.address : peer.address)
    this.headers.push('x-forwarded-proto', peer.scheme)
    const host = this.host === '' ? '' : `;host="${this.host}"`
    if (host !== '') this.headers.push('x-forwarded-host', this.host)
    const own = `for=${peer.quoted};proto=${peer.scheme}${host}`
    this.headers.push('forwarded', earlier ? this.forwarded + own : own)
  }
}

type Special =
  | 'host'
  | 'content-length'
  | 'transfer-encoding'
  | 'connection'
  | 'sluice-probe'
  | 'x-forwarded-for'
  | 'forwarded'
  | 'trailer'
  | 'drop'

const SPECIAL: ReadonlyMap<string, Special> = new Map<string, Special>([
  ['host', 'host'],
  ['content-length', 'content-length'],
  ['transfer-encoding', 'transfer-encoding'],
  ['connection', 'connection'],
  ['sluice-probe', 'sluice-probe'],
  ['x-forwarded-for', 'x-forwarded-for'],
  ['forwarded', 'forwarded'],
  ['trailer', 'trailer'],
  ['x-forwarded-proto', 'drop'],
  ['x-forwarded-host', 'drop'],
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['proxy-authorization', 'drop'],
  ['te', 'drop'],
  ['upgrade', 'drop'],
  ['http2-settings', 'drop'],
  ['expect', 'drop'],
  // Ours to say: the release believes it.
  ['sluice-variant', 'drop'],
  ['sluice-shadow', 'drop'],
])

/** Spellings seen so far, so that the usual headers cost one look-up and no lower-casing. Bounded against invented names. */
const spellings = new Map<string, Special | null>()
const SPELLINGS = 2_000

function specialOf(name: string): Special | null {
  const known = spellings.get(name)
  if (known !== undefined) return known
  const special = SPECIAL.get(name.toLowerCase()) ?? null
  if (spellings.size < SPELLINGS) spellings.set(name, special)
  return special
}

type Peer = { address: string; quoted: string; scheme: 'http' | 'https' }
const peers = new WeakMap<Socket, Peer>()

function peerOf(socket: Socket): Peer {
  const known = peers.get(socket)
  if (known !== undefined) return known
  const address = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')
  const peer: Peer = {
    address,
    quoted: address.includes(':') ? `"[${address}]"` : address,
    scheme: socket instanceof TLSSocket ? 'https' : 'http',
  }
  peers.set(socket, peer)
  return peer
}
