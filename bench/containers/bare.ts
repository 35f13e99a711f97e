import { setTimeout as pause } from 'node:timers/promises'
import * as z from 'zod'
import type { DockerStand } from '../kit/docker.ts'

const ASK_EVERY_MS = 50
const LIMIT_MS = 60_000
const PORT = 3000
const CREATED = 201

const Created = z.object({ Id: z.string() })
const Inspected = z.object({
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ IPAddress: z.string() })) }),
})

/** Makes and starts a container as `docker run` does, and answers how many ms passed until its first good answer. */
export async function runBare(engine: DockerStand, image: string): Promise<number> {
  const began = performance.now()
  const made = await engine.api('POST', '/containers/create', {
    Image: image,
    Cmd: ['/usr/local/bin/node', '/app/server.mjs', '--port', String(PORT)],
    Env: ['BENCH_HOST=0.0.0.0'],
  })
  if (made.status !== CREATED) throw new Error(`the engine made no container: ${made.body}`)
  const { Id } = Created.parse(JSON.parse(made.body))
  try {
    await engine.api('POST', `/containers/${Id}/start`)
    const { body } = await engine.api('GET', `/containers/${Id}/json`)
    const [network] = Object.values(Inspected.parse(JSON.parse(body)).NetworkSettings.Networks)
    while (!(await answers(`http://${network?.IPAddress}:${PORT}/up`))) {
      if (performance.now() - began > LIMIT_MS) throw new Error('the container never answered')
      await pause(ASK_EVERY_MS)
    }
    return performance.now() - began
  } finally {
    await engine.api('DELETE', `/containers/${Id}?force=1`)
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
