import * as z from 'zod'
import { ProxyWorkers } from '../core/shared/proxy-workers.ts'
import { ok, type Result } from '../core/shared/result.ts'
import type { ProxyInfo, ProxyProgram } from '../ports/proxy.ts'
import { operationOf } from './context.ts'

export const getProxy = operationOf({
  name: 'get_proxy',
  summary: 'Which process serves as the built-in proxy, of which version, and which version is installed.',
  input: z.strictObject({}),
  output: z.object({
    pid: z.int(),
    /** `null`: older than the versions that tell. */
    version: z.string().nullable(),
    installed: z.string(),
    /** Processes that it replaced and that still end what they have. */
    leaving: z.int(),
    /** That shall serve together, and that do. */
    processes: z.object({ asked: z.int(), serving: z.int() }),
  }),
  permission: 'read',
  run: async ({ proxy }) => {
    const info = await proxy.info()
    return info.kind === 'failed' ? info : ok({ ...info.value, installed: proxy.installed })
  },
})

export const upgradeRouter = operationOf({
  name: 'upgrade_router',
  summary:
    'The program of the built-in proxy that is installed takes the place of the one that runs, without a lost request.',
  input: z.strictObject({
    onlyOther: z
      .boolean()
      .default(false)
      .describe(
        'Only when the one that runs is of another version than the installed one, or serves with another number of processes.',
      ),
    workers: ProxyWorkers.exactOptional().describe(
      'How many processes serve together from now on; `auto` for one on each core. As before when left out.',
    ),
  }),
  output: z.object({
    upgraded: z.boolean(),
    /** `null`: older than the versions that tell. */
    from: z.string().nullable(),
    to: z.string(),
    /** Who serves now; of several processes the one that leads. */
    pid: z.int(),
    /** That serve together. */
    processes: z.int(),
  }),
  permission: 'operate',
  run: async ({ proxy }, input) => await runUpgrade(proxy, input),
})

type Upgraded = { upgraded: boolean; from: string | null; to: string; pid: number; processes: number }

export async function runUpgrade(
  proxy: ProxyProgram,
  { onlyOther, workers }: { onlyOther: boolean; workers?: ProxyWorkers },
): Promise<Result<Upgraded>> {
  const info = await proxy.info()
  if (info.kind === 'failed') return info
  const { pid, version: from } = info.value
  const asked = workers ?? proxy.workers
  const processes = proxy.processesFor(asked)
  if (onlyOther && from === proxy.installed && info.value.processes.asked === processes) {
    if (workers !== undefined) proxy.keep(workers)
    return ok({ upgraded: false, from, to: from, pid, processes })
  }
  const done = await proxy.upgrade(asked)
  if (done.kind === 'failed') return done
  // Not before: a number with which no proxy could serve would come back with the next start.
  if (workers !== undefined) proxy.keep(workers)
  return ok({ upgraded: true, from, to: done.value.version, pid: done.value.pid, processes })
}

/** For the diagnosis: a proxy that cannot be asked is told by whoever needs it. */
export async function ofProxy(proxy: ProxyProgram) {
  const info = await proxy.info()
  return info.kind === 'failed' ? [] : [...otherVersion(proxy, info.value), ...fewerProcesses(info.value)]
}

function otherVersion({ installed }: ProxyProgram, { pid, version }: ProxyInfo) {
  if (version === installed) return []
  const theirs = version === null ? 'an older version' : `version ${version}`
  return [
    {
      level: 'warning' as const,
      code: 'PROXY_OTHER_VERSION',
      message: `The proxy that serves (pid ${pid}) is of ${theirs}, the controller of ${installed}.`,
      remedy: 'Run `sluice router upgrade`: no request is lost.',
    },
  ]
}

function fewerProcesses({ processes: { asked, serving } }: ProxyInfo) {
  if (serving >= asked) return []
  return [
    {
      level: 'warning' as const,
      code: 'PROXY_WORKERS_MISSING',
      message: `${serving} of ${asked} processes of the proxy serve.`,
      remedy:
        'One that was just started needs a second. If it stays so, .sluice/proxy.log says why they end; with another version installed, run `sluice router upgrade`.',
    },
  ]
}
