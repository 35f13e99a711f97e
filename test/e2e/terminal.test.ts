import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type FakeController,
  startFakeController,
} from '../../src/cli/fixture/fake-controller.test.fixture.ts'
import { createTestProject, type TestProject } from '../../src/cli/fixture/project.test.fixture.ts'
import { NOW, rolledBack, rolloutView, serviceView } from '../../src/cli/fixture/view.test.fixture.ts'
import { widthOf } from '../../src/cli/text/width.ts'
import type { ServiceView } from '../../src/core/rollout/view/view.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const DEADLINE_MS = 60_000

/** The view with its times moved to now, so that the countdown runs. */
function liveView(over: Partial<ServiceView> = {}): ServiceView {
  const shift = Date.now() - NOW
  const view = serviceView(over)
  const rollout = view.rollout
  if (rollout === null) return view
  const moved = (at: number | null): number | null => (at === null ? null : at + shift)
  return {
    ...view,
    asOf: view.asOf + shift,
    rollout: {
      ...rollout,
      startedAt: rollout.startedAt + shift,
      endedAt: moved(rollout.endedAt),
      waitingOn:
        rollout.waitingOn === null ? null : { ...rollout.waitingOn, until: moved(rollout.waitingOn.until) },
      steps: rollout.steps.map((step) => ({
        ...step,
        startedAt: moved(step.startedAt),
        endedAt: moved(step.endedAt),
      })),
    },
    timeline: view.timeline.map((entry) => ({ ...entry, at: entry.at + shift })),
  }
}

const tmuxMissing = ((): string | null => {
  try {
    execFileSync('tmux', ['-V'])
    return null
  } catch {
    return 'tmux is not installed'
  }
})()

