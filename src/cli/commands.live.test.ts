import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Problem } from '../core/shared/problem.ts'
import { type FakeController, startFakeController } from './fixture/fake-controller.test.fixture.ts'
import { planOf } from './fixture/plan.test.fixture.ts'
import { createTestProject, type TestProject } from './fixture/project.test.fixture.ts'
import { createTestIo, createTestTerminal } from './fixture/test-io.test.fixture.ts'
import { instance, NOW, rolledBack, rolloutView, serviceView } from './fixture/view.test.fixture.ts'
import type { Terminal } from './io.ts'
import { runCli } from './main.ts'

const DEADLINE_MS = 45_000

describe('commands against a controller', () => {
  let project: TestProject
  let controller: FakeController

  beforeEach(async () => {
    project = createTestProject()
    controller = await startFakeController({ stateFolder: project.stateFolder, view: serviceView() })
    controller.answer('plan', () => ({ result: planOf() }))
    controller.answer('deploy', () => ({ result: { rollout: 'rollout-k3v9x2', view: serviceView() } }))
  })

  afterEach(async () => {
    await controller.close()
    project.remove()
  })

  const begin = (argv: string[], terminal: Terminal | null = null) => {
    const io = createTestIo({ cwd: project.folder, terminal, env: { SLUICE_PLAIN: '1' } })
    return { io, code: runCli(argv, io) }
  }
  const run = async (argv: string[], terminal: Terminal | null = null) => {
    const { io, code } = begin(argv, terminal)
    return { code: await code, out: io.stdout(), err: io.stderr(), io }
  }
  const called = (operation: string) => controller.calls.filter((call) => call.operation === operation)
  const until = async (holds: () => boolean): Promise<void> => {
    const deadline = Date.now() + DEADLINE_MS
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const refusal: Problem = {
    code: 'PLAN_MOVED',
    message: 'The plan was made for 0.9.0, but 1.0.0 is stable now.',
    remedy: 'Plan again.',
    retryable: false,
  }

  it('shows the status on one screen', async () => {
    const { code, out } = await run(['status'])
    expect(code).toBe(0)
    expect(out).toContain('shop in local, takes traffic on 127.0.0.1:8080')
    expect(out).toContain('stable    1.0.0 since 2026-11-21 11:04:31 UTC')
    expect(out).toContain('25% on the candidate')
  })

  it('gives the status as JSON', async () => {
    const { io } = await run(['status', '--json'])
    expect(io.documents()).toMatchObject([
      { schemaVersion: 1, type: 'status', services: [{ stream: 'shop.local' }] },
    ])
  })

  it('plans with exit code 3 for changes and 0 for none', async () => {
    const { code, out, err } = await run(['plan', '1.1.0'])
    expect([code, out, err]).toEqual([
      3,
      expect.stringContaining('1.0.0 → 1.1.0'),
      expect.stringContaining('sluice deploy --plan plan-a1'),
    ])
    controller.answer('plan', () => ({ result: planOf({ kind: 'none' }) }))
    expect((await run(['plan', '1.1.0'])).code).toBe(0)
  })

  it('ends with 13 when the controller refuses, with message and remedy', async () => {
    controller.answer('plan', () => ({ problem: refusal, status: 409 }))
    const { code, err } = await run(['plan', '1.1.0'])
    expect(code).toBe(13)
    expect(err).toContain('The plan was made for 0.9.0')
    expect(err).toContain('what to do: Plan again.')
  })

  it('deploys with --yes, follows to the outcome, and ends with its code', async () => {
    const { io, code } = begin(['deploy', '1.1.0', '--yes', '--reason', 'release day'])
    await until(() => io.stdout().includes('weight 25% confirmed'))
    controller.show(serviceView({ revision: 20, rollout: rolledBack() }))
    expect(await code).toBe(10)
    expect(called('deploy')[0]?.input).toEqual({ plan: 'plan-a1', reason: 'release day' })
    expect(io.stdout()).toContain('Rolled back.')
    expect(io.stdout()).toContain('33 of 612 requests failed')
  })

  it('sends a deploy whose answer was lost again under the same key, and each command has its own', async () => {
    controller.loseAnswers('deploy', 2)
    expect((await run(['deploy', '1.1.0', '--yes', '--no-watch'])).code).toBe(0)
    const [first, second, third, ...more] = called('deploy')
    expect([second, third, ...more]).toEqual([first, first])
    expect(first?.key).toMatch(/^[0-9a-f-]{36}$/)
    await run(['deploy', '1.1.0', '--yes', '--no-watch'])
    expect(called('deploy')[3]?.key).not.toBe(first?.key)
  })

  it('sends notes and commit with a deploy', async () => {
    const words = ['--notes', 'Faster.', '--commit', 'abcdef0123']
    await run(['deploy', '1.1.0', '--yes', '--no-watch', ...words])
    expect(called('deploy')[0]?.input).toMatchObject({ notes: 'Faster.', commit: 'abcdef0123' })
    expect((await run(['deploy', '1.1.0', '--yes', '--commit', 'main'])).code).toBe(2)
  })

  it('does not send again what was refused', async () => {
    controller.answer('deploy', () => ({ problem: refusal, status: 409 }))
    expect((await run(['deploy', '1.1.0', '--yes'])).code).toBe(13)
    expect(called('deploy')).toHaveLength(1)
  })

  it('prints only JSON documents with --json, the outcome last', async () => {
    const { io, code } = begin(['deploy', '1.1.0', '--yes', '--json'])
    await until(() => io.stdout().includes('"type":"view"'))
    controller.show(
      serviceView({
        revision: 20,
        rollout: rolloutView({ outcome: 'promoted', state: 'ended', endedAt: NOW }),
      }),
    )
    expect(await code).toBe(0)
    expect(new Set(io.documents().map(({ type }) => type))).toEqual(
      new Set(['plan', 'timeline', 'view', 'outcome']),
    )
    expect(io.documents().at(-1)).toMatchObject({ type: 'outcome', outcome: 'promoted', exitCode: 0 })
  })

  it('deploys nothing without a yes when there is nobody to ask', async () => {
    const { code, err } = await run(['deploy', '1.1.0'])
    expect(code).toBe(13)
    expect(err).toContain('sluice deploy --plan plan-a1')
    expect(called('deploy')).toEqual([])
  })

  it('asks y or n, and in production for the name of the service', async () => {
    const no = createTestTerminal('n')
    expect((await run(['deploy', '1.1.0'], no)).code).toBe(13)
    expect(no.asked).toEqual(['Deploy 1.1.0? [y/N] '])
    controller.show(serviceView({ production: true }))
    expect((await run(['deploy', '1.1.0', '--no-watch'], createTestTerminal('y'))).code).toBe(13)
    expect(called('deploy')).toEqual([])
    expect((await run(['deploy', '1.1.0', '--no-watch'], createTestTerminal('shop'))).code).toBe(0)
    expect(called('deploy')).toHaveLength(1)
  })

  it('does exactly the plan that --plan names', async () => {
    const { code, err } = await run(['deploy', '--plan', 'plan-z9', '--no-watch', '--env', 'staging'])
    expect(code).toBe(0)
    expect(called('deploy')[0]?.input).toEqual({ environment: 'staging', plan: 'plan-z9' })
    expect(err).toContain('sluice watch --env staging')
  })

  it('leaves on Ctrl-C with 12 and changes nothing', async () => {
    const { io, code } = begin(['watch'])
    await until(() => io.stdout().includes('weight 25% confirmed'))
    io.interrupt()
    expect(await code).toBe(12)
    expect(io.stderr()).toContain('Come back with `sluice watch`')
    expect(controller.calls.map(({ operation }) => operation)).toEqual(['get_service'])
  })

  it('stops following after --timeout with 12 and says what it waits for', async () => {
    const { code, err } = await run(['watch', '--timeout', '2s'])
    expect(code).toBe(12)
    expect(err).toContain('No outcome within 2s')
    expect(err).toContain('step time of 25%')
  })

  it('goes on when the controller was restarted in between', async () => {
    const { io, code } = begin(['watch'])
    await until(() => io.stdout().includes('weight 25% confirmed'))
    await controller.crash()
    await until(() => io.stdout().includes('controller is away'))
    await controller.restart()
    await until(() => io.stdout().includes('the controller answers again'))
    controller.show(
      serviceView({
        revision: 20,
        rollout: rolloutView({ outcome: 'promoted', state: 'ended', endedAt: NOW }),
      }),
    )
    expect(await code).toBe(0)
    expect(io.stdout().match(/weight 25% confirmed/g)).toHaveLength(1)
  })

  it('asks for the outcome of a rollout that another one replaced', async () => {
    const { io, code } = begin(['watch'])
    await until(() => io.stdout().includes('weight 25% confirmed'))
    controller.answer('get_rollout', () => ({
      result: { rollout: rolloutView({ outcome: 'superseded', state: 'ended', endedAt: NOW }), timeline: [] },
    }))
    controller.show(serviceView({ revision: 20, rollout: rolloutView({ id: 'rollout-next' }) }))
    expect(await code).toBe(15)
  })

  it('follows a queued release once its rollout begins', async () => {
    const queued = serviceView({
      queued: {
        release: '1.2.0-aa',
        version: '1.2.0',
        rollout: 'rollout-2',
        actor: 'ada',
        notBefore: null,
        waitingOn: { kind: 'rollout', who: '1.1.0', until: null, message: '1.1.0 comes to its end first' },
      },
    })
    controller.show(queued)
    controller.answer('deploy', () => ({ result: { rollout: null, view: queued } }))
    const { io, code } = begin(['deploy', '1.2.0', '--yes'])
    await until(() => io.stdout().includes('12:04'))
    const next = rolloutView({
      id: 'rollout-2',
      to: { release: '1.2.0-aa', version: '1.2.0', digest: 'sha256:aa' },
      outcome: 'promoted',
      state: 'ended',
      endedAt: NOW,
    })
    controller.show(serviceView({ revision: 21, rollout: next }))
    expect(await code).toBe(0)
    expect(io.stdout()).toContain('Promoted.')
  })

  it('gives the outcome of the last rollout when nothing is in progress', async () => {
    controller.show(serviceView({ rollout: rolledBack() }))
    expect((await run(['watch'])).code).toBe(10)
  })

  it.each([
    [['pause', '--reason', 'lunch'], 'pause', { reason: 'lunch' }],
    [['resume'], 'resume', {}],
    [['abort'], 'abort', {}],
    [['promote'], 'promote', {}],
    [['promote', '--full', '--service', 'shop'], 'promote', { full: true, service: 'shop' }],
    [
      ['adopt', '--version', '1.0.0', '--port', '3000', '--pid', '42'],
      'adopt',
      { version: '1.0.0', port: 3000, pid: 42 },
    ],
  ])('%j asks the controller for it', async (argv, operation, input) => {
    controller.answer(operation, () => ({ result: { view: serviceView() } }))
    const { code, out } = await run(argv)
    expect(code).toBe(0)
    expect(called(operation)[0]?.input).toEqual(input)
    expect(out).toContain('1.1.0 to local')
  })

  it('says what was given back and where its clients go', async () => {
    const { stable, sets } = serviceView()
    const adopted = sets.map((set) => ({
      ...set,
      instances: [instance({ release: set.release, port: 3000 })],
    }))
    controller.show(serviceView({ sets: adopted, rollout: null }))
    const after = serviceView({ stable: null, sets: [], rollout: rolledBack() })
    controller.answer('unadopt', () => ({ result: { view: after } }))
    const { code, out } = await run(['unadopt', '--reason', 'old balancer'])
    expect([code, called('unadopt')[0]?.input]).toEqual([0, { reason: 'old balancer' }])
    expect(out).toBe(
      `✓ shop ${stable?.version} was given back. It runs on unchanged on port 3000.\n` +
        '  Move clients there: 127.0.0.1:8080 closes.\n',
    )
  })

  it('says how the rollout ended when it ended just before it was to be aborted', async () => {
    const problem: Problem = { ...refusal, code: 'NOTHING_IN_PROGRESS', message: 'Nothing to abort.' }
    controller.answer('abort', () => ({ problem, status: 409 }))
    controller.show(serviceView({ asOf: NOW + 4000, rollout: rolledBack() }))
    const { code, err } = await run(['abort'])
    expect(code).toBe(13)
    expect(err).toMatch(/^1\.1\.0 was rolled back 4s ago: 33 of 612 requests failed.*\n.*Nothing to abort/)
    controller.show(serviceView({ asOf: NOW + 61_000, rollout: rolledBack() }))
    expect((await run(['abort'])).err).not.toContain('ago')
  })

  it('rolls back and follows it', async () => {
    controller.answer('rollback', () => ({ result: { rollout: null, view: serviceView({ rollout: null }) } }))
    const { code, out } = await run(['rollback', '--to', '0.9.0'])
    expect(code).toBe(0)
    expect(called('rollback')[0]?.input).toEqual({ to: '0.9.0' })
    expect(out).toContain('1.0.0 is stable')
  })

  it('lists history, releases and messages as tables', async () => {
    const { id, stream, from, to, actor, startedAt, endedAt } = rolledBack()
    controller.answer('list_rollouts', () => ({
      result: {
        rollouts: [
          {
            id,
            stream,
            from,
            to,
            outcome: 'rolled_back',
            reason: 'errors over 5%',
            actor,
            startedAt,
            endedAt,
            requestsLost: 0,
            about: { notes: 'Faster.', commit: '3f9a1b2c3d4e5f60', dirty: true },
          },
        ],
      },
    }))
    expect((await run(['history', '-n', '5'])).out).toMatch(
      /2026-11-21 12:03:43 +shop\.local +1\.0\.0 +1\.1\.0 +rolled back +48s +0 +ada +3f9a1b2c3d\+ +rollout-k3v9x2 +errors over 5%/,
    )
    expect(called('list_rollouts')[0]?.input).toEqual({ limit: 5 })
    controller.answer('list_releases', () => ({
      result: {
        releases: [
          {
            id: '1.0.0-3f',
            version: '1.0.0',
            digest: 'sha256:3f9a1b2c3d4e5f',
            createdAt: NOW,
            createdBy: 'ada',
            state: 'previous',
            rollbackReady: false,
            whyNot: 'its artifact is gone',
            blocked: null,
            about: { notes: 'Faster.\nMore.', commit: 'abcdef0123' },
          },
        ],
      },
    }))
    expect((await run(['release', 'list'])).out).toMatch(
      /1\.0\.0 +1\.0\.0-3f +previous +sha256:3f9a1b2c3d4e +2026-11-21 12:04:31 +ada +its artifact is gone +abcdef0123 +Faster\.$/m,
    )
    controller.answer('list_messages', () => ({
      result: {
        messages: [
          {
            channel: 'ops',
            key: 'k',
            state: 'waiting',
            attempts: 3,
            lastError: 'status 500',
            type: 'rollout.promoted',
            at: NOW,
          },
        ],
      },
    }))
    expect((await run(['outbox'])).out).toMatch(/ops +rollout\.promoted +waiting +3 +status 500/)
  })

  it('prints logs, and new lines only while it follows', async () => {
    const line = (text: string) => ({ instance: 'shop-1', release: 'r', line: text })
    let lines = [line('one'), line('two')]
    controller.answer('get_logs', () => ({ result: { lines } }))
    expect((await run(['logs', '-n', '2', '--release', '1.1.0'])).out).toBe('shop-1  one\nshop-1  two\n')
    expect(called('get_logs')[0]?.input).toEqual({ release: '1.1.0', lines: 2 })
    const { io, code } = begin(['logs', '-f'])
    await until(() => io.stdout().includes('two'))
    lines = [line('two'), line('three')]
    await until(() => io.stdout().includes('three'))
    io.interrupt()
    expect(await code).toBe(0)
    expect(io.stdout()).toBe('shop-1  one\nshop-1  two\nshop-1  three\n')
  })

  it('says that the controller is another version when its answer cannot be read', async () => {
    controller.answer('get_service', () => ({ result: { schemaVersion: 99 } }))
    const { code, err } = await run(['watch'])
    expect(code).toBe(20)
    expect(err).toContain('CONTROLLER_SPEAKS_OTHERWISE')
  })

  it('ends with 20 when no controller answers', async () => {
    await controller.close()
    const { code, err } = await run(['status'])
    expect(code).toBe(20)
    expect(err).toContain('sluice up')
  })

  it('finds sluice.yaml in a folder above and says which', async () => {
    const io = createTestIo({ cwd: `${project.folder}/.sluice` })
    expect(await runCli(['status'], io)).toBe(0)
    expect(io.stderr()).toContain(`Using ${project.folder}/sluice.yaml`)
  })

  it('examines the installation, with what the controller finds, and ends with 1 for problems', async () => {
    controller.answer('diagnose', () => ({
      result: {
        findings: [
          {
            level: 'problem',
            code: 'PROXY_SILENT',
            message: 'The proxy does not answer.',
            remedy: 'Look at proxy.log.',
          },
        ],
      },
    }))
    const { code, out } = await run(['doctor'])
    expect(code).toBe(1)
    expect(out).toContain('✗ The proxy does not answer.')
    expect(out).toContain('what to do: Look at proxy.log.')
    expect(out).toMatch(/✓ .*sluice\.yaml is valid/)
  })
})
