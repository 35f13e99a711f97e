import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '../../scripts/testbed/programs.ts'
import { createNginx } from '../../src/adapters/routers/nginx/nginx.ts'
import { type RouterUnderTest, SILENT } from './router-under-test.ts'

export const nginx: RouterUnderTest = {
  name: 'nginx',
  createPlane: (folder) => createNginx({ folder, log: SILENT, now: Date.now }),
  async startByHand({ folder, port, originPort }) {
    const program = findProgram('nginx')
    if (program === null) throw new Error('nginx is not installed')
    const prefix = join(folder, 'by-hand')
    await mkdir(prefix, { recursive: true })
    const config = join(prefix, 'nginx.conf')
    await writeFile(config, configOf({ prefix, port, originPort }))
    const child = spawn(program, ['-p', prefix, '-c', config], { stdio: 'ignore' })
    return {
      stop: async () => {
        if (child.exitCode !== null) return
        child.kill('SIGTERM')
        await once(child, 'exit')
      },
    }
  },
}

const configOf = ({ prefix, port, originPort }: { prefix: string; port: number; originPort: number }) => `
daemon off; worker_processes auto; pid ${prefix}/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${prefix}/body; proxy_temp_path ${prefix}/proxy; fastcgi_temp_path ${prefix}/fastcgi;
  uwsgi_temp_path ${prefix}/uwsgi; scgi_temp_path ${prefix}/scgi;
  upstream app {
    server 127.0.0.1:${originPort} weight=95;
    server 127.0.0.1:${originPort} weight=5;
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr; }
  }
}
`
