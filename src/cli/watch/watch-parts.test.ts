import { describe, expect, it } from 'vitest'
import { createTestIo } from '../fixture/test-io.test.fixture.ts'
import { NOW, rolledBack, rolloutView, serviceView } from '../fixture/view.test.fixture.ts'
import { createSession } from '../session.ts'
import { paintLine } from '../text/line.ts'
import { createCheckHistory } from './check-history.ts'
import { createJsonPresenter } from './json.ts'
import { meaningOf, splitKeys, typeKey } from './keys.ts'
import { createNews } from './news.ts'
import { createPlainPresenter } from './plain.ts'
import { createEventReader } from './sse.ts'
import { summaryLines } from './summary.ts'

const entry = (sequence: number, text: string) => ({
  sequence,
  at: NOW,
  kind: 'weight',
  text,
  actor: 'sluice',
  level: 'info' as const,
})
const session = (json: boolean) => {
  const io = createTestIo({ cwd: '/' })
  return {
    io,
    session: createSession(
      io,
      { config: null, environment: null, service: null, json, quiet: false, color: false },
      [],
    ),
  }
}

describe('news', () => {
  it('tells what happened since the rollout began, then only what is new', () => {
    const news = createNews()
    expect(news(serviceView()).entries.map(({ sequence }) => sequence)).toEqual([11, 12, 13, 14, 15])
    expect(news(serviceView()).entries).toEqual([])
    const next = serviceView({ timeline: [...serviceView().timeline, entry(16, 'weight 50% confirmed')] })
    expect(news(next).entries.map(({ sequence }) => sequence)).toEqual([16])
  })

  it('counts what fell out of the timeline while nobody listened', () => {
    const news = createNews()
    news(serviceView())
    expect(news(serviceView({ timeline: [entry(30, 'a'), entry(31, 'b')] }))).toMatchObject({ missed: 14 })
  })

  it('leaves out what belongs to earlier rollouts', () => {
    const old = { ...entry(3, 'long ago'), at: NOW - 900_000 }
    expect(
      createNews()(serviceView({ timeline: [old, ...serviceView().timeline] })).entries[0]?.sequence,
    ).toBe(11)
  })
})

describe('lines instead of a live view', () => {
  it('prints one line per change with the time in UTC, and what it waits for once', () => {
    const { io, session: plain } = session(false)
    const presenter = createPlainPresenter(plain)
    presenter.view(serviceView())
    const waitingOn = {
      kind: 'time' as const,
      who: 'sluice',
      until: NOW + 6000,
      message: 'step time of 25%, 3s left',
    }
    presenter.view(
      serviceView({
        rollout: rolloutView({ waitingOn }),
        timeline: [...serviceView().timeline, entry(16, 'weight 50% confirmed')],
      }),
    )
    presenter.away('controller is away')
    expect(io.stdout()).toContain('12:04:26 weight 25% confirmed\n')
    expect(io.stdout()).toContain('12:04:31 weight 50% confirmed\n')
    expect(io.stdout().match(/waiting:/g)).toHaveLength(1)
    expect(io.stdout()).toMatch(/\d\d:\d\d:\d\d controller is away\n$/)
  })

  it('prints one JSON document a line with --json', () => {
    const { io, session: json } = session(true)
    const presenter = createJsonPresenter(json)
    presenter.view(serviceView())
    presenter.away('controller is away')
    const documents = io.documents()
    expect(documents.map(({ type }) => type)).toEqual([
      'timeline',
      'timeline',
      'timeline',
      'timeline',
      'timeline',
      'view',
    ])
    expect(documents.every(({ schemaVersion }) => schemaVersion === 1)).toBe(true)
    expect(io.stderr()).toContain('controller is away')
  })
})

