import { setTimeout as pause } from 'node:timers/promises'
import * as z from 'zod'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { type CertificateInForce, readCertificate } from './certificate-in-force.ts'
import type { MapEntry } from './keys.ts'
import type { Ask } from './master.ts'

/** The programs that serve: one, and those of before a reload that still have connections. */
export type Workers = { current: number; old: number[]; failedReloads: number }

export type ServerRow = {
  backend: string
  name: string
  /** Where it sends them: `127.0.0.1:3000`, `[::1]:3000`. */
  address: string
  /** Takes new requests. */
  isUp: boolean
  /** As set, not as a slow start has it at the moment. */
  weight: number
  /** Requests and upgraded connections at this moment, also those that wait. */
  current: number
  /** Since the worker started. */
  total: number
}
export type Stats = { servers: ServerRow[]; frontends: string[]; backends: string[] }

/** One request or upgraded connection that a worker has. */
export type Session = { id: string; server: string; backend: string; isTunnel: boolean; ageMs: number }

/**
 * Commands to HAProxy. Its answers are text, and failures look like answers: each command knows how its success reads, and
 * everything else is a failure.
 */
export class Worker {
  readonly pid: number
  private readonly askMaster: Ask

  constructor(askMaster: Ask, pid: number) {
    this.askMaster = askMaster
    this.pid = pid
  }

  /** The structure that it was started with. */
  async description(): Promise<Result<string | null>> {
    const answer = await this.expecting('show info', /^Pid: \d+$/m)
    return answer.kind === 'ok' ? ok(/^description: (.*)$/m.exec(answer.value)?.[1] ?? null) : answer
  }

  async connections(): Promise<Result<number>> {
    const answer = await this.expecting('show info', /^CurrConns: \d+$/m)
    return answer.kind === 'ok' ? ok(Number(/^CurrConns: (\d+)$/m.exec(answer.value)?.[1] ?? 0)) : answer
  }

