import * as z from 'zod'
import { ok, type Result } from '../core/shared/result.ts'
import type { ProxyProgram } from '../ports/proxy.ts'
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
      .describe('Only when the one that runs is of another version than the installed one.'),
  }),
  output: z.object({
    upgraded: z.boolean(),
    /** `null`: older than the versions that tell. */
    from: z.string().nullable(),
    to: z.string(),
    /** Who serves now. */
    pid: z.int(),
  }),
  permission: 'operate',
  run: async ({ proxy }, input) => await runUpgrade(proxy, input),
})

export async function runUpgrade(
  proxy: ProxyProgram,
  { onlyOther }: { onlyOther: boolean },
): Promise<Result<{ upgraded: boolean; from: string | null; to: string; pid: number }>> {
  const info = await proxy.info()
  if (info.kind === 'failed') return info
  const { pid, version: from } = info.value
  if (onlyOther && from === proxy.installed) return ok({ upgraded: false, from, to: from, pid })
  const done = await proxy.upgrade()
  return done.kind === 'failed'
    ? done
    : ok({ upgraded: true, from, to: done.value.version, pid: done.value.pid })
}

/** For the diagnosis: a proxy that cannot be asked is told by whoever needs it. */
export async function ofProxy(proxy: ProxyProgram) {
  const info = await proxy.info()
  if (info.kind === 'failed' || info.value.version === proxy.installed) return []
  const theirs = info.value.version === null ? 'an older version' : `version ${info.value.version}`
  return [
    {
      level: 'warning' as const,
      code: 'PROXY_OTHER_VERSION',
      message: `The proxy that serves (pid ${info.value.pid}) is of ${theirs}, the controller of ${proxy.installed}.`,
      remedy: 'Run `sluice router upgrade`: no request is lost.',
    },
  ]
}
