import { type Entry, entryOf } from '../core/shared/entry.ts'
import type { ListenAddress } from '../core/shared/listen-address.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { Entrance, type Guest, type Member } from './entrance.ts'
import type { GivenDoors } from './handover/inherited-doors.ts'
import type { Limits } from './limits.ts'
import type { Listener, ListenerHandlers } from './listener.ts'
import type { Certificates, DoorCertificate } from './tls/certificates.ts'

/** A service at a door, with the way back to how it was before. */
export type Entered = { entrance: Entrance; undo(): void; settle(): void }

export type EntryAsked = {
  listen: ListenAddress
  entry: Entry
  /** What is done with its requests. */
  handlers: ListenerHandlers
  /** It had this address before; `null` where it comes or moves. */
  stays: Entrance | null
  /** A start from what was in force: what is wrong with a certificate by now is told and stops nothing. */
  lenient: boolean
}

/** All doors of the data plane: services with the same address share one. */
export class Entrances {
  private readonly open = new Set<Entrance>()
  private isGivenAway = false
  private readonly limits: Limits
  private readonly certificates: Certificates
  private readonly inherited: GivenDoors | null

  constructor(limits: Limits, certificates: Certificates, inherited: GivenDoors | null) {
    this.limits = limits
    this.certificates = certificates
    this.inherited = inherited
  }

  /** Those that take requests. */
  get listeners(): Listener[] {
    return [...this.open].map(({ listener }) => listener)
  }

  /** Nothing is opened here any more, and the doors that there are go on for the connections that they have. */
  giveAway(): void {
    this.isGivenAway = true
  }

  /** Whether a service can come in without opening anything. */
  has(address: ListenAddress): boolean {
    return this.doorAt(address) !== undefined
  }

  /** Opens the door for a service. It is settled when the change is recorded, or undone. */
  async enter(service: Guest, asked: EntryAsked): Promise<Result<Entered>> {
    const entry = entryOf(asked.entry)
    const known = asked.stays ?? this.doorAt(asked.listen)
    const refused = known?.refusalOf(service, entry) ?? null
    if (refused !== null) return failed(refused)
    const before = known?.memberOf(service) ?? null
    const certificate = await this.certificateFor(entry, { before, lenient: asked.lenient })
    if (certificate.kind === 'failed') return certificate
    const member = { service, entry, handlers: asked.handlers, certificate: certificate.value }
    const entrance = known ?? new Entrance(this.limits, { isSecure: entry.tls !== undefined })
    entrance.seat(member)
    if (known === undefined) {
      const listening = await entrance.listener.listen(asked.listen, this.inherited)
      if (listening.kind === 'failed') {
        this.dropCertificate(member)
        return listening
      }
      this.open.add(entrance)
    }
    return ok({
      entrance,
      undo: () => this.undo(entrance, { member, before }),
      settle: () => this.settle(member, before),
    })
  }

  /** The service takes no requests here any more. The door closes behind the last one; its connections end by themselves. */
  leave(entrance: Entrance, service: Guest): void {
    const member = entrance.memberOf(service)
    entrance.unseat(service)
    if (member !== null) this.dropCertificate(member)
    if (!entrance.isEmpty) return
    this.open.delete(entrance)
    entrance.listener.close().catch(() => undefined)
  }

  /** Nothing of the service is under way here any more. */
  release(entrance: Entrance, service: Guest): void {
    entrance.users.delete(service)
  }

  private doorAt(address: ListenAddress): Entrance | undefined {
    return [...this.open].find((one) => one.isAt(address, this.isGivenAway))
  }

  private async certificateFor(
    { hosts = [], tls }: Entry,
    { before, lenient }: { before: Member | null; lenient: boolean },
  ): Promise<Result<DoorCertificate | null>> {
    if (tls === undefined) return ok(null)
    const known = before?.certificate ?? null
    const isKnown = known?.files.certificate === tls.certificate && known.files.key === tls.key
    if (!isKnown || known === null) return this.certificates.take(tls, { hosts, lenient })
    // What clients are shown already needs no files: a way back must not fail because somebody renews them now.
    known.hosts = hosts
    return ok(known)
  }

  private undo(entrance: Entrance, { member, before }: { member: Member; before: Member | null }): void {
    if (before === null) {
      this.leave(entrance, member.service)
      this.release(entrance, member.service)
      if (entrance.users.size === 0) entrance.listener.destroy()
      return
    }
    if (member.certificate !== before.certificate) this.dropCertificate(member)
    entrance.seat(before)
  }

  private settle(member: Member, before: Member | null): void {
    if (before !== null && before.certificate !== member.certificate) this.dropCertificate(before)
  }

  private dropCertificate({ certificate }: Member): void {
    if (certificate !== null) this.certificates.drop(certificate)
  }
}
