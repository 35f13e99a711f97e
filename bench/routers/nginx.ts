import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '../../scripts/testbed/programs.ts'
import { createNginx } from '../../src/adapters/routers/nginx/nginx.ts'
import { startChild } from './child.ts'
import { type ByHand, type RouterUnderTest, SILENT } from './router-under-test.ts'

export const nginx: RouterUnderTest = {
  name: 'nginx',
  debianLog: 'to a file, a line per request, not buffered',
  createPlane: (folder) => createNginx({ folder, log: SILENT, now: Date.now }),
  async startByHand(place) {
    const program = findProgram('nginx')
    if (program === null) throw new Error('nginx is not installed')
    const prefix = join(place.folder, `nginx-by-hand-${place.log}`)
    await mkdir(prefix, { recursive: true })
    const config = join(prefix, 'nginx.conf')
    await writeFile(config, configOf(prefix, place))
    return startChild(program, ['-p', prefix, '-c', config])
  },
}

const configOf = (prefix: string, { port, originPort, log }: ByHand) => `
daemon off; worker_processes auto; pid ${prefix}/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log ${log === 'none' ? 'off' : `${prefix}/access.log`};
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
