import type { Hono } from 'hono'
import type { AppEnv } from './app-env.ts'
import type { Settings } from './options.ts'

/**
 * For watchers of the process: Kubernetes, Docker, a load balancer. They hold no token and learn no more than names and
 * codes. Everything is answered from memory, so asking often costs nothing.
 *
 * `/healthz` (or `/livez`): the process answers; restart it when it does not. `/readyz`: it can do its work; `/readyz/store`
 * asks for one part only.
 */
export function addHealth<Context>(app: Hono<AppEnv>, { readiness, version }: Settings<Context>): void {
  for (const path of ['/healthz', '/livez']) app.get(path, (c) => c.json({ live: true }))
  app.get('/readyz', (c) => {
    const states = readiness()
    const code = Object.values(states).find((one) => one !== null)
    const checks = Object.fromEntries(Object.entries(states).map(([part, why]) => [part, why ?? 'ok']))
    return code === undefined ? c.json({ ready: true, checks }) : c.json({ ready: false, code, checks }, 503)
  })
  app.get('/readyz/:part', (c) => {
    const states = readiness()
    const part = c.req.param('part')
    if (!Object.hasOwn(states, part)) return c.json({ ready: false, parts: Object.keys(states) }, 404)
    const code = states[part] ?? null
    return code === null ? c.json({ ready: true }) : c.json({ ready: false, code }, 503)
  })
  app.get('/version', (c) => c.json({ version }))
}
