import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { createEngine } from './engine.ts'

/** With that many the library needed seconds for each question. */
const STREAMS = 150
const CPU_LIMIT_MS = 500

it('asks as quickly as ever while the output of many containers is read', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-engine-'))
  const socket = path.join(folder, 'docker.sock')
  const server = createServer((asked, answer) => {
    if (asked.url?.includes('/logs') === true) answer.flushHeaders()
    else answer.end('[]')
  })
  await new Promise<void>((resolve) => {
    server.listen(socket, resolve)
  })
  try {
    const engine = createEngine({ DOCKER_HOST: `unix://${socket}` })
    const read = () =>
      engine.ask({ what: 'read' }, (docker) => docker.getContainer('x').logs({ follow: true, stdout: true }))
    const opened = await Promise.all(Array.from({ length: STREAMS }, read))
    expect(opened.map(({ kind }) => kind)).toEqual(Array(STREAMS).fill('ok'))
    const before = process.cpuUsage()
    for (let count = 0; count < 3; count += 1) {
      const listed = await engine.ask({ what: 'list' }, (docker) => docker.listContainers())
      expect(listed).toEqual({ kind: 'ok', value: [] })
    }
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(CPU_LIMIT_MS)
  } finally {
    server.closeAllConnections()
    server.close()
    rmSync(folder, { recursive: true })
  }
})
