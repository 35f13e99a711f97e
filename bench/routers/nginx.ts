import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '../../scripts/testbed/programs.ts'
import { createNginx } from '../../src/adapters/routers/nginx/nginx.ts'
import { startChild } from './child.ts'
import { type ByHand, type RouterUnderTest, SILENT } from './router-under-test.ts'

export const nginx: RouterUnderTest = {
  name: 'nginx',
  ways: {
    debian:
      "with Debian's access log: a line per request to a file, not buffered; it names neither the version nor a time, so that nothing can be judged by it",
    canary:
      'for a canary that can be judged: `split_clients` by version, `X-Forwarded-*`, and the same access log with the version, its address and the times of the request',
    none: 'without any log',
  },
  createPlane: (folder) => createNginx({ folder, log: SILENT, now: Date.now }),
  async startByHand(place) {
    const program = findProgram('nginx')
    if (program === null) throw new Error('nginx is not installed')
    const prefix = join(place.folder, `nginx-by-hand-${place.way}`)
    await mkdir(prefix, { recursive: true })
    const config = join(prefix, 'nginx.conf')
    await writeFile(config, configOf(prefix, place))
    return startChild(program, ['-p', prefix, '-c', config])
  },
}

const configOf = (prefix: string, place: ByHand) => `
daemon off; worker_processes ${availableParallelism()}; pid ${prefix}/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  ${logOf(prefix, place)}
  client_body_temp_path ${prefix}/body; proxy_temp_path ${prefix}/proxy; fastcgi_temp_path ${prefix}/fastcgi;
  uwsgi_temp_path ${prefix}/uwsgi; scgi_temp_path ${prefix}/scgi;
  ${place.way === 'canary' ? versionsOf(place) : weightsOf(place)}
}
`

function logOf(prefix: string, { way }: ByHand): string {
  const file = `${prefix}/access.log`
  if (way !== 'canary') return `access_log ${way === 'none' ? 'off' : file};`
  return `log_format canary '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" version=$version upstream=$upstream_addr time=$request_time '
    'connect=$upstream_connect_time header=$upstream_header_time';
  access_log ${file} canary;`
}

const weightsOf = ({ port, originPort }: ByHand) => `
  upstream app {
    server 127.0.0.1:${originPort} weight=95;
    server 127.0.0.1:${originPort} weight=5;
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr; }
  }`

const versionsOf = ({ port, originPort }: ByHand) => `
  split_clients "$remote_addr$remote_port" $version { 95% stable; * candidate; }
  upstream stable { server 127.0.0.1:${originPort}; keepalive 64; }
  upstream candidate { server 127.0.0.1:${originPort}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://$version; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
    }
  }`
