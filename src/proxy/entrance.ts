import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { type Entry, entryConflict, isSelective } from '../core/shared/entry.ts'
import type { Problem } from '../core/shared/problem.ts'
import { entryTaken, otherSpeech } from '../core/shared/route-problems.ts'
import { covers } from '../tls/pair.ts'
import { hostName } from './host-name.ts'
import { HostTable } from './host-table.ts'
import type { Limits } from './limits.ts'
import { type Address, Listener, type ListenerHandlers } from './listener.ts'
import { answer, answerSocket, type Refusal, refusal } from './refusal.ts'
import { type HeadRules, readHead } from './request-head.ts'
import type { DoorCertificate } from './tls/certificates.ts'

/** A service, as far as a door must know it. */
export type Guest = { readonly name: string }

/** A service at a door: which requests are its own there, what is done with them, and the certificate for them. */
export type Member = {
  service: Guest
  entry: Entry
  handlers: ListenerHandlers
  certificate: DoorCertificate | null
}

/**
 * One listen address and the services that take traffic there. A service that has the address for itself and takes
 * everything costs its requests one comparison; else host and path of each request say whose it is. Services come and
 * leave while the connections of the others stay: a connection belongs to the door and not to a service.
 */
export class Entrance {
  readonly listener: Listener
  readonly isSecure: boolean
  /** Those that take requests, and those that only finish theirs. */
  readonly users = new Set<Guest>()
  private members: readonly Member[] = []
  private only: ListenerHandlers | null = null
  private table = new HostTable<Member>([])
  private readonly rules: HeadRules

  constructor(limits: Limits, { isSecure }: { isSecure: boolean }) {
    this.isSecure = isSecure
    this.rules = { probeKey: '', headerCount: limits.headerCount, trustForwarded: false }
    this.listener = new Listener(limits, this.handlers(), {
      contextFor: isSecure ? (name) => this.certificateFor(name)?.pair.context ?? null : null,
    })
  }

  /** Somebody else who asks for this address can come in here. */
  isAt({ host, port }: Address, evenClosing = false): boolean {
    const { asked, address, closing } = this.listener
    return (!closing || evenClosing) && host === asked?.host && port === address?.port
  }

  /** Why the service cannot take its requests here beside the others, or `null`. */
  refusalOf(service: Guest, entry: Entry): Problem | null {
    if (this.isSecure !== (entry.tls !== undefined)) return otherSpeech(this.addressText, this.isSecure)
    for (const other of this.members) {
      const why = other.service === service ? null : entryConflict(entry, other.entry)
      if (why !== null)
        return entryTaken(service.name, { other: other.service.name, why, address: this.addressText })
    }
    return null
  }

  memberOf(service: Guest): Member | null {
    return this.members.find((member) => member.service === service) ?? null
  }

  /** Takes requests for the service from now on, in the way that is said now. */
  seat(member: Member): void {
    this.users.add(member.service)
    const others = this.members.filter(({ service }) => service !== member.service)
    this.take([...others, member])
  }

  /**
   * The next requests are not for the service any more; what runs goes on. Behind the last one the door closes, and what its
   * connections still bring goes to that one: it serves at another address, or says that it is gone.
   */
  unseat(service: Guest): void {
    const left = this.members.filter((member) => member.service !== service)
    if (left.length > 0) this.take(left)
    else this.members = []
  }

  get isEmpty(): boolean {
    return this.members.length === 0
  }

  private take(members: readonly Member[]): void {
    // By name, so that the first certificate is the same one after a restart.
    this.members = members.toSorted((one, other) => (one.service.name < other.service.name ? -1 : 1))
    const [first, ...others] = this.members
    this.only =
      first !== undefined && others.length === 0 && !isSelective(first.entry) ? first.handlers : null
    this.table = new HostTable(this.members.map((member) => [member, member.entry]))
    for (const { certificate } of this.members)
      if (certificate !== null) certificate.onTaken = () => this.showFirst()
    this.showFirst()
  }

  /** To clients that name no host. */
  private showFirst(): void {
    const first = this.members[0]?.certificate ?? null
    if (first !== null) this.listener.showByDefault(first.pair.pem)
  }

  private certificateFor(serverName: string): DoorCertificate | null {
    const named = serverName === '' ? null : this.table.ofHost(hostName(serverName))
    return (named ?? this.members[0])?.certificate ?? null
  }

  private handlers(): ListenerHandlers {
    return {
      request: (req, res, listener, expects) => {
        const handlers = this.only ?? this.find(req)
        if (isRefusal(handlers)) answer(res, handlers)
        else handlers.request(req, res, listener, expects)
      },
      upgrade: (req, socket, head, listener) => {
        const handlers = this.only ?? this.find(req)
        if (isRefusal(handlers)) answerSocket(socket, handlers)
        else handlers.upgrade(req, socket, head, listener)
      },
      // What broke HTTP on a shared address was sent to nobody in particular.
      refused: (connection) => this.only?.refused(connection),
    }
  }

  private find(req: IncomingMessage): ListenerHandlers | Refusal {
    const host = hostName(req.headers.host ?? '')
    const member = this.table.find(host, pathOf(req.url ?? ''))
    if (member === null) return this.noService(req, host)
    return this.isMisdirected(req.socket, { member, host }) ? misdirected(host) : member.handlers
  }

  /** A request under another name than that of the certificate that the client was shown. */
  private isMisdirected(socket: Duplex, { member, host }: { member: Member; host: string }): boolean {
    if (!(socket instanceof TLSSocket) || member.certificate === null) return false
    const { servername } = socket
    const shown = this.certificateFor(typeof servername === 'string' ? servername : '')
    if (shown === member.certificate || shown === null) return false
    return !covers(shown.pair.certificate, host)
  }

  /** What is no proper request is told so first; the rest is for nobody and counted nowhere. */
  private noService(req: IncomingMessage, host: string): Refusal {
    const head = readHead(req, this.rules)
    if (head.kind === 'refused') return head.refusal
    return { ...nobodys(host, this.addressText), keeps: !head.chunked && head.contentLength <= 0 }
  }

  private get addressText(): string {
    const { address } = this.listener
    return address === null ? 'this address' : `${address.host}:${address.port}`
  }
}

const isRefusal = (found: ListenerHandlers | Refusal): found is Refusal => 'status' in found

/** Of `http://host/path` the path; whether host and scheme are right is looked at with the rest of the head. */
const pathOf = (url: string): string =>
  url.charCodeAt(0) === 47 ? url : (/^https?:\/\/[^/?#]*(\/.*)$/i.exec(url)?.[1] ?? '/')

const nobodys = (host: string, address: string): Refusal =>
  refusal(
    404,
    'NO_SUCH_SERVICE',
    `No service at ${address} takes this path of ${host === '' ? 'a request without a host' : host.slice(0, 253)}.`,
    'Look at the host name and the path; hosts and paths of the services are in the file of Sluice.',
  )

const misdirected = (host: string): Refusal =>
  refusal(
    421,
    'HOST_MISDIRECTED',
    `This connection was opened for another host than ${host.slice(0, 253)}.`,
    'Open a connection with the name of the host in the TLS handshake (SNI).',
  )
