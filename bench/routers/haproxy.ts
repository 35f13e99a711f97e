import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '../../scripts/testbed/programs.ts'
import { createHaproxy } from '../../src/adapters/routers/haproxy/haproxy.ts'
import { type RouterUnderTest, SILENT } from './router-under-test.ts'

export const haproxy: RouterUnderTest = {
  name: 'haproxy',
  createPlane: (folder) => createHaproxy({ folder, log: SILENT, now: Date.now }),
  async startByHand({ folder, port, originPort }) {
    const program = findProgram('haproxy')
    if (program === null) throw new Error('haproxy is not installed')
    const config = join(folder, 'by-hand.cfg')
    await writeFile(config, configOf(port, originPort))
    const child = spawn(program, ['-db', '-f', config], { stdio: 'ignore' })
    return {
      stop: async () => {
        if (child.exitCode !== null) return
        child.kill('SIGTERM')
        await once(child, 'exit')
      },
    }
  },
}

const configOf = (port: number, originPort: number): string => `
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  option forwardfor
frontend all
  bind 127.0.0.1:${port}
  default_backend app
backend app
  balance roundrobin
  server stable 127.0.0.1:${originPort} weight 95
  server candidate 127.0.0.1:${originPort} weight 5
`