  /** It takes no new connections any more: all that still listens is what the master talks to. Gone is as good. */
  async hasLetGo(): Promise<boolean> {
    const answer = await this.expecting('show info', /^Pid: \d+$/m)
    if (answer.kind === 'failed') return answer.problem.code === 'ROUTER_COMMAND_FAILED'
    const count = (name: string): number =>
      Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(answer.value)?.[1])
    return count('Stopping') === 1 && count('Listeners') <= count('Unstoppable Jobs')
  }

  async stats(): Promise<Result<Stats>> {
    const answer = await this.expecting('show stat -1 7 -1', /^# pxname,svname,/)
    return answer.kind === 'ok' ? readStats(answer.value) : answer
  }

  async map(name: string): Promise<Result<MapEntry[]>> {
    const answer = await this.expecting(`show map ${name}`, /^(0x[0-9a-f]+ .*(\n|$))*$/)
    if (answer.kind === 'failed') return answer
    return ok(
      answer.value.split('\n').flatMap((line) => {
        const [, key = '', value = ''] = /^0x[0-9a-f]+ (\S+) (.*)$/.exec(line) ?? []
        return key === '' ? [] : [{ key, value }]
      }),
    )
  }

  /** All of it at once: no request sees half of the change. */
  async swapMap(name: string, entries: readonly MapEntry[]): Promise<Result<void>> {
    const prepared = await this.expecting(`prepare map ${name}`, /^New version created: \d+$/)
    if (prepared.kind === 'failed') return prepared
    const version = prepared.value.replace(/\D/g, '')
    for (const { key, value } of entries) {
      const added = await this.silent(`add map @${version} ${name} ${key} ${value}`)
      if (added.kind === 'failed') return added
    }
    return await this.silent(`commit map @${version} ${name}`)
  }

  /** It takes nothing before `setState`. */
  async addServer(server: string, words: string): Promise<Result<void>> {
    return nothing(await this.expecting(`add server ${server} ${words}`, /^New server registered\.$/))
  }

  setState(server: string, state: 'ready' | 'drain' | 'maint'): Promise<Result<void>> {
    return this.silent(`set server ${server} state ${state}`)
  }

  setWeight(server: string, weight: number): Promise<Result<void>> {
    return this.silent(`set server ${server} weight ${weight}`)
  }

  async setAddress(server: string, { host, port }: { host: string; port: number }): Promise<Result<void>> {
    const success = /^(no need to change|(IP|port) changed from) .*$/
    return nothing(await this.expecting(`set server ${server} addr ${host} port ${port}`, success))
  }

  /** One that is gone already is no failure. */
  async deleteServer(server: string): Promise<Result<void>> {
    return nothing(await this.expecting(`del server ${server}`, /^(Server deleted\.|No such server\.)$/))
  }

  async sessions(): Promise<Result<Session[]>> {
    const answer = await this.expecting('show sess', /^(0x[0-9a-f]+: .*(\n|$))*$/)
    return answer.kind === 'ok' ? ok(answer.value.split('\n').flatMap(readSession)) : answer
  }

  /** Who reads the log came by its socket; whoever asks anything else comes by the master. */
  async endLogReaders(): Promise<void> {
    const answer = await this.expecting('show sess', /^(0x[0-9a-f]+: .*(\n|$))*$/)
    const text = answer.kind === 'ok' ? answer.value : ''
    for (const [, id = ''] of text.matchAll(/^(0x[0-9a-f]+): proto=unix_stream .* fe=GLOBAL /gm))
      await this.cut(id)
  }

  /** One that ended by itself meanwhile is no failure: `false`. */
  async cut(session: string): Promise<Result<boolean>> {
    const answer = await this.expecting(`shutdown session ${session}`, /^(No such session .*)?$/)
    return answer.kind === 'ok' ? ok(answer.value === '') : answer
  }

  async certificate(name: string): Promise<Result<CertificateInForce>> {
    const command = `show ssl cert ${name}`
    const answer = await this.expecting(command, /^SHA1 FingerPrint: [0-9A-F]{40}$/m)
    if (answer.kind === 'failed') return answer
    const found = readCertificate(answer.value)
    return found === null ? failed(notDone(command, answer.value)) : ok(found)
  }

  /** Shown with the next handshake. HAProxy refuses a key that belongs to another certificate. */
  async setCertificate(name: string, pem: string): Promise<Result<void>> {
    const set = await this.beginCertificate(name, pem)
    if (set.kind === 'failed') return set
    const committed = await this.expecting(`commit ssl cert ${name}`, /^Success!$/m)
    // What was begun would be in the way of the next one.
    if (committed.kind === 'failed') await this.askMaster(`@!${this.pid} abort ssl cert ${name}`)
    return nothing(committed)
  }

  /**
   * HAProxy changes one at a time: while one that somebody began and never ended is open, it puts what it is given for any
   * other one into that (2.6.12), and says so by the name in its answer. Such a one is given up; its files are looked at again.
   */
  private async beginCertificate(name: string, pem: string): Promise<Result<void>> {
    const command = `set ssl cert ${name}`
    for (let turn = 1; ; turn += 1) {
      const set = await this.expecting(command, TRANSACTION, pem)
      if (set.kind === 'failed') return set
      const [, begun = ''] = TRANSACTION.exec(set.value) ?? []
      if (begun === name) return ok(undefined)
      await this.askMaster(`@!${this.pid} abort ssl cert ${begun}`)
      if (turn === TURNS) return failed(notDone(command, set.value))
    }
  }

  private async silent(command: string): Promise<Result<void>> {
    return nothing(await this.expecting(command, /^$/))
  }

  private async expecting(command: string, success: RegExp, payload?: string): Promise<Result<string>> {
    const answer = await this.askMaster(`@!${this.pid} ${command}`, payload)
    if (answer.kind === 'failed') return answer
    return success.test(answer.value) ? answer : failed(notDone(command, answer.value))
  }
}

const TRANSACTION = /^Transaction (?:created|updated) for certificate (\S+)!$/m

const nothing = (result: Result<unknown>): Result<void> => (result.kind === 'ok' ? ok(undefined) : result)

/** For some milliseconds of a reload the master knows no worker, or hears nobody. */
const MASTER_RESTARTS_MS = 2_000
const RETRY_MS = 20

