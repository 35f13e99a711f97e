import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AgentFixture, createAgentFixture, setPath, tokenOf } from '../../src/agent/agent-fixture.ts'
import { Instance } from '../../src/core/shared/instance.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { type DockerStand, startDocker, whyNoDocker } from './kit/docker.ts'
import { eventually } from './kit/settle.ts'

const APP = `
import { createServer } from 'node:http'
process.on('SIGTERM', () => process.exit(0))
createServer((request, response) => response.end('ok')).listen(8080)
`

const why = whyNoDocker()

describe('adopting containers that somebody else made', () => {
  let stand: DockerStand
  let fixture: AgentFixture
  let port: number
  let id: string
  let sequence = 0
  beforeEach(({ skip }) => skip(why !== null, why ?? ''))
  beforeAll(async () => {
    if (why !== null) return
    stand = await startDocker()
    fixture = await createAgentFixture()
    await fixture.launch({ env: stand.env })
    await stand.importImage('shop:0', { 'app.mjs': APP })
    port = await freePort()
    const host = {
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
      RestartPolicy: { Name: 'always' },
    }
    const labels = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' }
    const body = { Image: 'shop:0', ExposedPorts: { '8080/tcp': {} }, HostConfig: host, Labels: labels }
    id = JSON.parse((await stand.api('POST', '/containers/create?name=shop_web_1', body)).body).Id
    await stand.api('POST', `/containers/${id}/start`)
    await eventually('it serves', async () => (await fetch(`http://127.0.0.1:${port}/`)).status === 200)
  })
  afterAll(async () => {
    if (why !== null) return
    await fixture.close()
    await stand.close()
  })

  const adopt = (release: string, more: { port: number; container?: string }) =>
    fixture.call('POST', `${setPath(release)}/adopt`, {
      token: tokenOf(++sequence),
      service: 'shop',
      release,
      version: '0.9.0',
      healthPath: '/',
      ...more,
    })
  const release = (name: string) =>
    fixture.call('POST', `${setPath(name)}/release`, { token: tokenOf(++sequence) })
  const state = async () => JSON.parse((await stand.api('GET', `/containers/${id}/json`)).body).State

  it('takes the container behind a published port as it is, and gives it back as it was', async () => {
    const before = await state()
    const answers: number[] = []
    const users = setInterval(() => {
      void fetch(`http://127.0.0.1:${port}/`).then(
        (answer) => answers.push(answer.status),
        () => answers.push(0),
      )
    }, 20)
    const adopted = await adopt('shop@0', { port })
    expect(adopted.status, JSON.stringify(adopted.body)).toBe(200)
    expect(Instance.parse(adopted.body)).toMatchObject({
      state: 'ready',
      host: '127.0.0.1',
      port,
      pid: before.Pid,
    })
    expect((await adopt('shop@0', { port })).body).toMatchObject({ id: Instance.parse(adopted.body).id })
    await fixture.until((all) => all.every((one) => one.state === 'ready') && all.length === 1)
    expect((await release('shop@0')).status).toBe(200)
    expect((await fixture.observe()).instances).toEqual([])
    clearInterval(users)
    expect(answers.length).toBeGreaterThan(0)
    expect(answers.filter((status) => status !== 200)).toEqual([])
    expect(await state()).toEqual(before)
  })

  it('finds a container by its name, and says which one it cannot take', async () => {
    expect((await adopt('shop@1', { port: 1, container: 'nobody' })).body).toMatchObject({
      problem: { code: 'ADOPT_NO_SUCH_CONTAINER' },
    })
    await stand.api('POST', `/containers/${id}/pause`)
    expect((await adopt('shop@1', { port: 8080, container: 'shop_web_1' })).body).toMatchObject({
      problem: { code: 'ADOPT_CONTAINER_NOT_RUNNING', message: expect.stringContaining('paused') },
    })
    await stand.api('POST', `/containers/${id}/unpause`)
    const adopted = await adopt('shop@1', { port: 8080, container: 'shop_web_1' })
    expect(adopted.body).toMatchObject({ state: 'ready', port: 8080, host: expect.stringMatching(/^10\./) })
    // Its own restart policy brings it back: it is the same instance.
    const before = (await state()).Pid
    process.kill(before, 'SIGKILL')
    await fixture.until(([one]) => one?.state === 'ready' && one.pid !== before && one.pid !== null)
  })

  it('stops it for good when its time is over, whatever its restart policy, and leaves it to whoever made it', async () => {
    await fixture.remove('shop@1', ++sequence)
    const [gone] = await fixture.until((all) => all.every((one) => one.state === 'gone'))
    expect(gone?.lastExit).toMatchObject({ code: 0, cause: 'stopped-by-us' })
    expect(await stand.containers()).toEqual([id])
    expect(await state()).toMatchObject({ Running: false, Restarting: false, ExitCode: 0 })
  })
})
