import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { VERSION } from './log-line.ts'
import { ask, type Instance, NEW, NginxScene, OLD, skipReason, until, unwrap } from './nginx.test.kit.ts'
import { createNginx } from './nginx.ts'
import { findMaster, orphansOf, workersOf } from './processes.ts'
import { Program } from './program.ts'
import { digestOf as markerOf } from './words.ts'

const SYSTEM = '/etc/nginx'
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

describe.skipIf(skipReason !== null)('nginx in trouble', () => {
  let scene: NginxScene
  let instances: { old: Instance; fresh: Instance }
  let before: string
  beforeEach(async () => {
    before = await digestOf(SYSTEM)
    scene = await NginxScene.open()
    instances = { old: await scene.instance(OLD), fresh: await scene.instance(NEW) }
  })
  afterEach(async () => {
    await scene.remove()
    expect(await digestOf(SYSTEM), 'the configuration of the system is not ours').toBe(before)
  })

  const at = (permille: number) =>
    scene.routes({ [OLD]: [1_000 - permille, [instances.old]], [NEW]: [permille, [instances.fresh]] })

  it('goes on with the old configuration when the new one cannot be followed, and says so', async () => {
    const port = await scene.set(at(0))
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const taken = address !== null && typeof address === 'object' ? address.port : 0
    const program = new Program({ folder: scene.folder, binary: '/usr/sbin/nginx', log: SILENT })
    const text = await program.text()
    // What we look for before cannot be everything: somebody may take the port in between.
    const hostile = text.replace(`listen 127.0.0.1:${port};`, `listen 127.0.0.1:${taken};`)
    const put = await program.put({ text: hostile, digest: 'ffffffffffffffff' })
    expect(put.kind === 'failed' && [put.problem.code, put.problem.cause?.includes('bind()')]).toEqual([
      'ROUTER_REFUSED',
      true,
    ])
    expect(await program.text()).toBe(text)
    expect((await ask({ port })).body).toBe(OLD)
    const broken = await program.put({ text: `${text}\nnonsense`, digest: 'ffffffffffffffff' })
    expect(broken.kind === 'failed' && broken.problem.code).toBe('ROUTER_REFUSED')
    expect(await program.text()).toBe(text)
    other.close()
  })

  it('refuses an address that another service has', async () => {
    const port = await scene.set(at(0))
    const second = { ...at(0), service: 'cart', listen: { host: '0.0.0.0', port } }
    const set = await scene.plane.router.setRoutes(second)
    expect(set.kind === 'failed' && set.problem.message).toContain('shop listens there')
  })

  it('is started again with its routes when it was killed, with or without its workers', async () => {
    const port = await scene.set(at(1_000))
    for (const withWorkers of [true, false]) {
      const pid = await scene.master()
      const workers = await workersOf({ pid, id: '' })
      process.kill(pid, 'SIGKILL')
      if (withWorkers) for (const worker of workers) process.kill(worker.pid, 'SIGKILL')
      await until(
        'the master is gone',
        async () => (await findMaster(path.join(scene.folder, 'nginx.conf'), pid)) === null,
      )
      const read = await scene.plane.router.readState('shop')
      expect(read.kind === 'failed' && [read.problem.code, read.problem.retryable]).toEqual([
        'ROUTER_UNREACHABLE',
        true,
      ])
      unwrap(await scene.plane.router.reconcile())
      expect((await ask({ port })).body).toBe(NEW)
      expect((await scene.state()).sets.map(({ weightPermille }) => weightPermille)).toEqual([0, 1_000])
      await until(
        'nothing of the old one takes requests',
        async () =>
          (await orphansOf(path.join(scene.folder, 'error.log'))).length ===
          (await workersOf({ pid: await scene.master(), id: '' })).length,
      )
    }
  })

  it('ends after a change that is under way, which does not start it again', async () => {
    const slow = await scene.instance(OLD, (_, res) => void setTimeout(() => res.end(OLD), 150))
    const routes = (permille: number) =>
      scene.routes({ [OLD]: [1_000 - permille, [slow]], [NEW]: [permille, [instances.fresh]] })
    const port = await scene.set(routes(0))
    const master = await scene.master()
    // A change waits a moment for who is connected; nginx could end within it.
    const answer = ask({ port })
    await until('it is under way', () => slow.seen.length === 1)
    const change = scene.plane.router.setRoutes(routes(500))
    await until('the change is under way', () => existsSync(path.join(scene.folder, 'workers', 'closing')))
    await scene.plane.end()
    expect((await answer).body).toBe(OLD)
    unwrap(await change)
    expect(await findMaster(path.join(scene.folder, 'nginx.conf'), master)).toBeNull()
  })

  it('ends what hangs at its own limit, not at the longest of all', async () => {
    const mute = await scene.instance(OLD, () => undefined)
    const drain = { requestsMs: 300, websocketsMs: 120_000 }
    const port = await scene.set(scene.routes({ [OLD]: [1_000, [mute]] }, { drain }))
    const answer = ask({ port }).then(
      () => 'answered',
      () => 'cut',
    )
    await until('it is under way', () => mute.seen.length === 1)
    const ended = await Promise.race([scene.plane.end().then(() => 'ended'), pause(60_000)])
    expect([ended, await answer]).toEqual(['ended', 'cut'])
  })

  it('outlives its controller, whose successor finds it and counts from its own zero', async () => {
    const port = await scene.set(at(0))
    const pid = await scene.master()
    await scene.plane.close()
    expect((await ask({ port })).body).toBe(OLD)
    scene.plane = scene.newPlane()
    unwrap(await scene.plane.router.reconcile())
    expect(await scene.master()).toBe(pid)
    await scene.counts()
    await ask({ port })
    const { releases, missing } = await scene.counts()
    expect([releases.map(({ total }) => total.requests), missing]).toEqual([[1], 0])
  })

  it('is told in the words of this version after an update of Sluice, so that its lines can be read', async () => {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const slowly = await scene.instance(OLD, (req, res) => {
      void (req.url === '/slow' ? released : Promise.resolve()).then(() => res.end(OLD))
    })
    const port = await scene.set(scene.routes({ [OLD]: [1_000, [slowly]] }))
    const program = new Program({ folder: scene.folder, binary: '/usr/sbin/nginx', log: SILENT })
    const text = await program.text()
    const marker = (await program.look())?.digest ?? ''
    // The other version writes its lines in another order, and knows what is served as this one does.
    const inOthers = (of: string): string =>
      of.replaceAll(`\u001e${VERSION}[`, '\u001e[').replaceAll('$request_time $body', '$body')
    const others = inOthers(text).replaceAll(marker, '')
    const digest = markerOf(others)
    await copyFile(
      path.join(scene.folder, `generation-${marker}.json`),
      path.join(scene.folder, `generation-${digest}.json`),
    )
    unwrap(await program.put({ text: inOthers(text).replaceAll(marker, digest), digest }))
    // The worker of before tells of it in its own words, after the update.
    const slow = ask({ port, path: '/slow' })
    await until('the slow request is there', () => slowly.seen.length > 0)
    await scene.plane.close()
    scene.plane = scene.newPlane()
    unwrap(await scene.plane.router.reconcile())
    expect(await program.text()).toBe(text)
    const { sets, token } = await scene.state()
    expect([sets.map(({ weightPermille }) => weightPermille), token?.sequence]).toEqual([[1_000], 1])
    await scene.counts()
    for (let turn = 0; turn < 5; turn += 1) await ask({ port })
    release()
    expect((await slow).status).toBe(200)
    await pause(1_000)
    const { releases, missing } = await scene.counts()
    expect([releases.reduce((sum, { total }) => sum + total.requests, 0), missing]).toEqual([5, 0])
    const reloads = await workersOf({ pid: await scene.master(), id: '' })
    unwrap(await scene.plane.router.reconcile())
    const later = await workersOf({ pid: await scene.master(), id: '' })
    expect(
      later.filter(({ isLeaving }) => !isLeaving).map(({ id }) => id),
      'once',
    ).toEqual(reloads.filter(({ isLeaving }) => !isLeaving).map(({ id }) => id))
  })

  it('serves on without its log, says that lines are missing, and counts again after the next change', async () => {
    const port = await scene.set(at(0))
    await ask({ port })
    expect((await scene.counts()).releases[0]?.total.requests).toBe(1)
    // What it writes from now on nobody can read; a full disk does the same.
    await rm(path.join(scene.folder, 'requests.log'))
    for (let turn = 0; turn < 30; turn += 1) expect((await ask({ port })).body).toBe(OLD)
    const lost = await scene.plane.counts.query('shop')
    expect(lost.kind === 'failure' && [lost.problem.code, lost.problem.message]).toEqual([
      'COUNTS_INCOMPLETE',
      expect.stringContaining('requests to shop are missing in the log lines of nginx'),
    ])
    await scene.set(at(1_000))
    // Our own questions during the change were lost with the rest.
    const answered = async () => (await scene.plane.counts.query('shop')).kind
    await until('nothing is missing any more', async () => (await answered()) === 'samples')
    for (let turn = 0; turn < 5; turn += 1) await ask({ port })
    const { releases } = await scene.counts()
    expect(releases.map(({ release, total }) => [release, total.requests])).toEqual([[NEW, 5]])
    const limits = await readFile(`/proc/${await scene.master()}/limits`, 'utf8')
    expect(limits, 'nobody reads the log: it must not fill the disk').toMatch(/^Max file size +1073741824 /m)
  })

  it('does not follow a file that was edited and not read, and reports what is in force', async () => {
    const port = await scene.set(at(0))
    const { writeFile } = await import('node:fs/promises')
    const file = path.join(scene.folder, 'nginx.conf')
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('* sluice', '* nonsense'))
    expect((await scene.state()).sets.map(({ weightPermille }) => weightPermille)).toEqual([1_000, 0])
    expect((await ask({ port })).body).toBe(OLD)
    await scene.set(at(1_000))
    expect((await ask({ port })).body).toBe(NEW)
  })

  it('says what it cannot do, and what is missing', async () => {
    const slow = await scene.plane.router.setRoutes({ ...at(0), slowStartMs: 1_000 })
    expect(slow.kind === 'failed' && slow.problem.code).toBe('ROUTER_CANNOT')
    const strange = await scene.plane.router.setRoutes({
      ...at(0),
      listen: { host: '127.0.0.1; }', port: 80 },
    })
    expect(strange.kind === 'failed' && strange.problem.code).toBe('ROUTER_CANNOT')
    const { version, problem, features } = await scene.plane.abilities()
    expect([version, problem, features.rules, features.ejection.can]).toEqual([
      expect.stringMatching(/^\d+\.\d+/),
      null,
      { can: true },
      false,
    ])
    const without = createNginx({
      folder: scene.folder,
      log: SILENT,
      now: Date.now,
      binary: '/nowhere/nginx',
    })
    expect((await without.abilities()).problem?.code).toBe('ROUTER_NOT_INSTALLED')
    const made = await without.router.reconcile()
    expect(made.kind === 'failed' && made.problem.code).toBe('ROUTER_NOT_INSTALLED')
  })
})

/** Names and contents of all files below. */
async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = path.join(entry.parentPath, entry.name)
    hash.update(file).update(await readFile(file))
  }
  return hash.digest('hex')
}