/** Which workers there are, as the master says. */
export async function workersOf(ask: Ask): Promise<Result<Workers>> {
  const end = performance.now() + MASTER_RESTARTS_MS
  for (;;) {
    const answer = await ask('show proc')
    if (answer.kind === 'failed') return answer
    const workers = readWorkers(answer.value)
    if (workers !== null) return ok(workers)
    if (performance.now() > end) return failed(notDone('show proc', answer.value))
    await pause(RETRY_MS)
  }
}

function readWorkers(text: string): Workers | null {
  const [head = '', rest = ''] = text.split('# workers')
  const [now = '', before = ''] = (rest.split('# programs')[0] ?? '').split('# old workers')
  const [current] = pidsIn(now)
  const failedReloads = /\[failed: (\d+)\]/.exec(head)?.[1]
  if (failedReloads === undefined || current === undefined) return null
  return { current, old: pidsIn(before), failedReloads: Number(failedReloads) }
}

export const pidsIn = (text: string): number[] =>
  [...text.matchAll(/^(\d+)\s+worker\b/gm)].map(([, pid = '']) => Number(pid))

const Row = z.object({
  pxname: z.string(),
  svname: z.string(),
  status: z.string(),
  addr: z.string(),
  type: z.string(),
  uweight: z.coerce.number().catch(0),
  scur: z.coerce.number(),
  qcur: z.coerce.number().catch(0),
  stot: z.coerce.number(),
})

/** `type` 0 is a frontend, 1 a backend, 2 a server. */
function readStats(text: string): Result<Stats> {
  const [head = '', ...lines] = text.split('\n')
  const names = head.replace(/^# /, '').split(',')
  const servers: ServerRow[] = []
  const frontends: string[] = []
  const backends: string[] = []
  for (const line of lines) {
    const cells = line.split(',')
    const row = Row.safeParse(Object.fromEntries(names.map((name, at) => [name, cells[at] ?? ''])))
    if (!row.success) return failed(notDone('show stat', line))
    const { pxname, svname, status, addr, type, uweight, scur, qcur, stot } = row.data
    if (type === '0') frontends.push(pxname)
    if (type === '1') backends.push(pxname)
    if (type !== '2') continue
    servers.push({
      backend: pxname,
      name: svname,
      address: addr,
      isUp: /^(UP|no check)/.test(status) && uweight > 0,
      weight: uweight,
      current: scur + qcur,
      total: stot,
    })
  }
  return ok({ servers, frontends, backends })
}

/**
 * An upgraded connection has no analysers (`an=00h`) on either side, unlike a request in any of its phases.
 *
 * @example readSession('0x55a: proto=tcpv4 ... be=b srv=s1 ... age=1m2s ... rq[f=1h,i=0,an=00h,...] rp[f=1h,i=0,an=00h,...]')
 */
export function readSession(line: string): Session[] {
  const [, id, backend = '', server = ''] = /^(0x[0-9a-f]+): .*? be=(\S+) srv=(\S+) /.exec(line) ?? []
  if (id === undefined || backend === '<NONE>') return []
  const isTunnel = /rq\[[^\]]*\ban=0+h/.test(line) && /rp\[[^\]]*\ban=0+h/.test(line)
  return [{ id, backend, server, isTunnel, ageMs: readAge(/ age=(\S+)/.exec(line)?.[1] ?? '') }]
}

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 }
const readAge = (text: string): number =>
  [...text.matchAll(/(\d+)([dhms])/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (UNIT_MS[unit] ?? 0),
    0,
  )

/** Between two commands somebody may have reloaded HAProxy: then all of it is done again, with the new worker. */
export async function again<T>(work: () => Promise<Result<T>>): Promise<Result<T>> {
  for (let turn = 1; ; turn += 1) {
    const result = await work()
    if (result.kind === 'ok' || result.problem.code !== 'ROUTER_COMMAND_FAILED' || turn === TURNS)
      return result
    await pause(turn * RETRY_MS)
  }
}
const TURNS = 4

const notDone = (command: string, said: string) =>
  problem('ROUTER_COMMAND_FAILED', {
    message: `HAProxy did not do "${command}".`,
    cause: said.slice(0, 500),
    remedy: 'Try again: the change is repeated as a whole. Somebody else may have changed HAProxy by hand.',
    retryable: true,
  })
