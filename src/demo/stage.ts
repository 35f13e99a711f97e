import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const EXAMPLE = fileURLToPath(new URL('../../examples/shop', import.meta.url))
const USUAL_PORT = 8080

/** Where the demo plays: the example itself, or a copy when that is installed, in use, or its port is taken. */
export type Stage = { config: string; url: string; clear(): void }

export async function setStage(): Promise<Stage> {
  const isFree = (await freePort(USUAL_PORT)) === USUAL_PORT
  const isClone = !EXAMPLE.split(path.sep).includes('node_modules')
  if (isFree && isClone && !existsSync(path.join(EXAMPLE, '.sluice')))
    return stageAt(EXAMPLE, USUAL_PORT, () => undefined)
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-demo-'))
  cpSync(EXAMPLE, folder, { recursive: true, filter: (source) => path.basename(source) !== '.sluice' })
  const port = isFree ? USUAL_PORT : ((await freePort(0)) ?? USUAL_PORT)
  const config = path.join(folder, 'sluice.yaml')
  writeFileSync(config, readFileSync(config, 'utf8').replace(`127.0.0.1:${USUAL_PORT}`, `127.0.0.1:${port}`))
  return stageAt(folder, port, () => rmSync(folder, { recursive: true, force: true }))
}

function stageAt(folder: string, port: number, clear: () => void): Stage {
  return {
    config: path.join(folder, 'sluice.yaml'),
    url: `http://127.0.0.1:${port}`,
    clear: () => {
      rmSync(path.join(folder, '.sluice'), { recursive: true, force: true })
      clear()
    },
  }
}

/** The port if nobody listens there (any free one for 0), else `null`. */
function freePort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null))
    })
  })
}
