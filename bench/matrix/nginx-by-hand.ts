import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from '../../scripts/testbed/programs.ts'
import { cleanupOf } from '../kit/cleanup.ts'
import { type Cost, startPhasedLoad } from '../kit/phased-load.ts'
import { freePort, run, until } from '../kit/processes.ts'
import { LOAD } from './run-cell.ts'

const APP = fileURLToPath(new URL('../loss/app/server.mjs', import.meta.url))
const COMMAND_LIMIT_MS = 10_000

/**
 * What people write by hand: two new instances are started, the upstreams are changed, `nginx -s reload`, and the old ones
 * get SIGTERM once the reload has answered. Nobody waits until the old workers have let go of their connections.
 */
export async function runNginxByHand(): Promise<Cost> {
  const program = findProgram('nginx')
  if (program === null) throw new Error('nginx is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'sluice-matrix-nginx-'))
  const children: ChildProcess[] = []
  const config = join(folder, 'nginx.conf')
  const listen = await freePort()
  const nginx = (...words: string[]) =>
    run(program, ['-p', folder, '-c', config, ...words], { limitMs: COMMAND_LIMIT_MS })
  const clear = cleanupOf(async () => {
    await nginx('-s', 'stop')
    for (const child of children) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  try {
    mkdirSync(join(folder, 'logs'))
    cpSync(APP, join(folder, 'server.mjs'))
    const before = await startTwo(folder, children)
    writeFileSync(config, configOf(listen, before.ports))
    const started = await nginx()
    if (started.code !== 0) throw new Error(`nginx did not start: ${started.err}`)
    const url = `http://127.0.0.1:${listen}`
    await until(() => answers(`${url}/up`), { limitMs: COMMAND_LIMIT_MS, what: 'nginx to answer' })
    const load = startPhasedLoad(url, LOAD)
    try {
      return await load.phase(async () => {
        const after = await startTwo(folder, children)
        writeFileSync(config, configOf(listen, after.ports))
        const reloaded = await nginx('-s', 'reload')
        if (reloaded.code !== 0) throw new Error(`nginx did not reload: ${reloaded.err}`)
        for (const child of before.children) child.kill('SIGTERM')
        await Promise.all(before.children.map((child) => child.exitCode ?? once(child, 'exit')))
      })
    } finally {
      await load.end()
    }
  } finally {
    await clear()
  }
}

async function startTwo(folder: string, children: ChildProcess[]) {
  const ports = [await freePort(), await freePort()]
  const started = ports.map((port) =>
    spawn(process.execPath, ['server.mjs', '--port', String(port)], { cwd: folder, stdio: 'ignore' }),
  )
  children.push(...started)
  for (const port of ports)
    await until(() => answers(`http://127.0.0.1:${port}/up`), {
      limitMs: COMMAND_LIMIT_MS,
      what: 'the app to answer',
    })
  return { ports, children: started }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )

const configOf = (listen: number, ports: readonly number[]): string => `
pid nginx.pid;
error_log logs/error.log;
worker_processes 1;
events { worker_connections 4096; }
http {
  access_log off;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream app { ${ports.map((port) => `server 127.0.0.1:${port};`).join(' ')} keepalive 32; }
  server {
    listen 127.0.0.1:${listen};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
  }
}
`
