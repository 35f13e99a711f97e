import * as z from 'zod'

/** Processes of the built-in proxy: more than cores is no gain, and a change of routes waits for all of them. */
export const MOST_PROXY_WORKERS = 64

/** How many processes of the built-in proxy serve together; `auto`: one on each core. */
export const ProxyWorkers = z.union([z.literal('auto'), z.int().min(1).max(MOST_PROXY_WORKERS)])
export type ProxyWorkers = z.infer<typeof ProxyWorkers>

/**
 * As people and command lines write it; `null` when it is neither.
 *
 * @example `parseProxyWorkers('4')` is 4
 */
export function parseProxyWorkers(text: string): ProxyWorkers | null {
  const parsed = ProxyWorkers.safeParse(/^\d+$/.test(text) ? Number(text) : text)
  return parsed.success ? parsed.data : null
}

export const proxyProcesses = (workers: ProxyWorkers, cores: number): number =>
  workers === 'auto' ? Math.min(cores, MOST_PROXY_WORKERS) : workers