/** One tmux server of our own with one window that runs a shell command. */
function openTmux(name: string) {
  const tmux = (...words: string[]): string =>
    execFileSync('tmux', ['-L', name, '-f', '/dev/null', ...words], { encoding: 'utf8' })
  return {
    start: (columns: number, rows: number, command: string) =>
      tmux(
        'new-session',
        '-d',
        '-x',
        String(columns),
        '-y',
        String(rows),
        'env',
        '-u',
        'NO_COLOR',
        'sh',
        '-c',
        command,
      ),
    keys: (...keys: string[]) => tmux('send-keys', ...keys),
    resize: (columns: number, rows: number) =>
      tmux('resize-window', '-x', String(columns), '-y', String(rows)),
    text: (): string => tmux('capture-pane', '-p'),
    painted: (): string => tmux('capture-pane', '-p', '-e'),
    shellPid: (): string => tmux('display-message', '-p', '#{pane_pid}').trim(),
    cursorShown: (): boolean => tmux('display-message', '-p', '#{cursor_flag}').trim() === '1',
    close: () => {
      try {
        tmux('kill-server')
      } catch {
        // It ended by itself with its window.
      }
    },
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms: ${what}`)
    await delay(50)
  }
}

describe('the live view in a terminal', () => {
  let project: TestProject
  let controller: FakeController
  let tmux: ReturnType<typeof openTmux>
  let serial = 0

  beforeEach(async ({ skip }) => {
    if (tmuxMissing !== null) skip(tmuxMissing)
    project = createTestProject()
    controller = await startFakeController({ stateFolder: project.stateFolder, view: liveView() })
    serial += 1
    tmux = openTmux(`sluice-e2e-${process.pid}-${serial}`)
  })

  afterEach(async () => {
    tmux?.close()
    await controller?.close()
    project?.remove()
  })

  /** Runs `sluice watch` and shows its exit code afterwards. */
  const watch = async (columns: number, rows: number): Promise<void> => {
    const command = `cd ${project.folder} && '${process.execPath}' '${MAIN}' watch; echo "exit code $?"; exec sleep 600`
    tmux.start(columns, rows, command)
    await until('the first frame', () => tmux.text().includes('q leave'))
  }

  for (const [columns, rows] of [
    [60, 40],
    [100, 40],
    [200, 50],
  ] as const) {
    it(`fills ${columns} columns without folding a line`, async () => {
      await watch(columns, rows)
      await until('a hidden cursor', () => !tmux.cursorShown())
      const screen = tmux.text()
      if (process.env.SHOW_FRAMES !== undefined) console.log(tmux.painted())
      expect(screen).toContain('● 1.1.0 to local: step 5 of 9')
      expect(screen).toContain('25% on the candidate')
      expect(screen).toMatch(/check +stable +candidate/)
      expect(screen).toContain('weight 25% confirmed')
      expect(screen).toContain('q leave')
      for (const line of screen.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(columns)
    })
  }

  it('redraws in place when the view changes and when the window does', async () => {
    await watch(100, 40)
    controller.show(
      liveView({
        revision: 18,
        rollout: rolloutView({
          sentence: '1.1.0 to local: step 6 of 9, 100%',
          weight: { desiredPermille: 1000, observedPermille: 250 },
        }),
      }),
    )
    await until('the new sentence', () => tmux.text().includes('step 6 of 9'))
    await until('the weights', () => tmux.text().includes('100% wanted, 25% observed'))
    await until('one sentence', () => tmux.text().match(/to local/g)?.length === 1)
    tmux.resize(60, 30)
    await until('the narrow legend', () => tmux.text().includes('? help') && !tmux.text().includes('l logs'))
    tmux.resize(120, 40)
    await until('the wide legend', () => tmux.text().includes('l logs'))
    await until('one legend', () => tmux.text().match(/q leave/g)?.length === 1)
  })

  it('pauses on space, asks before it aborts, and sends the reason with "promote all"', async () => {
    for (const operation of ['pause', 'abort', 'promote'])
      controller.answer(operation, () => ({ result: { view: liveView() } }))
    await watch(100, 40)
    tmux.keys('Space')
    await until('the pause', () => controller.calls.some(({ operation }) => operation === 'pause'))
    tmux.keys('a')
    await until('the question', () => tmux.text().includes('Abort 1.1.0, all traffic back to 1.0.0?'))
    tmux.keys('n', 'Enter')
    await until('nothing was done', () => tmux.text().includes('Nothing was done.'))
    expect(controller.calls.map(({ operation }) => operation)).not.toContain('abort')
    tmux.keys('a')
    await until('the question again', () => tmux.text().includes('Type y and Enter'))
    tmux.keys('y', 'Enter')
    await until('the abort', () => controller.calls.some(({ operation }) => operation === 'abort'))
    tmux.keys('P')
    await until('the reason', () => tmux.text().includes('Reason'))
    tmux.keys('-l', 'hotfix checked')
    await until('what was typed', () => tmux.text().includes('hotfix checked'))
    tmux.keys('Enter')
    await until('the promotion', () => controller.calls.some(({ operation }) => operation === 'promote'))
    expect(controller.calls.find(({ operation }) => operation === 'promote')?.input).toMatchObject({
      full: true,
      reason: 'hotfix checked',
      service: 'shop',
    })
  })

  it('explains, shows logs, the page and help', async () => {
    controller.answer('get_logs', () => ({
      result: {
        lines: [{ instance: 'shop-1', release: '1.1.0-88ab12cd34', line: 'listening \u001b[31mon 41001' }],
      },
    }))
    await watch(100, 40)
    tmux.keys('e')
    await until('the evidence', () => tmux.text().includes('candidate requests: 602'))
    tmux.keys('l')
    await until('the log line', () => tmux.text().includes('shop-1  listening on 41001'))
    tmux.keys('?')
    await until('the help', () => tmux.text().includes('pause, or go on after a pause'))
    tmux.keys('o')
    await until('the page', () => tmux.text().includes('http://127.0.0.1:4900/login?token=page-token'))
  })

  it('detaches on Ctrl-C: exit code 12, cursor restored, nothing changed, last frame kept', async () => {
    await watch(100, 40)
    tmux.keys('C-c')
    await until('the exit code', () => tmux.text().includes('exit code 12'))
    expect(tmux.text()).toContain('Come back with `sluice watch`')
    expect(tmux.text()).toContain('25% on the candidate')
    expect(tmux.cursorShown()).toBe(true)
    expect(controller.calls.every(({ operation }) => operation === 'get_service')).toBe(true)
  })

  it('goes on after the controller was away', async () => {
    await watch(100, 40)
    await controller.crash()
    await until('the news', () => tmux.text().includes('controller is away, traffic flows on its own'))
    await controller.restart()
    await until('the controller again', () => {
      const screen = tmux.text()
      return !screen.includes('controller is away') && screen.includes('q leave')
    })
  })

  it('ends with the outcome, its reason and the exit code', async () => {
    await watch(100, 40)
    controller.show(liveView({ revision: 19, rollout: rolledBack() }))
    await until('the exit code', () => tmux.text().includes('exit code 10'))
    const screen = tmux.text()
    if (process.env.SHOW_FRAMES !== undefined) console.log(tmux.painted())
    expect(screen).toContain('Rolled back.')
    expect(screen).toContain('33 of 612 requests failed, 5.4%; the limit is 5%.')
    expect(screen).toContain('traffic was off the candidate 180ms after the verdict')
    expect(tmux.cursorShown()).toBe(true)
  })

  it('gives the cursor back when it is told to end', async () => {
    await watch(100, 40)
    const [child] = readFileSync(`/proc/${tmux.shellPid()}/task/${tmux.shellPid()}/children`, 'utf8')
      .trim()
      .split(' ')
    process.kill(Number(child), 'SIGTERM')
    await until('the exit code', () => tmux.text().includes('exit code 12'))
    expect(tmux.cursorShown()).toBe(true)
  })

  it('prints lines and redraws nothing with SLUICE_PLAIN=1', async () => {
    tmux.start(
      100,
      40,
      `cd ${project.folder} && SLUICE_PLAIN=1 '${process.execPath}' '${MAIN}' watch; echo "exit code $?"; exec sleep 600`,
    )
    await until('the first lines', () => tmux.text().includes('waiting: step time of 25%'))
    expect(tmux.cursorShown()).toBe(true)
    controller.show(liveView({ revision: 19, rollout: rolledBack() }))
    await until('the exit code', () => tmux.text().includes('exit code 10'))
    expect(tmux.text()).toMatch(/\d\d:\d\d:\d\d weight 25% confirmed/)
    expect(tmux.text()).not.toContain('q leave')
  })
})
