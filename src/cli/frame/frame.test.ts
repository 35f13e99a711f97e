import { describe, expect, it } from 'vitest'
import { instance, NOW, rolledBack, rolloutView, serviceView } from '../fixture/view.test.fixture.ts'
import { widthOf } from '../text/width.ts'
import { renderFrame } from './frame.ts'
import type { FrameOptions, Panel } from './options.ts'

const WIDTHS = [60, 80, 120, 200] as const
const PANELS: readonly Panel[] = [
  { kind: 'none' },
  { kind: 'legend' },
  { kind: 'help' },
  { kind: 'explain' },
  { kind: 'logs', lines: ['shop-1  GET /up 200', `shop-2  ${'x'.repeat(400)}`] },
  {
    kind: 'note',
    text: `Promote all: the controller said no because ${'of a very long reason '.repeat(9)}`,
    look: 'bad',
  },
  {
    kind: 'question',
    text: 'Send all traffic to 1.1.0 now? Reason (Enter sends, Esc cancels):',
    typed: 'x'.repeat(300),
  },
]

const options = (over: Partial<FrameOptions> = {}): FrameOptions => ({
  columns: 100,
  rows: 50,
  color: false,
  now: NOW,
  history: new Map([['error rate', [0, 0, 0.1, 0.2, 0.3]]]),
  panel: { kind: 'legend' },
  away: null,
  ...over,
})
const text = (...[view, over]: [Parameters<typeof renderFrame>[0], Partial<FrameOptions>?]): string =>
  renderFrame(view, options(over)).join('\n')

describe('the live frame', () => {
  for (const columns of WIDTHS) {
    it(`never writes a line wider than ${columns} columns, whatever the panel and the height`, () => {
      for (const panel of PANELS)
        for (const rows of [6, 12, 24, 60]) {
          const lines = renderFrame(serviceView(), options({ columns, rows, panel, color: true }))
          for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(columns)
          expect(lines.length).toBeLessThan(rows)
        }
    })
  }

  it('shows sentence, digests, traffic, steps, checks, waiting, instances, loss, events and keys', () => {
    const frame = text(serviceView())
    expect(frame).toContain('● 1.1.0 to local: step 5 of 9, 25% for 4s, goes on in 6s if 4 checks stay green')
    expect(frame).toContain('1.0.0-3f9a1b2c3d → 1.1.0-88ab12cd34 (sha256:88ab12cd34ef)')
    expect(frame).toMatch(/traffic {3}█+░+ {2}25% on the candidate/)
    expect(frame).toContain('▶ observe 10s 4s of 10s')
    const later = text(serviceView(), { now: NOW + 9000 })
    expect(later).toContain('▶ observe 10s 13s, planned 10s')
    expect(frame).toMatch(/error rate +0\.12% +0\.17% +under 5% +602 {2}✓ ok {9}▁▁▃▄▆/)
    expect(frame).toContain('waiting   6s left, step time of 25%, 4 checks must stay green')
    expect(frame).toContain('1.1.0 candidate 2 of 2 ready 25%, 1 in flight')
    expect(frame).toContain('lost      0 of 12,042 requests   0 of 240 probes   0 cut on drain')
    expect(frame).toContain('12:04:26  weight 25% confirmed')
    expect(frame).toContain(
      'space pause  a abort  p next step  P promote all  e why  l logs  o page  ? help  q leave',
    )
  })

  it('tells what is wanted from what was observed', () => {
    const rollout = rolloutView({ weight: { desiredPermille: 500, observedPermille: 250 } })
    expect(text(serviceView({ rollout }))).toMatch(/█+▒+░+ {2}50% wanted, 25% observed/)
    const unconfirmed = rolloutView({ weight: { desiredPermille: 500, observedPermille: null } })
    expect(text(serviceView({ rollout: unconfirmed }))).toMatch(/▒+░+ {2}50% wanted, not confirmed yet/)
  })

  it('keeps sentence and keys when only a few rows are left, and the newest event before the oldest', () => {
    const lines = renderFrame(serviceView(), options({ rows: 12 }))
    expect(lines[0]).toContain('1.1.0 to local')
    expect(lines.at(-1)).toContain('q leave')
    expect(lines.join('\n')).toContain('weight 25% confirmed')
    expect(lines.join('\n')).not.toContain('ada started')
  })

  it('counts the steps that do not fit, around the active one', () => {
    const frame = text(serviceView(), { columns: 60, rows: 50 })
    expect(frame).toContain('▶ observe 10s')
    const steps = Array.from({ length: 40 }, (_, index) => ({
      ...rolloutView().steps[0]!,
      index,
      label: `step number ${index}`,
      state: index < 20 ? ('done' as const) : index === 20 ? ('active' as const) : ('planned' as const),
    }))
    const crowded = text(serviceView({ rollout: rolloutView({ steps }) }), { columns: 80 })
    expect(crowded).toContain('▶ step number 20')
    expect(crowded).toMatch(/… \d+ before/)
    expect(crowded).toMatch(/\d+ more …/)
  })

  it('leaves out keys of actions that are not possible now', () => {
    const frame = text(serviceView({ rollout: rolledBack() }))
    expect(frame).not.toContain('promote all')
    expect(frame).not.toContain('abort')
    expect(frame).toContain('q leave')
  })

  it('says that the controller is away without hiding the last state', () => {
    const frame = text(serviceView(), {
      away: 'controller is away, traffic flows on its own, trying again ...',
    })
    expect(frame).toContain('controller is away')
    expect(frame).toContain('25% on the candidate')
  })

  it('explains with reason, evidence and the sentence of each check', () => {
    const frame = text(serviceView({ rollout: rolledBack() }), { panel: { kind: 'explain' } })
    expect(frame).toContain('33 of 612 requests failed, 5.4%; the limit is 5%.')
    expect(frame).toContain('CHECK_CRITICAL, decided by sluice')
    expect(frame).toContain('limit percent: 5')
    expect(frame).toContain('0.17% against 0.12% of stable.')
  })

  it('names instances in trouble with the reason', () => {
    const [stable, candidate] = serviceView().sets
    const broken = instance({
      id: 'shop-9',
      state: 'crashed',
      crashes: 3,
      lastProbeFailure: {
        kind: 'refused',
        message: 'GET http://127.0.0.1:41001/up: connection refused',
        at: NOW,
      },
    })
    const frame = text(serviceView({ sets: [stable!, { ...candidate!, ready: 1, instances: [broken] }] }), {
      columns: 120,
    })
    expect(frame).toContain(
      '1.1.0 shop-9 crashed, 3 crashes: GET http://127.0.0.1:41001/up: connection refused',
    )
  })

  it('lets nothing from outside move the cursor', () => {
    const rollout = rolloutView({ sentence: 'bad\u001b[2J\u0007 sentence\nwith a second line' })
    const frame = text(serviceView({ rollout }), {
      panel: { kind: 'logs', lines: ['\u001b]0;title\u0007evil\u001b[31m line\u009b2J'] },
    })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point.
    expect(frame.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
  })

  it('has no escape sequences without colour, and looks the same with it', () => {
    const painted = renderFrame(serviceView(), options({ color: true })).join('\n')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours start with the escape character.
    expect(painted.replaceAll(/\u001b\[[\d;]*m/g, '')).toBe(text(serviceView()))
    expect(painted).not.toBe(text(serviceView()))
  })

  it('shows a service without any release', () => {
    const empty = serviceView({ stable: null, rollout: null, sets: [], timeline: [], actions: [] })
    expect(text(empty)).toContain('○ shop in local: nothing has been released yet')
  })
})