describe('the closing summary', () => {
  const text = (rollout: Parameters<typeof summaryLines>[0], columns = 200): string =>
    summaryLines(rollout, { columns })
      .map((line) => paintLine(line, false))
      .join('\n')

  it('gives outcome, reason with evidence, loss, duration and what next', () => {
    const shown = text(rolledBack())
    expect(shown).toContain('↩ Rolled back.')
    expect(shown).toContain('why       33 of 612 requests failed, 5.4%; the limit is 5%.')
    expect(shown).toContain('errors: 33, requests: 612, limit percent: 5')
    expect(shown).toContain('lost      0 of 12,042 requests')
    expect(shown).toContain('took      48s; traffic was off the candidate 180ms after the verdict')
    expect(shown).toContain('All traffic is on 1.0.0.')
  })

  it('leaves out a reason that its sentence gives already', () => {
    const shown = text(
      rolloutView({
        outcome: 'promoted',
        state: 'ended',
        endedAt: NOW,
        sentence: 'shop 1.1.0 in local: promoted. The new one takes all traffic after 48s.',
        reason: {
          ...rolloutView().reason,
          message: 'the new one takes all traffic after 48s',
          evidence: { stable: 'x' },
        },
      }),
    )
    expect(shown).toContain('✓ Promoted. shop 1.1.0 in local')
    expect(shown.match(/takes all traffic/g)).toHaveLength(1)
    expect(shown).not.toMatch(/why|stable: x/)
  })

  it('names the way back after a promotion', () => {
    expect(text(rolloutView({ outcome: 'promoted', state: 'ended', endedAt: NOW }))).toContain(
      '`sluice rollback` goes back to 1.0.0.',
    )
  })
})

describe('keys', () => {
  it('mean what the legend says, and Ctrl-C means leaving', () => {
    expect(meaningOf('q')).toEqual({ kind: 'leave' })
    expect(meaningOf('\u0003')).toEqual({ kind: 'leave' })
    expect(meaningOf(' ')).toEqual({ kind: 'pause-or-resume' })
    expect(meaningOf('p')).toEqual({ kind: 'promote' })
    expect(meaningOf('P')).toEqual({ kind: 'promote-full' })
    expect(splitKeys('\u001b[A').map(meaningOf)).toEqual([null])
  })

  it('build a line while a question is open', () => {
    expect(typeKey('ho', 't')).toEqual({ kind: 'typed', text: 'hot' })
    expect(typeKey('hot', '\u007f')).toEqual({ kind: 'typed', text: 'ho' })
    expect(typeKey(' hot ', '\r')).toEqual({ kind: 'entered', text: 'hot' })
    expect(typeKey('hot', '\u001b')).toEqual({ kind: 'cancelled' })
    expect(typeKey('hot', '\u001b[A')).toEqual({ kind: 'typed', text: 'hot' })
    expect(typeKey('hot', '\u0003')).toEqual({ kind: 'cancelled' })
  })
})

describe('server-sent events', () => {
  it('are put together from pieces and read without comments', () => {
    const read = createEventReader()
    expect(read(': heartbeat\n\nevent: ser')).toEqual([])
    expect(read('vice\nid: 4\ndata: {"a":\ndata: 1}\n\n')).toEqual([{ event: 'service', data: '{"a":\n1}' }])
    expect(read('data: x\r\n\r\n')).toEqual([{ event: 'message', data: 'x' }])
  })
})

describe('the trend of a check', () => {
  it('takes a value when its samples moved, and begins anew with another rollout', () => {
    const history = createCheckHistory()
    history.add(serviceView())
    history.add(serviceView())
    expect(history.values.get('error rate')).toEqual([0.17])
    const more = rolloutView().checks.map((check) => ({
      ...check,
      samples: check.samples + 10,
      candidate: '0.2%',
    }))
    history.add(serviceView({ rollout: rolloutView({ checks: more }) }))
    expect(history.values.get('error rate')).toEqual([0.17, 0.2])
    history.add(serviceView({ rollout: rolloutView({ id: 'rollout-next' }) }))
    expect(history.values.get('error rate')).toEqual([0.17])
  })
})
