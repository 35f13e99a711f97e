import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import type { Result } from '../../../core/shared/result.ts'
import type { ServiceRoutes } from '../../../core/shared/routes.ts'
import { freePort } from '../../free-port.ts'
import { type Bench, NEIGHBOURS, SERVICE, token, unwrap } from './kit.ts'
import { type Answered, type Knock, knock } from './knock.ts'

type Skip = (why: string) => never
export type Neighbour = (typeof NEIGHBOURS)[number] | typeof SERVICE

/** One address of the router and the services of a case there. Instances of a neighbour answer with its name. */
export class SharedAddress {
  readonly bench: Bench
  readonly listen: ListenAddress
  private readonly skip: Skip
  private readonly sequences = new Map<string, number>()
  private readonly sets = new Map<string, ServiceRoutes['sets']>()

  constructor(bench: Bench, listen: ListenAddress, skip: Skip) {
    this.bench = bench
    this.listen = listen
    this.skip = skip
  }

  /** What the router says; a case that it cannot serve is skipped with its reason. */
  async tryPut(service: Neighbour, more: Partial<ServiceRoutes> = {}): Promise<Result<void>> {
    const sequence = (this.sequences.get(service) ?? 0) + 1
    this.sequences.set(service, sequence)
    const routes = this.bench.routes(0, sequence, { listen: this.listen })
    const sets = await this.setsOf(service, routes)
    const { router } = this.bench.setup
    const done = await router.setRoutes({ ...routes, service, sets, stable: null, ...more })
    if (done.kind === 'failed' && done.problem.code === 'ROUTER_CANNOT') this.skip(done.problem.message)
    return done
  }

  async put(service: Neighbour, more: Partial<ServiceRoutes> = {}): Promise<void> {
    unwrap(await this.tryPut(service, more))
  }

  async remove(service: Neighbour): Promise<void> {
    const sequence = (this.sequences.get(service) ?? 0) + 1
    this.sequences.set(service, sequence)
    const { router } = this.bench.setup
    unwrap(await router.finalize({ service, token: token(1, sequence) }))
  }

  ask(asked: Omit<Knock, 'port'>): Promise<Answered> {
    return knock({ port: this.listen.port, ...asked })
  }

  /** Who answered, or the status and the code of the router itself. */
  async who(asked: Omit<Knock, 'port'>): Promise<string> {
    const { status, body, code } = await this.ask(asked)
    return status === 200 ? body : `${status} ${code}`
  }

  async close(): Promise<void> {
    for (const service of NEIGHBOURS) if (this.sequences.has(service)) await this.remove(service)
  }

  private async setsOf(service: Neighbour, { sets }: ServiceRoutes): Promise<ServiceRoutes['sets']> {
    if (service === SERVICE) return sets
    const known = this.sets.get(service)
    if (known !== undefined) return known
    const instances = [await this.bench.setup.startUpstream(service)]
    const own = [{ release: `${service}@1#a`, version: '1', weightPermille: 1_000, instances }]
    this.sets.set(service, own)
    return own
  }
}

/** Runs a case at an address of its own, and takes its services away afterwards. */
export async function atAddress(
  bench: Bench,
  skip: Skip,
  work: (address: SharedAddress) => Promise<void>,
): Promise<void> {
  if (bench.setup.visit === undefined) return skip('no sockets in this set-up')
  const address = new SharedAddress(bench, await freeAddress(), skip)
  try {
    await work(address)
  } finally {
    await address.close()
  }
}

export const freeAddress = async (): Promise<ListenAddress> => ({ host: '127.0.0.1', port: await freePort() })
