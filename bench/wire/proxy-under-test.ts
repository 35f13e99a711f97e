import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Core, commandAt, type Rank } from './place.ts'

/** One server under test, in a process of its own on a free port. */
export type Running = { name: string; port: number; stop(): Promise<void> }

type OriginInput = { folder: string; port: number; rank: Rank }
type StartInput = OriginInput & { originPort: number }

/** nginx with one worker that answers 1 KiB from memory. */
export async function startOrigin({ folder, port, rank }: OriginInput): Promise<Running> {
  const config = join(folder, 'nginx.conf')
  await writeFile(
    config,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr crit;
     events { worker_connections 1024; }
     http { access_log off; keepalive_requests 100000000;
       client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
       uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
       server { listen 127.0.0.1:${port}; location / { return 200 "${'x'.repeat(1024)}"; } } }`,
  )
  return await running('nginx', port, started({ core: '1', rank }, 'nginx', ['-p', folder, '-c', config]))
}

function started(place: { core: Core; rank: Rank }, command: string, args: readonly string[]): ChildProcess {
  const [program, words] = commandAt(place, command, args)
  const child = spawn(program, words, { stdio: 'ignore' })
  // Also when the bench ends before it has come up.
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  return child
}

/** HAProxy with one thread, in HTTP mode with connections to the origin kept alive. */
export async function startHaproxy({ folder, originPort, port, rank }: StartInput): Promise<Running> {
  const config = join(folder, 'haproxy.cfg')
  await writeFile(
    config,
    `global\n  nbthread 1\n  maxconn 1024\ndefaults\n  mode http\n  timeout connect 1s\n  timeout client 60s\n  timeout server 60s\n` +
      `  http-reuse always\n  option forwardfor\nlisten l\n  bind 127.0.0.1:${port}\n  server s 127.0.0.1:${originPort}\n`,
  )
  return await running('haproxy', port, started({ core: '0', rank }, 'haproxy', ['-db', '-f', config]))
}

/** httpxy in its ordinary form. */
export async function startHttpxy({ originPort, port, rank }: StartInput): Promise<Running> {
  const code = `
    const { createProxyServer } = await import('httpxy'); const http = await import('node:http');
    const proxy = createProxyServer({ agent: new http.Agent({ keepAlive: true }) });
    http.createServer((req, res) => { proxy.web(req, res, { target: 'http://127.0.0.1:${originPort}' }).catch(() => res.destroy()) })
      .listen(${port}, '127.0.0.1');`
  return await running(
    'httpxy',
    port,
    started({ core: '0', rank }, process.execPath, ['--input-type=module', '-e', code]),
  )
}

/** The built-in data plane with everything on: split over two sets, counts, limits. */
export async function startSluice({
  folder,
  originPort,
  port,
  rank,
  processes = 1,
  core = '0',
}: StartInput & { processes?: number; core?: Core }): Promise<Running> {
  const socket = join(folder, 'control.sock')
  const main = fileURLToPath(new URL('../../src/proxy/main.ts', import.meta.url))
  const code = `const { runProxy } = await import(process.argv[1]); await runProxy(process.argv.slice(2))`
  const args = [
    '--input-type=module',
    '-e',
    code,
    main,
    '--folder',
    join(folder, 'proxy'),
    '--socket',
    socket,
    '--workers',
    `${processes}`,
  ]
  const child = started({ core, rank }, process.execPath, args)
  await until(() => control(socket, 'GET', '/livez', ''))
  const instance = (id: string) => ({ id, host: '127.0.0.1', port: originPort, state: 'active' })
  const routes = {
    service: 'bench',
    token: { epoch: 1, sequence: 1, rollout: null },
    listen: { host: '127.0.0.1', port },
    stable: 'v1',
    sets: [
      { release: 'v1', version: '1', weightPermille: 950, instances: [instance('a'), instance('b')] },
      { release: 'v2', version: '2', weightPermille: 50, instances: [instance('c')] },
    ],
    drain: { requestsMs: 1_000, websocketsMs: 1_000 },
    onControllerLoss: { kind: 'hold' },
    probeKey: 'bench',
  }
  if (!(await control(socket, 'PUT', '/services/bench/routes', JSON.stringify(routes))))
    throw new Error('routes were refused')
  return await running('sluice', port, child)
}

async function running(name: string, port: number, child: ChildProcess): Promise<Running> {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async () => {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
    await exited
    clearTimeout(timer)
  }
  await until(() => accepts(port))
  return { name, port, stop }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000
  while (Date.now() < end) {
    if (await holds()) return
    await pause(20)
  }
  throw new Error('a server did not start within 10 s')
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function control(socketPath: string, method: string, path: string, body: string): Promise<boolean> {
  return new Promise((resolve) => {
    const req = request({ socketPath, method, path, agent: false }, (res) => {
      res.resume()
      res.once('end', () => resolve(res.statusCode === 200))
    })
    req.once('error', () => resolve(false))
    req.end(body)
  })
}
